// Whether a server is worth asking. One that failed is left alone for a while, so that it costs
// nobody a timeout; then a single try finds out whether it is back.

import type { Clock } from '../../../runtime/clock.ts'
import type { DirectoryError } from './failure.ts'

// A search can be slow by itself; a server is not until several in a row are.
const FAILURES_IN_A_ROW = 3
// Each try with a password that the server refuses brings the service account closer to a lock-out.
const PAUSE_AFTER_REFUSAL = 60_000

/** What may be done with a server now: ask it, try whether it is back, or leave it alone. */
export type Admission = 'ask' | 'try' | 'leave'

/** Told when a server begins to be left alone, and why; or, without a reason, that it is back. */
export type HealthListener = (failure: DirectoryError | undefined) => void

/** The state of one server. */
export class ServerHealth {
  readonly #clock: Clock
  readonly #listener: HealthListener
  readonly #coolDown: number
  #failures = 0
  #since: number | undefined
  #trying = false
  #last: DirectoryError | undefined

  /** @param coolDown milliseconds that a failed server is left alone */
  constructor(coolDown: number, clock: Clock, listener: HealthListener) {
    this.#coolDown = coolDown
    this.#clock = clock
    this.#listener = listener
  }

  /** The failure for which it is left alone. */
  get last(): DirectoryError | undefined {
    return this.#last
  }

  get admission(): Admission {
    if (this.#since === undefined) return 'ask'
    const over = this.#clock.monotonic() - this.#since >= this.#pause
    return over && !this.#trying ? 'try' : 'leave'
  }

  get #pause(): number {
    return this.#last?.failure === 'service-refused'
      ? Math.max(this.#coolDown, PAUSE_AFTER_REFUSAL)
      : this.#coolDown
  }

  /** Somebody has begun to try whether it is back; others leave it alone until that is known. */
  trying(): void {
    this.#trying = true
  }

  /** The one who tried has not found out. */
  undecided(): void {
    this.#trying = false
  }

  succeeded(): void {
    const wasDown = this.#since !== undefined
    this.#failures = 0
    this.#since = undefined
    this.#trying = false
    if (wasDown) this.#listener(undefined)
  }

  failed(cause: DirectoryError): void {
    this.#failures += 1
    this.#trying = false
    this.#last = cause
    const wasDown = this.#since !== undefined
    if (!wasDown && !cause.conclusive && this.#failures < FAILURES_IN_A_ROW) return
    this.#since = this.#clock.monotonic()
    if (!wasDown) this.#listener(cause)
  }
}
