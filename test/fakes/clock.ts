// A clock whose time does not pass until a test moves it.

import type { Clock } from '../../src/runtime/clock.ts'

/** Both readings move together, and only by `advance`. */
export class FakeClock implements Clock {
  #elapsed = 0
  readonly #start: number

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start
  }

  now(): number {
    return this.#start + this.#elapsed
  }

  monotonic(): number {
    return this.#elapsed
  }

  /** Lets time pass. */
  advance(milliseconds: number): void {
    this.#elapsed += milliseconds
  }
}
