// Attempts in a state file: a failure in one process counts in all processes of the machine.

import type { StatementSync } from 'node:sqlite'
import { countPart, endOf, settled, type Counted, type Counter } from '../attempt-count.ts'
import {
  PENDING,
  type AttemptStore,
  type AttemptScope,
  type FoundEntry,
  type LockOuts,
  type ExpiringEntry,
  type Reservation,
  type ReservationOutcome,
  type TakeResult,
} from '../attempt-store.ts'
import type { StateDatabase } from './database.ts'
import { ATTEMPTS } from './schema.ts'

// Of the file. An attempt that does not fit is counted in this process instead (`FallbackAttempts`). Unauthenticated
// clients can fill a part of it with counters, and a smaller part with notes of refused passwords; the rest is for
// notes of authenticated users, and for corrections.
const SHARE = 1 / 8
const SHARE_OF_COUNTERS = (SHARE * 7) / 8
const SHARE_OF_REFUSALS = SHARE / 2

// Some ten milliseconds. More lock-outs than this are as many for an operator.
const MOST_COUNTED = 100_000

/** An {@link AttemptStore} that processes of one machine share, and that survives them. */
export class SqliteAttempts implements AttemptStore {
  readonly #database: StateDatabase
  readonly #find: StatementSync
  readonly #keep: StatementSync
  readonly #forget: StatementSync
  readonly #note: StatementSync
  readonly #recall: StatementSync
  readonly #lockOut: StatementSync
  readonly #endLockOut: StatementSync
  readonly #lockOuts: StatementSync

  constructor(database: StateDatabase) {
    this.#database = database
    this.#find = database.prepare(
      'SELECT clean, forget, until, locked FROM counters WHERE key = ? AND ends > ?',
    )
    this.#keep = database.prepare('INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?, ?, ?)')
    this.#forget = database.prepare('DELETE FROM counters WHERE key = ?')
    this.#note = database.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)')
    this.#lockOut = database.prepare('INSERT OR REPLACE INTO lockouts VALUES (?, ?, ?)')
    this.#endLockOut = database.prepare('DELETE FROM lockouts WHERE key = ?')
    this.#lockOuts = database.prepare(
      `SELECT kind, count(*) AS count FROM (SELECT kind FROM lockouts WHERE ends > ? LIMIT ${MOST_COUNTED}) GROUP BY kind`,
    )
    this.#recall = database.prepare('SELECT text, written FROM notes WHERE key = ? AND ends > ?')
  }

  async take(scopes: readonly AttemptScope[]): Promise<TakeResult> {
    return await this.#database.transaction('attempt', (): TakeResult => {
      const now = this.#database.now()
      const waits = scopes.map(({ key, binding }) => (binding ? this.#waitOf(key, now) : 0))
      if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
      const reservations = scopes.map((scope) => {
        const before = this.#counter(scope.key, now)
        return this.#write(before, countPart(before, scope, scope.weight, PENDING, now), now)
      })
      this.#database.keepWithin(ATTEMPTS, SHARE_OF_COUNTERS)
      return { outcome: 'taken', reservations }
    })
  }

  async settle(outcomes: readonly ReservationOutcome[]): Promise<readonly Reservation[]> {
    return await this.#database.transaction('settle', () => {
      const now = this.#database.now()
      const reservations = outcomes.map((outcome) => this.#settle(outcome, now))
      this.#database.keepWithin(ATTEMPTS, SHARE)
      return reservations
    })
  }

  async remember({ key, text, lifetime, retained }: ExpiringEntry): Promise<void> {
    await this.#database.transaction('note', () => {
      const now = this.#database.now()
      this.#note.run(key, text, now, now + lifetime)
      this.#database.keepWithin(ATTEMPTS, retained ? SHARE : SHARE_OF_REFUSALS)
    })
  }

  async recall(keys: readonly string[]): Promise<readonly (FoundEntry | undefined)[]> {
    return await this.#database.run('recall', () => {
      const now = this.#database.now()
      return keys.map((key) => {
        const row = this.#recall.get(key, now)
        return row && { text: String(row['text']), age: now - Number(row['written']) }
      })
    })
  }

  async lockOuts(): Promise<LockOuts> {
    return await this.#database.run('lockOuts', () =>
      Object.fromEntries(
        this.#lockOuts.all(this.#database.now()).map(({ kind, count }) => [kind, Number(count)]),
      ),
    )
  }

  #waitOf(key: string, now: number): number {
    return Math.max(0, (this.#counter(key, now)?.until ?? 0) - now)
  }

  #settle(outcome: ReservationOutcome, now: number): Reservation {
    const before = this.#counter(outcome.reservation.scope.key, now)
    const counted = settled(before, outcome, now)
    return counted.counter === undefined ? counted.reservation : this.#write(before, counted, now)
  }

  #counter(key: string, now: number): Counter | undefined {
    const row = this.#find.get(key, now)
    return (
      row && {
        clean: Number(row['clean']),
        forget: Number(row['forget']),
        until: Number(row['until']),
        locked: row['locked'] === 1,
      }
    )
  }

  #write(before: Counter | undefined, { counter, reservation }: Counted, now: number): Reservation {
    const { clean, forget, until, locked } = counter
    const { key, lockOut } = reservation.scope
    if (locked && lockOut !== undefined) this.#lockOut.run(key, lockOut, until)
    else if (before?.locked === true) this.#endLockOut.run(key)
    const ends = endOf(counter)
    if (ends <= now) this.#forget.run(key)
    // A counter without failures has now as its time, since SQLite has no negative infinity.
    else this.#keep.run(key, Math.max(clean, now), forget, until, locked ? 1 : 0, ends)
    return reservation
  }
}
