// Stores as an attacker who can write them sees them: rows of a file, keys of a Redis. Only what a backup
// has is read.

import { randomUUID } from 'node:crypto'
import { copyFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { Redis } from '../servers/redis.ts'

/** What an attacker does with a store that they can write, without the secret. */
export interface Tampering {
  /** Copies all of it; the result puts back what is not there any more, or was changed. */
  copyRecords(): Promise<() => Promise<void>>
  /** Copies all of it; the result puts back the whole. */
  copyAll(): Promise<() => Promise<void>>
  empty(): Promise<void>
}

/** With a state file. */
export const tamperingWithFile = (file: string): Tampering => {
  const tables = ['memberships', 'records']
  const copy = async (): Promise<DatabaseSync> => {
    const database = new DatabaseSync(file)
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    database.close()
    const name = `${file}.${randomUUID()}`
    await copyFile(file, name)
    return new DatabaseSync(name)
  }
  const putBack = (
    from: DatabaseSync,
    { whole, isHead }: { readonly whole: boolean; readonly isHead: (ends: number) => boolean },
  ): void => {
    using database = new DatabaseSync(file)
    if (whole) for (const table of tables) database.exec(`DELETE FROM ${table}`)
    const insert = database.prepare(
      'INSERT OR REPLACE INTO records (id, key, text, ends, kind, bytes) VALUES (?, ?, ?, ?, ?, ?)',
    )
    for (const row of from.prepare('SELECT * FROM records').all()) {
      if (!whole && isHead(Number(row['ends']))) continue
      const { id, key, text, ends, kind, bytes } = row
      insert.run(id ?? null, key ?? null, text ?? null, ends ?? null, kind ?? null, bytes ?? null)
    }
    const join = database.prepare('INSERT OR IGNORE INTO memberships VALUES (?, ?)')
    for (const { name, record } of from.prepare('SELECT * FROM memberships').all()) {
      join.run(name ?? null, record ?? null)
    }
  }
  // A record with a lifetime of a century is not a record of a login.
  const isHead = (ends: number): boolean => ends > Date.now() + 1e12
  return {
    async copyRecords() {
      const from = await copy()
      return async () => putBack(from, { whole: false, isHead })
    },
    async copyAll() {
      const from = await copy()
      return async () => putBack(from, { whole: true, isHead })
    },
    async empty() {
      using database = new DatabaseSync(file)
      for (const table of tables) database.exec(`DELETE FROM ${table}`)
    },
  }
}

/** With a Redis. */
export const tamperingWithRedis = (server: Redis): Tampering => {
  // redis-cli writes binary values with escapes, which a script need not.
  const script = (text: string): Promise<string> => server.command('EVAL', text, '0')
  const save = (name: string): Promise<string> =>
    script(`for _, key in ipairs(redis.call('KEYS', 'countersign:*')) do
      redis.call('HSET', '${name}', key, redis.call('DUMP', key))
      redis.call('HSET', '${name}:ttl', key, math.max(0, redis.call('PTTL', key)))
    end`)
  const load = (name: string, condition: string): Promise<string> =>
    script(`local saved = redis.call('HGETALL', '${name}')
    for index = 1, #saved, 2 do
      local ttl = redis.call('HGET', '${name}:ttl', saved[index])
      if ${condition} then
        redis.call('RESTORE', saved[index], ttl, saved[index + 1], 'REPLACE')
      end
    end`)
  let count = 0
  const clear = (): Promise<string> =>
    script(
      `for _, key in ipairs(redis.call('KEYS', 'countersign:*')) do redis.call('DEL', key) end`,
    )
  return {
    async copyRecords() {
      const name = `saved:${(count += 1)}`
      await save(name)
      return async () => void (await load(name, 'tonumber(ttl) < 1000000000000'))
    },
    async copyAll() {
      const name = `saved:${(count += 1)}`
      await save(name)
      return async () => {
        await clear()
        await load(name, 'true')
      }
    },
    empty: async () => void (await clear()),
  }
}
