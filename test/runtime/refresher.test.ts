import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refresher, type RefresherOptions } from '../../src/runtime/refresher.ts'
import { FakeClock } from '../fakes/clock.ts'

/** A refresher on a clock and a timer that the test moves. */
const setUp = (fetch: RefresherOptions['fetch']) => {
  const clock = new FakeClock()
  const failures: unknown[] = []
  const timers: { readonly delay: number; readonly run: () => void }[] = []
  const refresher = new Refresher({
    fetch,
    onFailure: (cause) => {
      failures.push(cause)
      return 500
    },
    timeout: 60_000,
    clock,
    schedule: (run, delay) => {
      const timer = { delay, run }
      timers.push(timer)
      return { [Symbol.dispose]: () => void timers.splice(timers.indexOf(timer), 1) }
    },
  })
  return { clock, failures, timers, refresher }
}

describe('a refresher', () => {
  it('fetches again after the delay that the fetch returned', async () => {
    let fetched = 0
    const { timers, refresher } = setUp(async () => 1_000 * (fetched += 1))
    await refresher.refreshAfter(0)
    assert.deepEqual([fetched, timers.map(({ delay }) => delay)], [1, [1_000]])
    timers[0]?.run()
    await refresher.refreshAfter(1) // joins the fetch that the timer began
    assert.deepEqual([fetched, timers.at(-1)?.delay], [2, 2_000])
  })

  it('tries again after the delay that its failure handler returned', async () => {
    const failure = new Error('no answer')
    const { timers, failures, refresher } = setUp(async () => await Promise.reject(failure))
    await refresher.refreshAfter(0)
    assert.deepEqual([failures, timers.map(({ delay }) => delay)], [[failure], [500]])
  })

  it('fetches once for all who ask while a fetch is running', async () => {
    let fetched = 0
    const { promise, resolve } = Promise.withResolvers<number>()
    const { refresher } = setUp(async () => {
      fetched += 1
      return await promise
    })
    const both = [refresher.refreshAfter(0), refresher.refreshAfter(0)]
    resolve(1_000)
    await Promise.all(both)
    assert.equal(fetched, 1)
  })

  it('does not fetch before the pause after the last fetch is over', async () => {
    let fetched = 0
    const { clock, refresher } = setUp(async () => 1_000 * (fetched += 1))
    await refresher.refreshAfter(100)
    clock.advance(99)
    await refresher.refreshAfter(100)
    assert.equal(fetched, 1)
    clock.advance(1)
    await refresher.refreshAfter(100)
    assert.equal(fetched, 2)
  })

  it('schedules no delay that setTimeout would take for none', async () => {
    const { timers, refresher } = setUp(async () => Number.MAX_SAFE_INTEGER)
    await refresher.refreshAfter(0)
    assert.equal(timers[0]?.delay, 2_147_483_647)
  })

  it('aborts its fetch and schedules none when it is disposed', async () => {
    const { failures, timers, refresher } = setUp(
      async (signal) =>
        await new Promise<number>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    )
    const running = refresher.refreshAfter(0)
    refresher[Symbol.dispose]()
    await running
    await refresher.refreshAfter(0)
    assert.deepEqual([failures, timers], [[], []])
  })
})
