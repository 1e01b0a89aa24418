// Work for many callers: so much at a time, each caller in turn.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FairLimiter, type FairLimiterOptions, type Lane } from '../../src/runtime/fair-limiter.ts'

const FOREVER = new AbortController().signal

/** A limiter, and work that ends when a test says so. */
const open = (options: Partial<FairLimiterOptions> = {}) => {
  const limiter = new FairLimiter({ name: 'questions', concurrency: 2, waiting: 10, ...options })
  const begun: string[] = []
  const running: (() => void)[] = []
  const start = (caller: string, name: string, lane?: Lane, signal = FOREVER): Promise<string> =>
    limiter.run(
      caller,
      signal,
      async () => {
        begun.push(name)
        const { promise, resolve } = Promise.withResolvers<void>()
        running.push(resolve)
        await promise
        return name
      },
      lane,
    )
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  }
  /** Ends the piece of work that has run for longest. */
  const endOne = async (): Promise<void> => {
    running.shift()?.()
    await settle()
  }
  return { limiter, begun, start, endOne, settle }
}

const outcomeOf = async (work: Promise<string>): Promise<string> =>
  await work.catch((cause: unknown) => (cause instanceof Error ? cause.message : 'no error'))

describe('a limiter', () => {
  it('takes callers in turn, however much one of them waits for', async () => {
    const { begun, start, endOne, settle } = open({ concurrency: 1 })
    for (let index = 0; index < 5; index += 1) void start('mallory', `m${index}`)
    void start('alice', 'a0')
    void start('bob', 'b0')
    void start('alice', 'a1')
    await settle()
    for (let index = 0; index < 8; index += 1) await endOne()
    assert.deepEqual(begun, ['m0', 'm1', 'a0', 'b0', 'm2', 'a1', 'm3', 'm4'])
  })

  it('lets no caller past those that wait', async () => {
    const { begun, start, endOne, settle } = open({ concurrency: 1 })
    void start('alice', 'a')
    void start('bob', 'b')
    await settle()
    await endOne()
    void start('mallory', 'm')
    await settle()
    assert.deepEqual(begun, ['a', 'b'])
  })

  it('refuses what is beyond its queue, of the caller who waits for most', async () => {
    const { limiter, start } = open({ concurrency: 1, waiting: 4 })
    void start('mallory', 'm')
    const waits = Array.from({ length: 4 }, (_, index) => start('mallory', `m${index}`))
    assert.equal(await outcomeOf(start('mallory', 'm5')), '4 questions wait already')
    void start('alice', 'a')
    assert.equal(await outcomeOf(waits[3] ?? start('', '')), '4 questions wait already')
    assert.equal(limiter.waiting, 4)
  })

  it('keeps places for preferred work, which may take every other place too', async () => {
    const { begun, start, settle } = open({ concurrency: 3, reserved: 1 })
    for (const name of ['o0', 'o1', 'o2']) void start('mallory', name)
    void start('alice', 'p0', 'preferred')
    await settle()
    assert.deepEqual(begun, ['o0', 'o1', 'p0'])
    const other = open({ concurrency: 3, reserved: 1 })
    for (const name of ['p0', 'p1', 'p2']) void other.start('alice', name, 'preferred')
    await other.settle()
    assert.deepEqual(other.begun, ['p0', 'p1', 'p2'])
  })

  it('leaves ordinary work a turn among preferred work', async () => {
    const { begun, start, endOne, settle } = open({ concurrency: 1 })
    void start('first', 'first')
    for (let index = 0; index < 8; index += 1) void start('alice', `p${index}`, 'preferred')
    void start('bob', 'o0')
    void start('bob', 'o1')
    await settle()
    for (let index = 0; index < 10; index += 1) await endOne()
    assert.deepEqual(
      begun.flatMap((name, index) => (name.startsWith('o') ? [index] : [])),
      [4, 8],
    )
  })

  it('forgets who left while waiting', async () => {
    const { limiter, begun, start, endOne, settle } = open({ concurrency: 1 })
    void start('alice', 'a')
    const leaving = new AbortController()
    const left = outcomeOf(start('bob', 'b', 'ordinary', leaving.signal))
    void start('carol', 'c')
    await settle()
    leaving.abort(new Error('gone'))
    assert.equal(await left, 'gone')
    assert.equal(limiter.waiting, 1)
    await endOne()
    assert.deepEqual(begun, ['a', 'c'])
  })

  it('gives the place of work that failed to the next', async () => {
    const { limiter } = open({ concurrency: 1 })
    const failed = limiter.run('alice', FOREVER, () => Promise.reject(new Error('no')))
    const next = limiter.run('bob', FOREVER, () => Promise.resolve('done'))
    await assert.rejects(failed, /no/)
    assert.equal(await next, 'done')
  })

  it('begins work no faster than its pace', async () => {
    let left = 2
    const pace = { delay: () => (left > 0 ? 0 : 5), begin: () => void (left -= 1) }
    const { begun, start, settle, endOne } = open({ concurrency: 10, pace })
    const last = ['a', 'b', 'c', 'd'].map((name) => start(name, name)).at(-1)
    await settle()
    assert.deepEqual(begun, ['a', 'b'])
    left = 2
    while (begun.length < 4) await new Promise((resume) => setTimeout(resume, 1))
    for (let index = 0; index < 4; index += 1) await endOne()
    assert.equal(await last, 'd')
  })
})
