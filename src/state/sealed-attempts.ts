// Seals the notes of attempts for a store that has other readers. The keys are keyed hashes already, and counters
// reveal nothing by themselves.

import type {
  AttemptStore,
  Claim,
  KnownNote,
  Note,
  Receipt,
  Settlement,
  Taking,
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

  take(claims: readonly Claim[]): Promise<Taking> {
    return this.#inner.take(claims)
  }

  settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]> {
    return this.#inner.settle(settlements)
  }

  async note(note: Note): Promise<void> {
    await this.#inner.note({ ...note, text: this.#seal.seal(note.key, note.text) })
  }

  async recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]> {
    const notes = await this.#inner.recall(keys)
    return notes.map((note, index) => {
      const text = note && this.#seal.open(keys[index] ?? '', note.text)
      return note && text !== undefined ? { ...note, text } : undefined
    })
  }
}
