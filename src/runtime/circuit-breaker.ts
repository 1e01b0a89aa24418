// Leaves a server alone that failed several times in a row, so that the requests that need it fail
// at once and it gets time to recover. One request at a time then finds out whether it has.

import type { Clock } from './clock.ts'
import { CountersignError } from './errors.ts'

/** When a circuit opens, and for how long. */
export interface CircuitOptions {
  /** What the circuit leads to, for messages. */
  readonly name: string
  /** So many failures in a row open it. */
  readonly failures: number
  /** How long it stays open, in milliseconds. */
  readonly coolDown: number
  readonly clock: Clock
  /** Told when it opens, with the last failure, and when it closes. */
  readonly report?: (failure: unknown) => void
}

/** A circuit breaker: closed, open, or half open with one request on trial. */
export class CircuitBreaker {
  readonly #options: CircuitOptions
  #failures = 0
  #openedAt = Number.NEGATIVE_INFINITY
  #onTrial = false

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  /** Whether requests fail at once. */
  get isOpen(): boolean {
    const { failures, coolDown, clock } = this.#options
    if (this.#failures < failures) return false
    return this.#onTrial || clock.monotonic() - this.#openedAt < coolDown
  }

  /**
   * Runs the work, and counts how it ends: a rejection is a failure.
   *
   * @throws CountersignError `unavailable` at once while the circuit is open
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { name, failures, clock, report } = this.#options
    if (this.isOpen) {
      throw new CountersignError('unavailable', `${name} failed a moment ago and is left alone`)
    }
    const wasClosed = this.#failures < failures
    this.#onTrial = !wasClosed
    try {
      const result = await work()
      if (this.#failures >= failures) report?.(undefined)
      this.#failures = 0
      return result
    } catch (cause) {
      this.#failures += 1
      if (this.#failures >= failures) {
        this.#openedAt = clock.monotonic()
        if (this.#failures === failures) report?.(cause)
      }
      throw cause
    } finally {
      if (!wasClosed) this.#onTrial = false
    }
  }
}
