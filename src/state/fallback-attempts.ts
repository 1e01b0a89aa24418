// Attempts while their store is unavailable or full: counted in this process alone, so that passwords are still
// verified, and guessing them costs as much as without a shared store. The counters of the unavailable store are
// unknown then; a wait that began here lasts to its end, also when the store is back.

import { CountersignError } from '../runtime/errors.ts'
import type {
  AttemptStore,
  Claim,
  KnownNote,
  Note,
  Receipt,
  Settlement,
  Taking,
} from './attempt-store.ts'
import type { MemoryAttempts } from './memory.ts'

/** An {@link AttemptStore} that continues with another one while the first is unavailable. */
export class FallbackAttempts implements AttemptStore {
  readonly #shared: AttemptStore
  readonly #own: MemoryAttempts
  /** Receipts of the own store: each store corrects its own. */
  readonly #ofOwn = new WeakSet<Receipt>()

  constructor(shared: AttemptStore, own: MemoryAttempts) {
    this.#shared = shared
    this.#own = own
  }

  async take(claims: readonly Claim[]): Promise<Taking> {
    const waits = this.#own.waitsOf(claims)
    if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
    return await orElse(
      () => this.#shared.take(claims),
      async () => {
        const taking = await this.#own.take(claims)
        if (taking.outcome === 'taken') this.#noteOwn(taking.receipts)
        return taking
      },
    )
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]> {
    const isOwn = ({ receipt }: Settlement): boolean => this.#ofOwn.has(receipt)
    if (settlements.some(isOwn)) {
      // The receipts of one attempt are of one store.
      const receipts = await this.#own.settle(settlements)
      this.#noteOwn(receipts)
      return receipts
    }
    return await orElse(
      () => this.#shared.settle(settlements),
      // The store has become unavailable in between; its counters remain until they are forgotten.
      async () => settlements.map(({ receipt }) => receipt),
    )
  }

  async note(note: Note): Promise<void> {
    await orElse(
      () => this.#shared.note(note),
      () => this.#own.note(note),
    )
  }

  async recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]> {
    return await orElse(
      () => this.#shared.recall(keys),
      () => this.#own.recall(keys),
    )
  }

  #noteOwn(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) this.#ofOwn.add(receipt)
  }
}

/** An exception that is not an outage is a bug, and is thrown. */
const orElse = async <T>(first: () => Promise<T>, second: () => Promise<T>): Promise<T> => {
  try {
    return await first()
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause
    return await second()
  }
}
