// How many RADIUS requests are under way, and how many wait.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RequestLimiter } from '../../../src/clients/radius/limiter.ts'

const FOREVER = new AbortController().signal

describe('the limiter of RADIUS requests', () => {
  const hold = (limiter: RequestLimiter, limit = 1_000, signal = FOREVER) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { done: limiter.run('a', limit, signal, () => promise), leave: resolve }
  }

  it('begins waiting work in the order in which it arrived', async () => {
    const limiter = new RequestLimiter(1, 2)
    const order: number[] = []
    const work = [1, 2, 3].map((number) =>
      limiter.run('a', 1_000, FOREVER, async () => {
        await delay(5)
        order.push(number)
      }),
    )
    await Promise.all(work)
    assert.deepEqual(order, [1, 2, 3])
  })

  it('refuses work beyond its queue, and work that waited longer than its limit', async () => {
    const limiter = new RequestLimiter(1, 1)
    const inside = hold(limiter)
    const waiting = limiter.run('a', 20, FOREVER, async () => 'in')
    await assert.rejects(
      limiter.run('a', 20, FOREVER, async () => 'in'),
      { reason: 'overloaded' },
    )
    await assert.rejects(waiting, { reason: 'overloaded' })
    inside.leave()
    await inside.done
    assert.equal(await limiter.run('a', 20, FOREVER, async () => 'in'), 'in')
  })

  it('does not count work whose caller aborted while it waited', async () => {
    const limiter = new RequestLimiter(1, 1)
    const inside = hold(limiter)
    const caller = new AbortController()
    const waiting = limiter.run('a', 1_000, caller.signal, async () => 'in')
    caller.abort(new Error('aborted'))
    await assert.rejects(waiting, /aborted/)
    inside.leave()
    await inside.done
    assert.equal(await limiter.run('a', 20, FOREVER, async () => 'in'), 'in')
  })

  it('begins the next work after one that failed', async () => {
    const limiter = new RequestLimiter(1, 0)
    const work = (): Promise<never> => Promise.reject(new Error('no'))
    await assert.rejects(limiter.run('a', 20, FOREVER, work), /no/)
    await assert.rejects(limiter.run('a', 20, FOREVER, work), /no/)
  })
})
