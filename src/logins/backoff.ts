// Names whose last attempt failed, which are not tried again for a while: an outage costs each login one attempt now and
// then. An entry is removed at its end, whether or not the name is tried again.

import type { Clock } from '../runtime/clock.ts'

/** Names in back-off, for equally long each. */
export class Backoff {
  readonly #clock: Clock
  readonly #length: number
  // By name, until when, in monotonic milliseconds. All are equally long, so the first ends first.
  readonly #until = new Map<string, number>()

  /** @param length of a back-off, in milliseconds */
  constructor(clock: Clock, length: number) {
    this.#clock = clock
    this.#length = length
  }

  /** How many are kept. */
  get size(): number {
    return this.#until.size
  }

  /** Begins the back-off of a name. */
  begin(name: string): void {
    const now = this.#clock.monotonic()
    for (const [known, until] of this.#until) {
      if (until > now) break
      this.#until.delete(known)
    }
    this.#until.delete(name)
    this.#until.set(name, now + this.#length)
  }

  /** Whether a name is in back-off now. */
  has(name: string): boolean {
    return (this.#until.get(name) ?? 0) > this.#clock.monotonic()
  }
}
