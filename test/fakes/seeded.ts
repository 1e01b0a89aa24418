// Choices that come out the same in every run.

import { randomFrom } from './random.ts'

/** A source of choices. */
export class Seeded {
  readonly #below: (end: number) => number

  constructor(seed: number) {
    this.#below = randomFrom(seed)
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return this.#below(end)
  }

  /** Whether something of that probability happens. */
  chance(probability: number): boolean {
    return this.#below(1_000) < probability * 1_000
  }

  /** One of them. */
  pick<T>(all: readonly [T, ...T[]]): T {
    return all[this.#below(all.length)] ?? all[0]
  }

  /** At least one of them, in their order. */
  some<T>(all: readonly [T, ...T[]]): T[] {
    const chosen = all.filter(() => this.chance(0.4))
    return chosen.length === 0 ? [this.pick(all)] : chosen
  }
}
