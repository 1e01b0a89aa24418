// Turns: one process at a time, and none that has to wait for the dead.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeTurn } from '../../../../src/cli/login/cache/lock.ts'
import { temporaryFolder } from '../../../servers/temporary.ts'

/** The number of a process that has ended. */
const deadProcess = async (): Promise<number> => {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

const agedBy = async (path: string, ms: number): Promise<void> => {
  const at = new Date(Date.now() - ms)
  await utimes(path, at, at)
}

describe('a turn', { concurrency: true }, () => {
  it('is taken, and given back', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    {
      await using turn = await takeTurn(path, { wait: 0 })
      assert.ok(turn !== undefined)
      assert.equal((await stat(path)).mode & 0o777, 0o600)
      assert.equal(await takeTurn(path, { wait: 0 }), undefined)
      assert.equal(await takeTurn(path, { wait: 60 }), undefined)
    }
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('comes to each who waits, and never to two', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    let [inside, most, done] = [0, 0, 0]
    const visit = async (): Promise<void> => {
      await using turn = await takeTurn(path, { wait: 20_000 })
      assert.ok(turn !== undefined)
      most = Math.max(most, ++inside)
      await sleep(2)
      inside--
      done++
    }
    await Promise.all(Array.from({ length: 30 }, visit))
    assert.deepEqual([most, done], [1, 30])
  })

  it('is not waited for when whoever had it is dead', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await deadProcess()} ${hostname()} id\n`)
    await using turn = await takeTurn(path, { wait: 0 })
    assert.ok(turn !== undefined)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('comes to one of many who find a dead one', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await deadProcess()} ${hostname()} id\n`)
    const turns = await Promise.all(Array.from({ length: 20 }, () => takeTurn(path, { wait: 0 })))
    assert.equal(turns.filter((turn) => turn !== undefined).length, 1)
  })

  const HOLDERS: readonly {
    name: string
    text: string
    age: number
    taken: boolean
  }[] = [
    {
      name: 'somebody who lives',
      text: `${process.pid} ${hostname()} id\n`,
      age: 600_000,
      taken: false,
    },
    {
      name: 'somebody who lives, or has its number, for long',
      text: `${process.pid} ${hostname()} id\n`,
      age: 1_000_000,
      taken: true,
    },
    { name: 'another machine', text: '1 elsewhere id\n', age: 60_000, taken: false },
    { name: 'another machine, for long', text: '1 elsewhere id\n', age: 200_000, taken: true },
    { name: 'somebody who has not said who', text: '', age: 1_000, taken: false },
    { name: 'somebody who never said who', text: '', age: 200_000, taken: true },
    { name: 'somebody of the future', text: '1 elsewhere id\n', age: -60_000, taken: false },
  ]
  for (const { name, text, age, taken } of HOLDERS) {
    it(`${taken ? 'is taken from' : 'is left to'} ${name}`, async () => {
      await using folder = await temporaryFolder()
      const path = folder.file('x.lock')
      await writeFile(path, text)
      await agedBy(path, age)
      await using turn = await takeTurn(path, { wait: 0 })
      assert.equal(turn !== undefined, taken)
      if (!taken) assert.equal(await readFile(path, 'utf8'), text)
    })
  }

  it('is taken from a dead one though somebody was killed while he removed that', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await writeFile(path, `${await deadProcess()} ${hostname()} id\n`)
    await writeFile(`${path}.dead`, '')
    await agedBy(`${path}.dead`, 11_000)
    await using turn = await takeTurn(path, { wait: 0 })
    assert.ok(turn !== undefined)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('that was taken from us is not given back by us', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    const turn = await takeTurn(path, { wait: 0 })
    await writeFile(path, 'somebody else\n')
    await turn?.[Symbol.asyncDispose]()
    assert.equal(await readFile(path, 'utf8'), 'somebody else\n')
  })

  it('is waited for no longer when that is interrupted', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('x.lock')
    await using _ = await takeTurn(path, { wait: 0 })
    const began = performance.now()
    const signal = AbortSignal.timeout(50)
    assert.equal(await takeTurn(path, { wait: 60_000, signal }), undefined)
    assert.ok(performance.now() - began < 10_000)
    assert.deepEqual(await readdir(folder.path), ['x.lock'])
  })

  it('needs a folder', async () => {
    await using folder = await temporaryFolder()
    await assert.rejects(takeTurn(folder.file('none/x.lock'), { wait: 0 }), { code: 'ENOENT' })
  })
})
