// Who has to wait, as far as this process knows: enough to answer a flood of guesses without asking the
// store, and to let no remembered proof speak for a guesser.

import type { Clock } from '../../runtime/clock.ts'

// Each is set anew by the next attempt that is refused, so a flood that drives one out gains a guess.
const MAX_HOLDS = 10_000

/** Waits by name; times are monotonic milliseconds. */
export class Holds {
  readonly #clock: Clock
  readonly #until = new Map<string, number>()
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether nobody waits: then no name has to be made. */
  get isEmpty(): boolean {
    if (this.#until.size === 0) return true
    if (this.#clock.monotonic() < this.#last) return false
    this.#until.clear()
    return true
  }

  /** Milliseconds left to wait; 0 for none. */
  waitOf(name: string): number {
    return Math.max(0, (this.#until.get(name) ?? 0) - this.#clock.monotonic())
  }

  /** Lets it wait at least until then. */
  set(name: string, until: number): void {
    const later = Math.max(until, this.#until.get(name) ?? 0)
    this.#until.delete(name)
    this.#until.set(name, later)
    this.#last = Math.max(this.#last, later)
    const [oldest] = this.#until.keys()
    if (this.#until.size > MAX_HOLDS && oldest !== undefined) this.#until.delete(oldest)
  }

  /** Ends the wait. */
  delete(name: string): void {
    this.#until.delete(name)
  }
}
