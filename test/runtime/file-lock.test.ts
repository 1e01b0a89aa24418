// Locks between processes: exclusive, and taken over from processes that have ended.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireFileLock, lockHolder } from '../../src/runtime/file-lock.ts'
import { temporaryFolder } from '../servers/temporary.ts'

/** The number of a process that has ended. */
const endedProcess = async (): Promise<number> => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

const agedBy = async (path: string, ms: number): Promise<void> => {
  const at = new Date(Date.now() - ms)
  await utimes(path, at, at)
}

describe('a file lock', { concurrency: true }, () => {
  it('is a file with mode 0600 that excludes a second lock and is removed when released', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    {
      await using lock = await acquireFileLock(path, { wait: 0 })
      assert.ok(lock !== undefined)
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      assert.equal(await acquireFileLock(path, { wait: 0 }), undefined)
      assert.equal(await acquireFileLock(path, { wait: 60 }), undefined)
      assert.equal(await lock.isHeld(), true)
      assert.equal(await lockHolder(path), `process ${process.pid} on ${hostname()}`)
    }
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is held by one of 30 waiting callers at a time, and by each once', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    let [inside, most, done] = [0, 0, 0]
    const visit = async (): Promise<void> => {
      await using lock = await acquireFileLock(path, { wait: 60_000 })
      assert.ok(lock !== undefined)
      most = Math.max(most, ++inside)
      await sleep(2)
      inside--
      done++
    }
    await Promise.all(Array.from({ length: 30 }, visit))
    assert.deepEqual([most, done], [1, 30])
  })

  it('is acquired at once when its holder has ended', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await endedProcess()} ${hostname()} id\n`)
    await using lock = await acquireFileLock(path, { wait: 0 })
    assert.ok(lock !== undefined)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('is acquired by one of 20 callers when its holder has ended', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await endedProcess()} ${hostname()} id\n`)
    const locks = await Promise.all(
      Array.from({ length: 20 }, () => acquireFileLock(path, { wait: 0 })),
    )
    assert.equal(locks.filter((lock) => lock !== undefined).length, 1)
  })

  const HOLDERS: readonly { name: string; content: string; age: number; taken: boolean }[] = [
    {
      name: 'is left to a running process after 10 minutes',
      content: `${process.pid} ${hostname()} id\n`,
      age: 600_000,
      taken: false,
    },
    {
      name: 'is taken over from a running process after 16 minutes',
      content: `${process.pid} ${hostname()} id\n`,
      age: 1_000_000,
      taken: true,
    },
    {
      name: 'is left to a process of another machine after 1 minute',
      content: '1 elsewhere id\n',
      age: 60_000,
      taken: false,
    },
    {
      name: 'is taken over from a process of another machine after 3 minutes',
      content: '1 elsewhere id\n',
      age: 200_000,
      taken: true,
    },
    {
      name: 'is left to an unknown holder after 1 second',
      content: '',
      age: 1_000,
      taken: false,
    },
    {
      name: 'is taken over from an unknown holder after 3 minutes',
      content: '',
      age: 200_000,
      taken: true,
    },
    {
      name: 'is left to a holder whose file has a time in the future',
      content: '1 elsewhere id\n',
      age: -60_000,
      taken: false,
    },
  ]
  for (const { name, content, age, taken } of HOLDERS) {
    it(name, async () => {
      await using folder = await temporaryFolder()
      const path = folder.file('x.lock')
      await writeFile(path, content)
      await agedBy(path, age)
      await using lock = await acquireFileLock(path, { wait: 0 })
      assert.equal(lock !== undefined, taken)
      if (!taken) assert.equal(await readFile(path, 'utf8'), content)
    })
  }

  it('is taken over although another process was killed during its take-over', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await endedProcess()} ${hostname()} id\n`)
    await writeFile(`${path}.dead`, '')
    await agedBy(`${path}.dead`, 11_000)
    await using lock = await acquireFileLock(path, { wait: 0 })
    assert.ok(lock !== undefined)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('a file lock that was taken over is no longer held, and its release leaves the other lock in place', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    const lock = await acquireFileLock(path, { wait: 0 })
    await writeFile(path, 'another process\n')
    assert.equal(await lock?.isHeld(), false)
    await lock?.[Symbol.asyncDispose]()
    assert.equal(await readFile(path, 'utf8'), 'another process\n')
  })

  it('is acquired although every other file of the folder is removed during the wait', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    const first = await acquireFileLock(path, { wait: 0 })
    const second = acquireFileLock(path, { wait: 60_000 })
    for (let round = 0; round < 50; round += 1) {
      for (const name of await readdir(folder.path)) {
        if (name !== 'x.lock') await rm(folder.file(name), { force: true })
      }
      await sleep(2)
    }
    await first?.[Symbol.asyncDispose]()
    await using lock = await second
    assert.ok(lock !== undefined)
  })

  it('is no longer waited for after an abort', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await using _ = await acquireFileLock(path, { wait: 0 })
    const signal = AbortSignal.timeout(50)
    assert.equal(await acquireFileLock(path, { wait: 3_600_000, signal }), undefined)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('fails in a folder that does not exist', async () => {
    await using folder = await temporaryFolder()
    await assert.rejects(acquireFileLock(folder.file('none/x.lock'), { wait: 0 }), {
      code: 'ENOENT',
    })
  })
})
