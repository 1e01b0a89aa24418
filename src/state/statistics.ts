// Counts the operations of a store and their outcomes, for metrics and for readiness.

import type { Clock } from '../runtime/clock.ts'
import { UNMEASURED, type ServerDurations } from '../runtime/request-durations.ts'
import type { Rollback } from './revocation-journal.ts'
import { Counter } from '../runtime/metrics/metric.ts'

// For how long a failure is recent, in milliseconds: a full store fails only when it is written to.
const RECENT = 30_000

/** The operations of one store. Their names are constants of the program. */
export class StateStatistics {
  readonly #clock: Clock
  readonly #onTrouble: (cause: unknown) => void
  readonly #durations: ServerDurations
  readonly unopened = new Counter(
    'countersign_state_decryption_failures_total',
    'Records that could not be decrypted: modified, or sealed with a key that is no longer in the keyring.',
    {},
  ).begin({})
  readonly rollbacks = new Counter<'result'>(
    'countersign_state_rollbacks_total',
    'Detected rollbacks of the store to an earlier state, by action: restored (revocations written again) or revoked-all.',
    { result: ['restored', 'revoked-all'] },
  ).begin({ result: 'restored' }, { result: 'revoked-all' })
  #latest: { readonly cause: unknown; readonly at: number } | undefined

  /**
   * @param onTrouble called with the first failure after a while without one
   * @param durations measures the operations
   */
  constructor(clock: Clock, onTrouble: (cause: unknown) => void, durations = UNMEASURED) {
    this.#durations = durations
    this.#clock = clock
    this.#onTrouble = onTrouble
  }

  /** The failure of a recent operation, if there is one. */
  get recentFailure(): unknown {
    const latest = this.#latest
    return latest !== undefined && this.#clock.monotonic() - latest.at < RECENT
      ? latest.cause
      : undefined
  }

  /** Counts that the store was reset to an earlier state, and records it as a failure. */
  rolledBack(rollback: Rollback): void {
    this.rollbacks.inc({ result: rollback })
    const message = 'the state was reset to an earlier one'
    this.#latest = { cause: new Error(message), at: this.#clock.monotonic() }
  }

  /** Counts a record that did not open. */
  notOpened(): void {
    this.unopened.inc({})
  }

  /** Records a failure that was not measured. */
  failed(cause: unknown): void {
    if (this.recentFailure === undefined) this.#onTrouble(cause)
    this.#latest = { cause, at: this.#clock.monotonic() }
  }

  /** Runs an operation, and counts its outcome: a rejection is a failure. */
  async measure<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#durations.measure(operation, work)
    } catch (cause) {
      this.failed(cause)
      throw cause
    }
  }
}
