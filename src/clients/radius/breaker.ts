// Whether a server is worth asking: after repeated failures it is left alone for a while, so that
// each request loses no time on it, and then it is tried again.

import type { Clock } from '../../runtime/clock.ts'

/** `closed`: ask it. `open`: leave it alone. `due`: somebody may find out whether it is back. */
export type BreakerState = 'closed' | 'open' | 'due'

/** When a breaker opens and for how long. */
export interface BreakerOptions {
  /** How many failures in a row. */
  readonly failures: number
  /** Milliseconds for which it first stays open; doubled at each trial that fails. */
  readonly shortest: number
  /** Milliseconds at most. */
  readonly longest: number
}

/** The state of one server, as its requests find it. */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #clock: Clock
  #failures = 0
  /** While open: for how long, and until when. */
  #pause: { readonly length: number; readonly until: number } | undefined
  #trying = false

  constructor(options: BreakerOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  get state(): BreakerState {
    if (this.#pause === undefined) return 'closed'
    return this.#trying || this.#clock.monotonic() < this.#pause.until ? 'open' : 'due'
  }

  /** Begins the one trial that is due; it ends with one of the three below. */
  try(): void {
    this.#trying = true
  }

  /** The server answered; true when it was thought to be down. */
  succeeded(): boolean {
    const recovered = this.#pause !== undefined
    this.#failures = 0
    this.#pause = undefined
    this.#trying = false
    return recovered
  }

  /** The server did not answer; true when that was once too often. */
  failed(trial: boolean): boolean {
    const { failures, shortest, longest } = this.#options
    const pause = this.#pause
    if (pause !== undefined) {
      // Requests that set out before it opened say nothing new.
      if (trial) this.#open(Math.min(pause.length * 2, longest))
      return false
    }
    this.#failures += 1
    if (this.#failures < failures) return false
    this.#open(shortest)
    return true
  }

  /** Nothing was learnt. */
  abandoned(trial: boolean): void {
    if (trial) this.#trying = false
  }

  #open(length: number): void {
    this.#pause = { length, until: this.#clock.monotonic() + length }
    this.#trying = false
  }
}
