// What a peer may do, counted without a clock until it has used it up.

import type { Clock } from '../clock.ts'
import type { Rate } from '../token-bucket.ts'

/** A token bucket that looks at the clock only when it is empty: taking costs a subtraction. */
export class Allowance {
  readonly #rate: Rate
  readonly #clock: Clock
  #left: number
  #filledAt: number

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
    this.#left = rate.burst
    this.#filledAt = clock.monotonic()
  }

  /** Takes units; false where there are not as many. */
  take(units: number): boolean {
    this.#left -= units
    if (this.#left >= 0) return true
    const now = this.#clock.monotonic()
    const gained = ((now - this.#filledAt) / 1_000) * this.#rate.perSecond
    this.#left = Math.min(this.#rate.burst, this.#left + gained)
    this.#filledAt = now
    return this.#left >= 0
  }

  /** Gives units back, up to the burst. */
  give(units: number): void {
    this.#left = Math.min(this.#rate.burst, this.#left + units)
  }
}
