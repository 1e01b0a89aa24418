// What failed a moment ago and is left alone for a while, so that an outage costs each login one question now
// and then. Nothing is kept beyond its pause, whether or not anybody asks again.

import type { Clock } from '../runtime/clock.ts'

/** Names that are left alone, for equally long each. */
export class Backoff {
  readonly #clock: Clock
  readonly #length: number
  // By name, until when, in monotonic milliseconds. All are equally long, so the first ends first.
  readonly #until = new Map<string, number>()

  /** @param length of a pause, in milliseconds */
  constructor(clock: Clock, length: number) {
    this.#clock = clock
    this.#length = length
  }

  /** How many are kept. */
  get size(): number {
    return this.#until.size
  }

  /** Leaves one alone from now on. */
  begin(name: string): void {
    const now = this.#clock.monotonic()
    for (const [known, until] of this.#until) {
      if (until > now) break
      this.#until.delete(known)
    }
    this.#until.delete(name)
    this.#until.set(name, now + this.#length)
  }

  /** Whether one is left alone now. */
  has(name: string): boolean {
    return (this.#until.get(name) ?? 0) > this.#clock.monotonic()
  }
}
