// Attempts in a state file: a failure in one process counts in all processes of the machine.

import type { StatementSync } from 'node:sqlite'
import {
  confirm,
  countPart,
  endOf,
  forgotten,
  pardon,
  type Counted,
  type Counter,
} from '../attempt-count.ts'
import {
  PENDING,
  type AttemptStore,
  type Claim,
  type KnownNote,
  type Note,
  type Receipt,
  type Settlement,
  type Taking,
} from '../attempt-store.ts'
import type { StateDatabase } from './database.ts'
import { ATTEMPTS } from './schema.ts'

// Of the file. An attempt that does not fit is counted in this process instead (`FallbackAttempts`). Unauthenticated
// clients can fill a part of it with counters, and a smaller part with notes of refused passwords; the rest is for
// notes of authenticated users, and for corrections.
const SHARE = 1 / 8
const SHARE_OF_COUNTERS = (SHARE * 7) / 8
const SHARE_OF_REFUSALS = SHARE / 2

/** An {@link AttemptStore} that processes of one machine share, and that survives them. */
export class SqliteAttempts implements AttemptStore {
  readonly #database: StateDatabase
  readonly #find: StatementSync
  readonly #keep: StatementSync
  readonly #forget: StatementSync
  readonly #note: StatementSync
  readonly #recall: StatementSync

  constructor(database: StateDatabase) {
    this.#database = database
    this.#find = database.prepare(
      'SELECT clean, forget, until, locked FROM counters WHERE key = ? AND ends > ?',
    )
    this.#keep = database.prepare('INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?, ?, ?)')
    this.#forget = database.prepare('DELETE FROM counters WHERE key = ?')
    this.#note = database.prepare('INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)')
    this.#recall = database.prepare('SELECT text, written FROM notes WHERE key = ? AND ends > ?')
  }

  async take(claims: readonly Claim[]): Promise<Taking> {
    return await this.#database.transaction('attempt', (): Taking => {
      const now = this.#database.now()
      const waits = claims.map(({ key, binding }) => (binding ? this.#waitOf(key, now) : 0))
      if (waits.some((wait) => wait > 0)) return { outcome: 'wait', waits }
      const receipts = claims.map((claim) => {
        const before = this.#counter(claim.key, now)
        return this.#write(claim.key, countPart(before, claim, claim.weight, PENDING, now), now)
      })
      this.#database.keepWithin(ATTEMPTS, SHARE_OF_COUNTERS)
      return { outcome: 'taken', receipts }
    })
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Receipt[]> {
    return await this.#database.transaction('settle', () => {
      const now = this.#database.now()
      const receipts = settlements.map((settlement) => this.#settle(settlement, now))
      this.#database.keepWithin(ATTEMPTS, SHARE)
      return receipts
    })
  }

  async note({ key, text, lifetime, retained }: Note): Promise<void> {
    await this.#database.transaction('note', () => {
      const now = this.#database.now()
      this.#note.run(key, text, now, now + lifetime)
      this.#database.keepWithin(ATTEMPTS, retained ? SHARE : SHARE_OF_REFUSALS)
    })
  }

  async recall(keys: readonly string[]): Promise<readonly (KnownNote | undefined)[]> {
    return await this.#database.run('recall', () => {
      const now = this.#database.now()
      return keys.map((key) => {
        const row = this.#recall.get(key, now)
        return row && { text: String(row['text']), age: now - Number(row['written']) }
      })
    })
  }

  #waitOf(key: string, now: number): number {
    return Math.max(0, (this.#counter(key, now)?.until ?? 0) - now)
  }

  #settle({ receipt, failures }: Settlement, now: number): Receipt {
    const { key } = receipt.claim
    const before = this.#counter(key, now)
    if (failures > 0) return this.#write(key, confirm(before, receipt, now), now)
    if (before === undefined) return forgotten(receipt)
    return this.#write(key, pardon(before, receipt, -failures, now), now)
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

  #write(key: string, { counter, receipt }: Counted, now: number): Receipt {
    const { clean, forget, until, locked } = counter
    const ends = endOf(counter)
    if (ends <= now) this.#forget.run(key)
    // A counter without failures has now as its time, since SQLite has no negative infinity.
    else this.#keep.run(key, Math.max(clean, now), forget, until, locked ? 1 : 0, ends)
    return receipt
  }
}
