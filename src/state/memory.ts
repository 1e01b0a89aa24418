// Attempts in the memory of one process. Bounded: entries with little effect are evicted first and lock-outs last, and
// an evicted lock-out still lasts to its end.

import type { Clock } from '../runtime/clock.ts'
import {
  countPart,
  endOf,
  settled,
  failuresAt,
  type Counted,
  type Counter,
} from './attempt-count.ts'
import {
  PENDING,
  type AttemptStore,
  type AttemptScope,
  type FoundEntry,
  type LockOutKind,
  type LockOuts,
  type ExpiringEntry,
  type Reservation,
  type ReservationOutcome,
  type TakeResult,
} from './attempt-store.ts'
import { Floors } from './floors.ts'
import { PriorityLru } from './priority-lru.ts'

// Measured: 275 bytes an entry with its key, 28 MB when full.
const MAX_ENTRIES = 100_000

// PriorityLru: notes, then counts by their powers of two, then lock-outs.
const NOTE = 0
const RETAINED_NOTE = 4
const HIGHEST_COUNT = 5
const LOCKED = 6

interface StoredCounter extends Counter {
  readonly kind: 'counter'
  readonly lockOut: LockOutKind | undefined
  readonly expires: number
}

interface StoredNote {
  readonly kind: 'note'
  readonly expires: number
  readonly text: string
  readonly written: number
  readonly retained: boolean
}

/** An {@link AttemptStore} that ends with the process. */
export class MemoryAttempts implements AttemptStore {
  readonly #clock: Clock
  readonly #entries: PriorityLru<StoredCounter | StoredNote>
  /** The ends of lock-outs that were evicted. */
  readonly #lost = new Floors()

  constructor(clock: Clock, limit = MAX_ENTRIES) {
    this.#clock = clock
    this.#entries = new PriorityLru({
      limit,
      levels: LOCKED + 1,
      levelOf,
      onDropped: (key, value) => {
        if (value.kind === 'counter' && value.locked) this.#lost.raise(key, value.until)
      },
    })
  }

  /** How many entries there are, including those that have ended. */
  get size(): number {
    return this.#entries.size
  }

  /** Milliseconds to wait for each scope, without counting an attempt. */
  waitsOf(scopes: readonly AttemptScope[]): readonly number[] {
    const now = this.#now()
    return scopes.map(({ key, binding }) => (binding ? this.#waitOf(key, now) : 0))
  }

  async take(scopes: readonly AttemptScope[]): Promise<TakeResult> {
    const waits = this.waitsOf(scopes)
    if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
    const now = this.#now()
    return {
      outcome: 'taken',
      reservations: scopes.map((scope) => this.#count(scope, now)),
    }
  }

  async settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]> {
    const now = this.#now()
    return outcomes.map((outcome) => this.#settle(outcome, now))
  }

  async remember({ key, text, lifetime, retained }: ExpiringEntry): Promise<void> {
    const now = this.#now()
    const note = { kind: 'note', text, retained, written: now, expires: now + lifetime } as const
    this.#entries.put(key, note, now)
  }

  async recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    const now = this.#now()
    return keys.map((key) => {
      const entry = this.#entries.find(key, now)
      return entry?.kind === 'note' ? { text: entry.text, age: now - entry.written } : undefined
    })
  }

  async lockOuts(): Promise<LockOuts> {
    const now = this.#now()
    const counts: Partial<Record<LockOutKind, number>> = {}
    for (const entry of this.#entries.at(LOCKED)) {
      if (entry.kind !== 'counter' || entry.lockOut === undefined || now >= entry.until) continue
      counts[entry.lockOut] = (counts[entry.lockOut] ?? 0) + 1
    }
    return counts
  }

  #waitOf(key: string, now: number): number {
    const until = Math.max(this.#counter(key, now)?.until ?? 0, this.#lost.of(key))
    return Math.max(0, until - now)
  }

  #count(scope: AttemptScope, now: number): Reservation {
    const { key, weight } = scope
    return this.#keep(countPart(this.#counter(key, now), scope, weight, PENDING, now), now)
  }

  #settle(outcome: ReservationOutcome, now: number): Reservation {
    const { key } = outcome.reservation.scope
    const counted = settled(this.#counter(key, now), outcome, now)
    return counted.counter === undefined ? counted.reservation : this.#keep(counted, now)
  }

  #counter(key: string, now: number): StoredCounter | undefined {
    const entry = this.#entries.find(key, now)
    return entry?.kind === 'counter' ? entry : undefined
  }

  #keep({ counter, reservation }: Counted, now: number): Reservation {
    const { key, lockOut } = reservation.scope
    this.#entries.put(key, { ...counter, kind: 'counter', lockOut, expires: endOf(counter) }, now)
    return reservation
  }

  // Whole milliseconds, which add up exactly; and monotonic, so that setting the clock back prolongs no wait.
  #now(): number {
    return Math.floor(this.#clock.monotonic())
  }
}

const levelOf = (entry: StoredCounter | StoredNote, now: number): number => {
  if (entry.kind === 'note') return entry.retained ? RETAINED_NOTE : NOTE
  if (entry.locked && now < entry.until) return LOCKED
  const failures = failuresAt(entry, now)
  return failures === 0 ? NOTE : Math.min(HIGHEST_COUNT, 1 + Math.floor(Math.log2(failures)))
}
