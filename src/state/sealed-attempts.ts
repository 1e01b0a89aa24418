// Seals the entries of attempts for a store that has other readers. The keys are keyed hashes already, and counters
// reveal nothing by themselves.

import type {
  AttemptStore,
  AttemptScope,
  FoundEntry,
  LockOuts,
  ExpiringEntry,
  Reservation,
  ReservationOutcome,
  TakeResult,
} from './attempt-store.ts'
import type { RecordSeal } from './record-seal.ts'

/** An {@link AttemptStore} that discloses no text to its backend. A text that does not open is treated as absent. */
export class SealedAttempts implements AttemptStore {
  readonly #inner: AttemptStore
  readonly #seal: RecordSeal

  constructor(inner: AttemptStore, seal: RecordSeal) {
    this.#inner = inner
    this.#seal = seal
  }

  take(scopes: readonly AttemptScope[]): Promise<TakeResult> {
    return this.#inner.take(scopes)
  }

  settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]> {
    return this.#inner.settle(outcomes)
  }

  async remember(entry: ExpiringEntry): Promise<void> {
    await this.#inner.remember({ ...entry, text: this.#seal.seal(entry.key, entry.text) })
  }

  lockOuts(): Promise<LockOuts | undefined> {
    return this.#inner.lockOuts()
  }

  async recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    const entries = await this.#inner.recall(keys)
    return entries.map((entry, index) => {
      const text = entry && this.#seal.open(keys[index] ?? '', entry.text)
      return entry && text !== undefined ? { ...entry, text } : undefined
    })
  }
}
