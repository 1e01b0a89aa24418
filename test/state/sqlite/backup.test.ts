// The copy of a state file: complete while another connection writes, and refused where it would replace something.

import assert from 'node:assert/strict'
import { globSync, statSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { backUp } from '../../../src/state/sqlite/backup.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

describe('the backup of a state file', () => {
  it('has what was committed, and not the transaction that another process has begun', async () => {
    await using folder = await temporaryFolder()
    using database = new DatabaseSync(folder.file('state.db'))
    database.exec('PRAGMA journal_mode = WAL; PRAGMA user_version = 3; CREATE TABLE t (n INTEGER)')
    database.exec('INSERT INTO t VALUES (1)')
    database.exec('BEGIN IMMEDIATE; INSERT INTO t VALUES (2)')
    const bytes = backUp(folder.file('state.db'), folder.file('copy.db'))
    database.exec('COMMIT')
    using copy = new DatabaseSync(folder.file('copy.db'))
    assert.deepEqual(
      copy
        .prepare('SELECT n FROM t')
        .all()
        .map(({ n }) => n),
      [1],
    )
    assert.equal(copy.prepare('PRAGMA user_version').get()?.['user_version'], 3)
    const { size, mode } = statSync(folder.file('copy.db'))
    assert.deepEqual([size, mode % 0o1000], [bytes, 0o600])
  })

  it('replaces no file, and leaves none behind after a failure', async () => {
    await using folder = await temporaryFolder()
    writeFileSync(folder.file('state.db'), 'not a database')
    writeFileSync(folder.file('copy.db'), 'kept')
    const refusal = (message: RegExp) => ({ name: 'CountersignError', message })
    const copyOf = (file: string, output: string) => () =>
      backUp(folder.file(file), folder.file(output))
    assert.throws(copyOf('state.db', 'copy.db'), refusal(/copy\.db exists already/))
    assert.throws(copyOf('absent.db', 'new.db'), refusal(/absent\.db does not exist yet/))
    assert.throws(copyOf('state.db', 'new.db'), refusal(/it is not a database/))
    assert.throws(copyOf('state.db', 'no/new.db'), refusal(/no\/new\.db|not a database/))
    const left = globSync(folder.file('*')).map((path) => basename(path))
    assert.deepEqual(left.toSorted(), ['copy.db', 'state.db'])
  })
})
