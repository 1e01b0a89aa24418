// Attempts in a state file under a flood.
//
// Slow: it floods a store for seconds.

import { randomUUID } from 'node:crypto'
import { after } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { SqliteAttempts } from '../../../src/state/sqlite/attempts.ts'
import { sweeper } from '../../../src/state/sqlite/sweep.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { attemptsUnderFlood } from '../attempts-flood.ts'
import { openFile } from './files.ts'

const MEBIBYTE = 1024 * 1024
// An entry is counted as 250 bytes and more.
const MOST_ENTRIES = MEBIBYTE / 8 / 250

const folder = await temporaryFolder()
after(() => folder[Symbol.asyncDispose]())

attemptsUnderFlood('SqliteAttempts', async () => {
  const clock = new FakeClock()
  const file = folder.file(`${randomUUID()}.db`)
  const database = await openFile(file, { clock, maxBytes: MEBIBYTE })
  const reader = new DatabaseSync(file, { readOnly: true })
  after(() => {
    reader.close()
    database[Symbol.dispose]()
  })
  const sweep = sweeper(database)
  const count = reader.prepare(
    'SELECT (SELECT count(*) FROM counters) + (SELECT count(*) FROM notes) AS entries',
  )
  return {
    store: new SqliteAttempts(database),
    async pass(milliseconds) {
      clock.advance(milliseconds)
      await sweep()
    },
    size: () => Promise.resolve(Number(count.get()?.['entries'])),
    mostEntries: MOST_ENTRIES,
  }
})
