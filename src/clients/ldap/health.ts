// Whether a server is worth asking. One that failed is left alone for a while, so that it costs
// nobody a timeout; then a single try finds out whether it is back.

import type { Clock } from '../../runtime/clock.ts'
import type { DirectoryError } from './failure.ts'

// A search can be slow, or its answer broken, because of the user whom it is about. So failures of as many
// users say that it is the server, where it has answered nobody meanwhile.
const USERS_WITHOUT_ANSWER = 3
// Each try with a password that the server refuses brings the service account closer to a lock-out.
const PAUSE_AFTER_REFUSAL = 60_000

/** What may be done with a server now: ask it, try whether it is back, or leave it alone. */
export type Admission = 'ask' | 'try' | 'leave'

/** What was asked when a server failed. */
export interface FailedWork {
  readonly user: string
  /** When it began, by the monotonic clock. */
  readonly began: number
}

/** Told when a server begins to be left alone, and why; or, without a reason, that it is back. */
export type HealthListener = (failure: DirectoryError | undefined) => void

/** The state of one server. */
export class ServerHealth {
  readonly #clock: Clock
  readonly #listener: HealthListener
  readonly #coolDown: number
  readonly #withoutAnswer = new Set<string>()
  #answeredAt = Number.NEGATIVE_INFINITY
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
    this.#withoutAnswer.clear()
    this.#answeredAt = this.#clock.monotonic()
    this.#since = undefined
    this.#trying = false
    if (wasDown) this.#listener(undefined)
  }

  /** @param work absent where nothing was asked about a user */
  failed(cause: DirectoryError, work?: FailedWork): void {
    this.#trying = false
    const wasDown = this.#since !== undefined
    if (!cause.conclusive && work !== undefined) {
      // It answers others; or a single user cannot say whether it is back.
      if (wasDown || this.#answeredAt > work.began) return
      this.#withoutAnswer.add(work.user)
      if (this.#withoutAnswer.size < USERS_WITHOUT_ANSWER) return
    }
    this.#last = cause
    this.#since = this.#clock.monotonic()
    if (!wasDown) this.#listener(cause)
  }
}
