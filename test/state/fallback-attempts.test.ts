// Attempts while their store is away.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import type { AttemptStore, AttemptScope } from '../../src/state/attempt-store.ts'
import { FallbackAttempts } from '../../src/state/fallback-attempts.ts'
import { MemoryAttempts } from '../../src/state/memory.ts'
import { FakeClock } from '../fakes/clock.ts'

const PACE = { attempts: 1, backOff: 10_000, lockAfter: 3, lockFor: 60_000, forget: 60_000 }
const SCOPE: AttemptScope = { key: 'alice', pace: PACE, binding: true, weight: 1 }

/** A store that can be taken away. */
const shaky = (store: AttemptStore, state: { failure: unknown }): AttemptStore => {
  const whileAvailable = async <T>(call: () => Promise<T>): Promise<T> => {
    if (state.failure !== undefined) throw state.failure
    return await call()
  }
  return {
    take: (scopes) => whileAvailable(() => store.take(scopes)),
    settle: (outcomes) => whileAvailable(() => store.settle(outcomes)),
    remember: (entry) => whileAvailable(() => store.remember(entry)),
    recall: (keys) => whileAvailable(() => store.recall(keys)),
    lockOuts: () => whileAvailable(() => store.lockOuts()),
  }
}

const away = new CountersignError('unavailable', 'gone')

const stores = () => {
  const clock = new FakeClock()
  const state: { failure: unknown } = { failure: undefined }
  const shared = shaky(new MemoryAttempts(clock), state)
  return { attempts: new FallbackAttempts(shared, new MemoryAttempts(clock)), state, clock }
}

const fail = async (attempts: AttemptStore): Promise<string> => {
  const result = await attempts.take([SCOPE])
  if (result.outcome === 'wait') return 'wait'
  await attempts.settle(result.reservations.map((reservation) => ({ reservation, failures: 1 })))
  return 'taken'
}

describe('attempts whose store is away', () => {
  it('have the lock-outs of this process', async () => {
    const { attempts, state } = stores()
    const scope: AttemptScope = { ...SCOPE, pace: { ...PACE, lockAfter: 1 }, lockOut: 'user' }
    state.failure = away
    await attempts.take([scope])
    assert.deepEqual(await attempts.lockOuts(), { user: 1 })
    state.failure = undefined
    assert.deepEqual(await attempts.lockOuts(), {})
  })

  it('are counted here', async () => {
    const { attempts, state } = stores()
    state.failure = away
    assert.equal(await fail(attempts), 'taken')
    assert.equal(await fail(attempts), 'wait')
  })

  it('are forgotten when they succeed', async () => {
    const { attempts, state } = stores()
    state.failure = away
    const result = await attempts.take([SCOPE])
    assert.equal(result.outcome, 'taken')
    await attempts.settle(
      result.reservations.map((reservation) => ({ reservation, failures: -Infinity })),
    )
    assert.equal(await fail(attempts), 'taken')
  })

  it('do not fail when it goes away in between', async () => {
    const { attempts, state } = stores()
    const result = await attempts.take([SCOPE])
    assert.equal(result.outcome, 'taken')
    state.failure = away
    const settled = await attempts.settle(
      result.reservations.map((reservation) => ({ reservation, failures: 0 })),
    )
    assert.deepEqual(settled, result.reservations)
  })

  it('are corrected where they were counted, also when it is back', async () => {
    const { attempts, state } = stores()
    state.failure = away
    const result = await attempts.take([SCOPE])
    assert.equal(result.outcome, 'taken')
    state.failure = undefined
    await attempts.settle(result.reservations.map((reservation) => ({ reservation, failures: 1 })))
    assert.equal(await fail(attempts), 'wait', 'what was counted here')
  })

  it('let wait to the end, also when it is back', async () => {
    const { attempts, state, clock } = stores()
    for (const wait of [10_000, 20_000, 60_000]) {
      state.failure = away
      assert.equal(await fail(attempts), 'taken')
      state.failure = undefined
      clock.advance(wait - 1)
      assert.equal(await fail(attempts), 'wait')
      clock.advance(1)
    }
    assert.equal(await fail(attempts), 'taken', 'the store itself has counted nothing')
  })

  it('remember notes here', async () => {
    const { attempts, state } = stores()
    state.failure = away
    await attempts.remember({ key: 'k', text: 'known', lifetime: 1_000, retained: false })
    assert.equal((await attempts.recall(['k']))[0]?.text, 'known')
  })

  it('do not hide bugs', async () => {
    const { attempts, state } = stores()
    state.failure = new TypeError('a bug')
    await assert.rejects(attempts.take([SCOPE]), TypeError)
  })
})
