// What a reopening costs the checks that wait meanwhile.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { rename } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { describe, it, type TestContext } from 'node:test'
import { JsonLinesSink } from '../../src/audit/sink.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { loaded } from '../tools/audit-log/logs.ts'

/** The calls of functions of `node:fs` from now on, to the end of the test. */
const watched = (test: TestContext) => {
  const fsync = test.mock.method(fs, 'fsync')
  const readSync = test.mock.method(fs, 'readSync')
  syncBuiltinESMExports()
  test.after(() => {
    test.mock.restoreAll()
    syncBuiltinESMExports()
  })
  return { fsync: fsync.mock, readSync: readSync.mock }
}

describe('an audit file that is opened anew', () => {
  it('is read at its end only', async (test) => {
    await using folder = await temporaryFolder()
    using sink = new JsonLinesSink(folder.file('audit.jsonl'))
    const events = Array.from({ length: 5_000 }, (_, index) => sink.write(loaded(index)))
    await Promise.all(events)
    const { readSync } = watched(test)
    sink.reopen()
    const bytes = readSync.calls.reduce((sum, { result }) => sum + (result ?? 0), 0)
    assert.ok(bytes > 0 && bytes <= 65_536 + 1_024, `${bytes} bytes`)
  })

  it('is not sent to the disk where it is the same', async (test) => {
    await using folder = await temporaryFolder()
    using sink = new JsonLinesSink(folder.file('audit.jsonl'))
    await sink.write(loaded(1))
    const { fsync } = watched(test)
    sink.reopen()
    assert.equal(fsync.callCount(), 0)
  })

  it('is sent to the disk where it was rotated away', async (test) => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    using sink = new JsonLinesSink(path)
    await sink.write(loaded(1))
    const { fsync } = watched(test)
    await rename(path, folder.file('audit.jsonl.1'))
    sink.reopen()
    assert.equal(fsync.callCount(), 1)
  })
})
