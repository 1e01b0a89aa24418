// How fast a CA issues: a token bucket.

import type { LimitsConfig } from '../config/signer-schema.ts'
import type { Clock } from '../runtime/clock.ts'

/** Lets `burst` through at once, and `perSecond` lastingly. */
export class RateLimit {
  readonly rate: LimitsConfig['rate']
  readonly #clock: Clock
  #tokens: number
  #filledAt: number

  constructor(rate: LimitsConfig['rate'], clock: Clock) {
    this.rate = rate
    this.#clock = clock
    this.#tokens = rate.burst
    this.#filledAt = clock.monotonic()
  }

  /** How many may pass at once now. */
  get left(): number {
    const gained = ((this.#clock.monotonic() - this.#filledAt) / 1_000) * this.rate.perSecond
    return Math.min(this.rate.burst, this.#tokens + gained)
  }

  /** Whether one more may pass now, which then counts. */
  take(): boolean {
    this.#tokens = this.left
    this.#filledAt = this.#clock.monotonic()
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
