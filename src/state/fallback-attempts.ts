// Attempts while their store is unavailable or full: counted in this process alone, so that passwords are still
// verified, and guessing them costs as much as without a shared store. The counters of the unavailable store are
// unknown then; a wait that began here lasts to its end, also when the store is back.

import { CountersignError } from '../runtime/errors.ts'
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
import type { MemoryAttempts } from './memory.ts'

/** An {@link AttemptStore} that continues with another one while the first is unavailable. */
export class FallbackAttempts implements AttemptStore {
  readonly #shared: AttemptStore
  readonly #own: MemoryAttempts
  /** Receipts of the own store: each store corrects its own. */
  readonly #ofOwn = new WeakSet<Reservation>()

  constructor(shared: AttemptStore, own: MemoryAttempts) {
    this.#shared = shared
    this.#own = own
  }

  async take(scopes: readonly AttemptScope[]): Promise<TakeResult> {
    const waits = this.#own.waitsOf(scopes)
    if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
    return await orElse(
      () => this.#shared.take(scopes),
      async () => {
        const result = await this.#own.take(scopes)
        if (result.outcome === 'taken') this.#markOwn(result.reservations)
        return result
      },
    )
  }

  async settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]> {
    const isOwn = ({ reservation }: ReservationOutcome): boolean => this.#ofOwn.has(reservation)
    if (outcomes.some(isOwn)) {
      // The reservations of one attempt are of one store.
      const reservations = await this.#own.settle(outcomes)
      this.#markOwn(reservations)
      return reservations
    }
    return await orElse(
      () => this.#shared.settle(outcomes),
      // The store has become unavailable in between; its counters remain until they are forgotten.
      async () => outcomes.map(({ reservation }) => reservation),
    )
  }

  async remember(entry: ExpiringEntry): Promise<void> {
    await orElse(
      () => this.#shared.remember(entry),
      () => this.#own.remember(entry),
    )
  }

  async recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    return await orElse(
      () => this.#shared.recall(keys),
      () => this.#own.recall(keys),
    )
  }

  async lockOuts(): Promise<LockOuts | undefined> {
    return await orElse(
      () => this.#shared.lockOuts(),
      () => this.#own.lockOuts(),
    )
  }

  #markOwn(reservations: readonly Reservation[]): void {
    for (const reservation of reservations) this.#ofOwn.add(reservation)
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
