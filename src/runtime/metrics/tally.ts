// How often things happened, by their labels: a counter of a few series, which begin when they are first
// counted.

import type { Sample } from './metric.ts'

/** A count for each combination of labels that came up. */
export class Tally<Label extends string> {
  readonly #counts = new Map<string, { labels: Readonly<Record<Label, string>>; value: number }>()

  /** @param labels of closed lists or out of the configuration, never out of a request */
  add(labels: Readonly<Record<Label, string>>): void {
    const key = JSON.stringify(labels)
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { labels, value: 1 })
    else known.value += 1
  }

  /** What was counted since the start. */
  samples(): readonly Sample<number>[] {
    return [...this.#counts.values()]
  }
}
