// A token bucket: so much at once, and so much a second lastingly.

import type { Clock } from './clock.ts'

/** What a {@link TokenBucket} lets through. */
export interface Rate {
  /** Units at once, after a pause of `burst / perSecond` seconds. */
  readonly burst: number
  /** Units a second, lastingly. */
  readonly perSecond: number
}

/** Lets `burst` through at once, and `perSecond` lastingly. Full at first. */
export class TokenBucket {
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

  /** How many units may pass at once now. */
  get left(): number {
    const now = this.#clock.monotonic()
    const gained = ((now - this.#filledAt) / 1_000) * this.#rate.perSecond
    this.#left = Math.min(this.#rate.burst, this.#left + gained)
    this.#filledAt = now
    return this.#left
  }

  /**
   * Takes units.
   *
   * @param amount default: 1; what exceeds `burst` never passes
   * @returns false, and takes nothing, where less is left
   */
  take(amount = 1): boolean {
    return this.left >= amount && this.takeUnclocked(amount)
  }

  /**
   * Takes units as {@link take} does, and looks at the clock only when those that it knows of are too few. So it
   * costs a subtraction, and what time has added is counted late: after a pause up to twice `burst` passes at once.
   */
  takeUnclocked(amount: number): boolean {
    if (this.#left < amount && this.left < amount) return false
    this.#left -= amount
    return true
  }

  /** Puts back what was taken, up to `burst`. It does not look at the clock. */
  giveBack(amount: number): void {
    this.#left = Math.min(this.#rate.burst, this.#left + amount)
  }

  /** In how many milliseconds there are enough units; 0 for now. */
  waitFor(amount: number): number {
    return Math.max(0, ((amount - this.left) / this.#rate.perSecond) * 1_000)
  }
}
