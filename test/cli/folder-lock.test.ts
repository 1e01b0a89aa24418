// One command at a time: waiting, giving up, and what becomes of the lock of a command that died.

import assert from 'node:assert/strict'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOCK_FILE, lockFolder } from '../../src/cli/folder-lock.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const usage = (message: RegExp) => ({ code: 'usage', message })

/** Makes a file as old as a command that died two minutes ago has left it. */
const age = async (path: string): Promise<void> => {
  const then = new Date(Date.now() - 120_000)
  await utimes(path, then, then)
}

describe('a lock', () => {
  it('says whose it is, and is gone afterwards', async () => {
    await using folder = await temporaryFolder()
    {
      await using lock = await lockFolder(folder.path)
      await lock.confirm()
      assert.match(
        await readFile(folder.file(LOCK_FILE), 'utf8'),
        new RegExp(`^process ${process.pid} on `),
      )
    }
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is one command’s at a time, and each gets its turn', async () => {
    await using folder = await temporaryFolder()
    let inside = 0
    const turns = Array.from({ length: 8 }, async () => {
      await using lock = await lockFolder(folder.path)
      inside += 1
      assert.equal(inside, 1)
      await sleep(5)
      await lock.confirm()
      inside -= 1
    })
    await Promise.all(turns)
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is waited for, and not for ever', async () => {
    await using folder = await temporaryFolder()
    await using _ = await lockFolder(folder.path)
    await assert.rejects(
      lockFolder(folder.path, { wait: 60 }),
      usage(
        new RegExp(
          `is being changed by another command \\(process ${process.pid} on .*\\); try again\\. If there is none, remove .*/\\.lock$`,
        ),
      ),
    )
    assert.deepEqual(await readdir(folder.path), [LOCK_FILE])
  })

  it('of a command that died is taken over, by one of many', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file(LOCK_FILE), '')
    await age(folder.file(LOCK_FILE))
    let inside = 0
    const turns = Array.from({ length: 8 }, async () => {
      await using lock = await lockFolder(folder.path)
      inside += 1
      assert.equal(inside, 1)
      await sleep(5)
      await lock.confirm()
      inside -= 1
    })
    await Promise.all(turns)
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('that was taken over is no longer ours: nothing may be done with it', async () => {
    await using folder = await temporaryFolder()
    await using slow = await lockFolder(folder.path)
    await age(folder.file(LOCK_FILE))
    await using other = await lockFolder(folder.path)
    await assert.rejects(
      slow.confirm(),
      usage(/was changed by another command meanwhile; nothing is done/),
    )
    await slow[Symbol.asyncDispose]()
    await other.confirm() // which did not go with the end of the slow one
  })

  it('of a folder that is not there is none', async () => {
    await assert.rejects(lockFolder('/nowhere/at/all'), { code: 'ENOENT' })
  })
})
