// The lock of a folder: what it reports.

import assert from 'node:assert/strict'
import { readdir, utimes } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { LOCK_FILE, lockFolder } from '../../src/cli/folder-lock.ts'
import { temporaryFolder } from '../servers/temporary.ts'

describe('the lock of a folder', () => {
  it('names its holder and its file when it is not released in time', async () => {
    await using folder = await temporaryFolder()
    await using _ = await lockFolder(folder.path)
    await assert.rejects(lockFolder(folder.path, { wait: 60 }), {
      code: 'usage',
      message: new RegExp(
        `is being changed by another command \\(process ${process.pid} on .*\\); try again\\. If no command is running, remove .*/\\.lock$`,
      ),
    })
    assert.deepEqual(await readdir(folder.path), [LOCK_FILE])
  })

  it('refuses a change after another command has taken it over', async () => {
    await using folder = await temporaryFolder()
    await using slow = await lockFolder(folder.path)
    const then = new Date(Date.now() - 120_000)
    await utimes(folder.file(LOCK_FILE), then, then)
    await using other = await lockFolder(folder.path)
    await assert.rejects(slow.confirm(), {
      code: 'usage',
      message: /was changed by another command meanwhile; nothing was changed/,
    })
    await slow[Symbol.asyncDispose]()
    await other.confirm() // whose lock the first one has not removed
  })
})
