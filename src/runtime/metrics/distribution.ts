// How long things took, counted into fixed buckets as Prometheus has them: some nanoseconds for each.

// Seconds. From a check that remembers everything to a directory that answers late.
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const

/** A distribution of durations since the start. */
export class Distribution {
  /** The upper bounds of the buckets, in seconds. */
  static readonly bounds: readonly number[] = BOUNDS
  // The last one is for what is longer than all bounds.
  readonly #counts = new Float64Array(BOUNDS.length + 1)
  #sum = 0

  /** Counts one duration, in seconds. */
  observe(seconds: number): void {
    let bucket = 0
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += seconds
  }

  /** How many there were in each bucket; one more than there are bounds. */
  get counts(): readonly number[] {
    return [...this.#counts]
  }

  /** All durations together, in seconds. */
  get sum(): number {
    return this.#sum
  }
}
