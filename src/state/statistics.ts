// What a store was asked and how that ended, counted for metrics and for whoever asks whether all is
// well with it.

import type { Clock } from '../runtime/clock.ts'
import type { Rollback } from './revocation-journal.ts'
import { Distribution } from '../runtime/metrics/distribution.ts'

/** How often something was done, and how long that took. */
export interface OperationCounts {
  readonly done: Distribution
  readonly failed: Distribution
}

// So long a failure is news, in milliseconds: a store that is full fails only when it is written to.
const RECENT = 30_000

/** The operations of one store. Their names come out of our code. */
export class StateStatistics {
  readonly #clock: Clock
  readonly #onTrouble: (cause: unknown) => void
  readonly #operations = new Map<string, OperationCounts>()
  #latest: { readonly cause: unknown; readonly at: number } | undefined
  #unopened = 0
  readonly #rollbacks: Record<Rollback, number> = { restored: 0, 'revoked-all': 0 }

  /** @param onTrouble told of the first failure after a while without */
  constructor(clock: Clock, onTrouble: (cause: unknown) => void) {
    this.#clock = clock
    this.#onTrouble = onTrouble
  }

  /** By name, since the start. */
  get operations(): ReadonlyMap<string, OperationCounts> {
    return this.#operations
  }

  /** How many records were there and did not open. */
  get unopened(): number {
    return this.#unopened
  }

  /** What an operation failed with a moment ago, where one did. */
  get recentFailure(): unknown {
    const latest = this.#latest
    return latest !== undefined && this.#clock.monotonic() - latest.at < RECENT
      ? latest.cause
      : undefined
  }

  /** How often the store went back to an earlier state, by what was done. */
  get rollbacks(): Readonly<Record<Rollback, number>> {
    return this.#rollbacks
  }

  /** Counts that the store went back to an earlier state, and takes it down as a failure. */
  rolledBack(rollback: Rollback): void {
    this.#rollbacks[rollback] += 1
    const message = 'the state went back to an earlier one'
    this.#latest = { cause: new Error(message), at: this.#clock.monotonic() }
  }

  /** Counts a record that was there and did not open. */
  notOpened(): void {
    this.#unopened += 1
  }

  /** Takes down a failure that was not measured. */
  failed(cause: unknown): void {
    if (this.recentFailure === undefined) this.#onTrouble(cause)
    this.#latest = { cause, at: this.#clock.monotonic() }
  }

  /** Runs an operation, and counts how it ends: a rejection has failed. */
  async measure<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const counts = this.#countsOf(operation)
    const start = this.#clock.monotonic()
    try {
      const result = await work()
      counts.done.observe((this.#clock.monotonic() - start) / 1_000)
      return result
    } catch (cause) {
      const at = this.#clock.monotonic()
      counts.failed.observe((at - start) / 1_000)
      this.failed(cause)
      throw cause
    }
  }

  #countsOf(operation: string): OperationCounts {
    const known = this.#operations.get(operation)
    if (known !== undefined) return known
    const counts = { done: new Distribution(), failed: new Distribution() }
    this.#operations.set(operation, counts)
    return counts
  }
}
