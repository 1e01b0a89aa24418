// Records in a state file.

import type { StatementSync } from 'node:sqlite'
import { fullOf, type KindUsage, type Quotas } from '../quotas.ts'
import {
  RECORD_KINDS,
  yields,
  type NewRecord,
  type RecordKind,
  type RecordStore,
  type StoredRecord,
} from '../record-store.ts'
import type { StateDatabase } from './database.ts'
import { NUMBERS } from './schema.ts'

/** A {@link RecordStore} that processes of one machine share, and that survives them. */
export class SqliteRecords implements RecordStore {
  readonly #database: StateDatabase
  readonly #quotas: Quotas
  readonly #statements: ReturnType<typeof prepareAll>
  #dropped = 0

  constructor(database: StateDatabase, quotas: Quotas) {
    this.#database = database
    this.#quotas = quotas
    this.#statements = prepareAll(database)
  }

  /** How many records of clients without a login this process evicted before their end. */
  get dropped(): number {
    return this.#dropped
  }

  /** How much of its room each kind takes, by the file's own count; empty where the file cannot be read. */
  get usage(): readonly KindUsage[] {
    try {
      return RECORD_KINDS.map((kind) => ({
        kind,
        bytes: Number(this.#statements.usage.get(NUMBERS[kind])?.['bytes'] ?? 0),
        maxBytes: this.#quotas[kind].bytes,
      }))
    } catch {
      return [] // the operations of requests report it
    }
  }

  async put(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<void> {
    await this.#database.transaction('put', () => {
      this.#statements.remove.run(key)
      this.#insert(key, record, indexes, this.#database.now())
    })
  }

  async add(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<boolean> {
    return await this.#database.transaction('add', () => {
      const now = this.#database.now()
      if (this.#statements.get.get(key, now) !== undefined) return false
      this.#statements.remove.run(key)
      this.#insert(key, record, indexes, now)
      return true
    })
  }

  async replace(key: string, before: string, { text, lifetime }: StoredRecord): Promise<boolean> {
    return await this.#database.transaction('replace', () => {
      const now = this.#database.now()
      const more = sizeOf(text) - sizeOf(before)
      const row = this.#statements.replace.get(text, now + lifetime, more, key, before, now)
      if (row === undefined) return false
      if (more > 0) this.#keepWithin(kindAt(Number(row['kind'])), Number(row['bytes']))
      return true
    })
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return await this.#database.run('get', () => {
      const now = this.#database.now()
      return recordOf(this.#statements.get.get(key, now), now)
    })
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    return await this.#database.run('take', () => {
      const now = this.#database.now()
      return recordOf(this.#statements.take.get(key), now)
    })
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#database.transaction('remove', () => {
      for (const key of keys) this.#statements.remove.run(key)
    })
  }

  async keysIn(index: string): Promise<readonly string[]> {
    return await this.#database.run('keysIn', () =>
      this.#statements.keysIn.all(index, this.#database.now()).map(({ key }) => String(key)),
    )
  }

  async countIn(index: string): Promise<number> {
    const { count, beginCounting } = this.#statements
    const counted = await this.#database.run('count', () => count.get(index, this.#database.now()))
    if (counted !== undefined) return Number(counted['count'])
    await this.#database.run('begin-counting', () => beginCounting.run(index))
    return await this.countIn(index)
  }

  /** Inside a transaction, which a refusal rolls back. */
  #insert(key: string, record: NewRecord, indexes: readonly string[], now: number): void {
    const { text, kind, lifetime } = record
    const bytes = sizeOf(text) + indexes.length * MEMBERSHIP
    const { insert, join } = this.#statements
    const { lastInsertRowid } = insert.run(key, text, now + lifetime, NUMBERS[kind], bytes)
    for (const index of indexes) join.run(index, lastInsertRowid)
    this.#keepWithin(kind, bytes)
  }

  /** @throws CountersignError `overloaded` where a kind exceeds its quota */
  #keepWithin(kind: RecordKind, written: number): void {
    const { usage, dropEnded } = this.#statements
    const { bytes: room } = this.#quotas[kind]
    const isOver = (): boolean => Number(usage.get(NUMBERS[kind])?.['bytes']) > room
    while (isOver()) {
      if (dropEnded.run(this.#database.now()).changes !== 0) continue
      // The record that was just written would be the last to be evicted.
      if (!yields(kind) || written > room) throw fullOf(kind)
      const dropOldest = this.#statements[kind === 'public' ? 'dropPublic' : 'dropAnonymous']
      this.#dropped += Number(dropOldest.run().changes)
    }
  }
}

// The size of a row and its entries in indexes besides the text, with keys that are hashes; and, for a text that is
// not small compared with a page, the unused rest of its pages (measured).
const ROW = 400
const MEMBERSHIP = 250
const SMALL = 500
const REST = 1_000

const sizeOf = ({ length }: string): number => ROW + length + (length > SMALL ? REST : 0)

const kindAt = (number: number): RecordKind => {
  const kind = RECORD_KINDS.find((one) => NUMBERS[one] === number)
  if (kind === undefined) throw new TypeError(`no kind of record has the number ${number}`)
  return kind
}

const prepareAll = (database: StateDatabase) => {
  const prepare = (sql: string): StatementSync => database.prepare(sql)
  return {
    insert: prepare('INSERT INTO records (key, text, ends, kind, bytes) VALUES (?, ?, ?, ?, ?)'),
    join: prepare('INSERT OR IGNORE INTO memberships (name, record) VALUES (?, ?)'),
    replace: prepare(
      'UPDATE records SET text = ?, ends = ?, bytes = bytes + ? WHERE key = ? AND text = ? AND ends > ? RETURNING kind, bytes',
    ),
    get: prepare('SELECT text, ends FROM records WHERE key = ? AND ends > ?'),
    take: prepare('DELETE FROM records WHERE key = ? RETURNING text, ends'),
    remove: prepare('DELETE FROM records WHERE key = ?'),
    keysIn: prepare(
      'SELECT key FROM memberships JOIN records ON id = record WHERE name = ? AND ends > ?',
    ),
    // Without those that are not yet swept, which takes a second: bounded where authz did not run for long.
    count: prepare(`
      SELECT members - (
        SELECT count(*) FROM (SELECT id FROM records WHERE ends <= ?2 LIMIT 1000)
        WHERE EXISTS (SELECT 1 FROM memberships WHERE name = ?1 AND record = id)
      ) AS count FROM counted_sets WHERE name = ?1
    `),
    // Once in the life of the file; afterwards the triggers count.
    beginCounting: prepare(
      'INSERT OR IGNORE INTO counted_sets SELECT ?1, count(*) FROM memberships WHERE name = ?1',
    ),
    usage: prepare('SELECT bytes FROM usage WHERE kind = ?'),
    dropEnded: prepare(
      'DELETE FROM records WHERE id IN (SELECT id FROM records WHERE ends <= ? LIMIT 100)',
    ),
    dropAnonymous: prepare(oldestOf('anonymous')),
    dropPublic: prepare(oldestOf('public')),
  }
}

// The number is in the text of the statement, so that the index of the kind is used.
const oldestOf = (kind: 'anonymous' | 'public'): string =>
  `DELETE FROM records WHERE id = (SELECT id FROM records WHERE kind = ${NUMBERS[kind]} ORDER BY id LIMIT 1)`

const recordOf = (row: ReturnType<StatementSync['get']>, now: number): StoredRecord | undefined => {
  const lifetime = Number(row?.['ends']) - now
  return lifetime > 0 ? { text: String(row?.['text']), lifetime } : undefined
}
