// Records in a state file.

import type { StatementSync } from 'node:sqlite'
import type { RecordStore, StoredRecord } from '../record-store.ts'
import type { StateDatabase } from './database.ts'

/** A {@link RecordStore} that processes of one machine share, and that survives them. */
export class SqliteRecords implements RecordStore {
  readonly #database: StateDatabase
  readonly #put: StatementSync
  readonly #insert: StatementSync
  readonly #join: StatementSync
  readonly #end: StatementSync
  readonly #replace: StatementSync
  readonly #get: StatementSync
  readonly #take: StatementSync
  readonly #remove: StatementSync
  readonly #keysIn: StatementSync

  constructor(database: StateDatabase) {
    this.#database = database
    const prepare = (sql: string): StatementSync => database.prepare(sql)
    // REPLACE removes what was there, and its memberships with it.
    this.#put = prepare('INSERT OR REPLACE INTO records (key, text, ends) VALUES (?, ?, ?)')
    this.#insert = prepare('INSERT OR IGNORE INTO records (key, text, ends) VALUES (?, ?, ?)')
    this.#join = prepare('INSERT OR IGNORE INTO memberships (name, record) VALUES (?, ?)')
    this.#end = prepare('DELETE FROM records WHERE key = ? AND ends <= ?')
    this.#replace = prepare(
      'UPDATE records SET text = ?, ends = ? WHERE key = ? AND text = ? AND ends > ?',
    )
    this.#get = prepare('SELECT text, ends FROM records WHERE key = ? AND ends > ?')
    this.#take = prepare('DELETE FROM records WHERE key = ? RETURNING text, ends')
    this.#remove = prepare('DELETE FROM records WHERE key = ?')
    this.#keysIn = prepare(
      'SELECT key FROM memberships JOIN records ON id = record WHERE name = ? AND ends > ?',
    )
  }

  async put(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<void> {
    const write = (): void => {
      const ends = this.#database.now() + record.lifetime
      this.#joinAll(this.#put.run(key, record.text, ends).lastInsertRowid, indexes)
    }
    await (indexes.length === 0
      ? this.#database.run('put', write)
      : this.#database.transaction('put', write))
  }

  async add(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<boolean> {
    return await this.#database.transaction('add', () => {
      const now = this.#database.now()
      this.#end.run(key, now)
      const { changes, lastInsertRowid } = this.#insert.run(key, record.text, now + record.lifetime)
      if (changes === 0) return false
      this.#joinAll(lastInsertRowid, indexes)
      return true
    })
  }

  async replace(key: string, before: string, { text, lifetime }: StoredRecord): Promise<boolean> {
    return await this.#database.run('replace', () => {
      const now = this.#database.now()
      return this.#replace.run(text, now + lifetime, key, before, now).changes === 1
    })
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return await this.#database.run('get', () => {
      const now = this.#database.now()
      return recordOf(this.#get.get(key, now), now)
    })
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    return await this.#database.run('take', () => {
      const now = this.#database.now()
      return recordOf(this.#take.get(key), now)
    })
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#database.transaction('remove', () => {
      for (const key of keys) this.#remove.run(key)
    })
  }

  async keysIn(index: string): Promise<readonly string[]> {
    return await this.#database.run('keysIn', () =>
      this.#keysIn.all(index, this.#database.now()).map(({ key }) => String(key)),
    )
  }

  #joinAll(record: number | bigint, indexes: readonly string[]): void {
    for (const index of indexes) this.#join.run(index, record)
  }
}

const recordOf = (row: ReturnType<StatementSync['get']>, now: number): StoredRecord | undefined => {
  const lifetime = Number(row?.['ends']) - now
  return lifetime > 0 ? { text: String(row?.['text']), lifetime } : undefined
}
