// A state file from inside: how it is brought up to date, and how what has ended goes.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { Clock } from '../../../src/runtime/clock.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { SqliteAttempts } from '../../../src/state/sqlite/attempts.ts'
import type { StateDatabase } from '../../../src/state/sqlite/database.ts'
import { fileQuotas } from '../../../src/state/quotas.ts'
import { SqliteRecords } from '../../../src/state/sqlite/records.ts'
import { SqliteReplays } from '../../../src/state/sqlite/replays.ts'
import { migrate, MIGRATIONS } from '../../../src/state/sqlite/schema.ts'
import { sweeper } from '../../../src/state/sqlite/sweep.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { openFile } from './files.ts'

describe('a migration', () => {
  const FIRST = 'CREATE TABLE one (a TEXT)'
  const SECOND = "ALTER TABLE one ADD COLUMN b TEXT DEFAULT 'new'"

  const opened = (): DatabaseSync => new DatabaseSync(':memory:')

  it('goes through what a file has not been through, once, and keeps what is in it', () => {
    using database = opened()
    migrate(database, [FIRST])
    database.exec("INSERT INTO one VALUES ('kept')")
    migrate(database, [FIRST])
    migrate(database, [FIRST, SECOND])
    migrate(database, [FIRST, SECOND])
    assert.deepEqual({ ...database.prepare('SELECT * FROM one').get() }, { a: 'kept', b: 'new' })
    assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], 2)
  })

  it('refuses what a later version wrote, and what another program wrote', () => {
    using later = opened()
    migrate(later, [FIRST, SECOND])
    assert.throws(
      () => migrate(later, [FIRST]),
      /a later version of Countersign wrote it \(2; .*1\)/,
    )
    using foreign = opened()
    foreign.exec('PRAGMA application_id = 7')
    assert.throws(() => migrate(foreign, [FIRST]), /belongs to another program/)
  })

  it('of records from before there were kinds takes them for logins, and counts them', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    const before = new DatabaseSync(file)
    migrate(before, MIGRATIONS.slice(0, 1))
    const text = 'x'.repeat(40_000)
    before.prepare("INSERT INTO records (key, text, ends) VALUES ('a', ?, 9e15)").run(text)
    before.close()
    using database = await openFile(file)
    const records = new SqliteRecords(database, fileQuotas(100_000)) // half of it for logins
    const login = { text: 'x'.repeat(10_000), kind: 'login', lifetime: 1_000 } as const
    await assert.rejects(records.put('b', login), /no room left for records of the kind "login"/)
    await records.put('c', { ...login, kind: 'anonymous', text: '' })
    assert.equal((await records.get('a'))?.text, text)
    await records.remove(['a'])
    await records.put('b', login)
  })

  it('is whole or is not', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    using database = new DatabaseSync(file)
    const half = ['CREATE TABLE one (a TEXT); CREATE TABLE one (a TEXT)']
    database.exec('BEGIN IMMEDIATE')
    assert.throws(() => migrate(database, half), /already exists/)
    database.exec('ROLLBACK')
    using state = await openFile(file) // as if nothing had been
    assert.ok(state.now() > 0)
  })
})

const rowsIn = (database: StateDatabase): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    ['records', 'memberships', 'counters', 'notes', 'uses'].map((table) => [
      table,
      database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count'],
    ]),
  )

const COUNT = 350

const fill = async (database: StateDatabase, lifetime: number, name: string): Promise<void> => {
  const records = new SqliteRecords(database, fileQuotas(1e9))
  const attempts = new SqliteAttempts(database)
  const keys = new DerivedKeys()
  const replays = new SqliteReplays(database, keys)
  const pace = { attempts: 3, backOff: 1, lockAfter: 5, lockFor: 1, forget: lifetime }
  for (let index = 0; index < COUNT; index += 1) {
    const key = `${name} ${index}`
    await records.put(key, { text: 'x', kind: 'login', lifetime }, ['all'])
    await attempts.take([{ key, pace, binding: true, weight: 1 }])
    await attempts.remember({ key, text: 'x', lifetime, retained: false })
    await replays.use(key, database.now() + lifetime)
  }
}

describe('what has ended', () => {
  it('goes from the file, and nothing else does', async () => {
    await using folder = await temporaryFolder()
    const clock = new FakeClock()
    using database = await openFile(folder.file('state.db'), { clock })
    await fill(database, 1_000, 'short')
    await fill(database, 60_000, 'long')
    const sweep = sweeper(database)
    await sweep()
    const all = { records: 700, memberships: 700, counters: 700, notes: 700, uses: 700 }
    assert.deepEqual(rowsIn(database), all)
    clock.advance(1_000)
    await sweep()
    const half = { records: 350, memberships: 350, counters: 350, notes: 350, uses: 350 }
    assert.deepEqual(rowsIn(database), half)
    clock.advance(59_000)
    await sweep()
    const none = { records: 0, memberships: 0, counters: 0, notes: 0, uses: 0 }
    assert.deepEqual(rowsIn(database), none)
  })

  it('proceeds in steps between which other work is done', async () => {
    await using folder = await temporaryFolder()
    const clock = new FakeClock()
    using database = await openFile(folder.file('state.db'), { clock })
    await fill(database, 1_000, 'short')
    clock.advance(1_000)
    let turns = 0
    let swept = false
    const turn = (): void => {
      turns += 1
      if (!swept) setImmediate(turn)
    }
    setImmediate(turn)
    await sweeper(database)()
    swept = true
    assert.ok(turns >= 3, `${turns}`)
  })
})

describe('a use that was forgotten', () => {
  it('is not called new when the clock is set back, by this process or the next', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('state.db')
    let now = 1_000_000
    const clock: Clock = { now: () => now, monotonic: () => performance.now() }
    const keys = new DerivedKeys()
    const useIn = async (database: StateDatabase, id: string, until: number): Promise<string> =>
      (await new SqliteReplays(database, keys).use(id, until)).outcome
    {
      using database = await openFile(file, { clock })
      assert.equal(await useIn(database, 'a', 1_060_000), 'first')
      assert.equal(await useIn(database, 'b', 1_130_000), 'first')
      now = 1_070_000
      await sweeper(database)()
      assert.equal(rowsIn(database)['uses'], 1)
      now = 1_000_000
      assert.equal(await useIn(database, 'a', 1_060_000), 'repeated')
    }
    using database = await openFile(file, { clock })
    assert.equal(await useIn(database, 'a', 1_060_000), 'repeated')
    assert.equal(await useIn(database, 'b', 1_130_000), 'repeated')
    assert.equal(await useIn(database, 'c', 1_060_001), 'first')
  })
})
