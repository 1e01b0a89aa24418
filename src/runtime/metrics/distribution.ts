// How long things took, counted into fixed buckets as Prometheus has them: some nanoseconds for each.

import type { SpanReference } from '../tracing/span.ts'

// Seconds. From a check that remembers everything to a directory that answers late.
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const

/** One duration of a bucket, with the trace that shows where it went (OpenMetrics 1.0, "Exemplars"). */
export interface Exemplar {
  readonly span: SpanReference
  /** In seconds. */
  readonly value: number
  /** When it was counted; milliseconds since the epoch. */
  readonly at: number
}

/** A distribution of durations since the start. */
export class Distribution {
  /** The upper bounds of the buckets, in seconds. */
  static readonly bounds: readonly number[] = BOUNDS
  // The last one is for what is longer than all bounds.
  readonly #counts = new Float64Array(BOUNDS.length + 1)
  #exemplars: (Exemplar | undefined)[] | undefined
  #sum = 0

  /**
   * Counts one duration, in seconds.
   *
   * @param span of what took so long, where it is traced; the last one of each bucket is its exemplar
   */
  observe(seconds: number, span?: SpanReference): void {
    let bucket = 0
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += seconds
    if (span !== undefined) {
      this.#exemplars ??= Array.from({ length: BOUNDS.length + 1 }, () => undefined)
      this.#exemplars[bucket] = { span, value: seconds, at: Date.now() }
    }
  }

  /** How many there were in each bucket; one more than there are bounds. */
  get counts(): readonly number[] {
    return [...this.#counts]
  }

  /** The exemplars, at the place of their bucket; empty where nothing was traced. */
  get exemplars(): readonly (Exemplar | undefined)[] {
    return this.#exemplars ?? []
  }

  /** All durations together, in seconds. */
  get sum(): number {
    return this.#sum
  }
}
