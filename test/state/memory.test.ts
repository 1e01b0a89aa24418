// Attempts in memory: the contract, and what happens when a client fills it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { waitAfter, type AttemptScope, type Pace } from '../../src/state/attempt-store.ts'
import { MemoryAttempts } from '../../src/state/memory.ts'
import { FakeClock } from '../fakes/clock.ts'
import { attemptStoreConformance, type StoreUnderTest } from './conformance.ts'
import { lockOutConformance } from './lock-out-conformance.ts'

const create = async (): Promise<StoreUnderTest> => {
  const clock = new FakeClock()
  return {
    store: new MemoryAttempts(clock),
    pass: async (milliseconds) => clock.advance(milliseconds),
  }
}

attemptStoreConformance('memory', create)
lockOutConformance('memory', create)

const MINUTE = 60_000
const LIMIT = 160
const PACE: Pace = {
  attempts: 3,
  backOff: 1,
  lockAfter: 8,
  lockFor: 60 * MINUTE,
  forget: 60 * MINUTE,
}

const scope = (key: string, binding = true): AttemptScope => ({
  key,
  pace: PACE,
  binding,
  weight: 1,
})

const setUp = () => {
  const clock = new FakeClock()
  const store = new MemoryAttempts(clock, LIMIT)
  const fail = async (key: string, times = 1): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      clock.advance(100) // longer than any back-off
      const result = await store.take([scope(key)])
      if (result.outcome === 'wait') continue
      const [reservation] = result.reservations
      if (reservation !== undefined) await store.settle([{ reservation, failures: 1 }])
    }
  }
  const isLocked = async (key: string): Promise<boolean> =>
    (await store.take([scope(key)])).outcome === 'wait'
  return { clock, store, fail, isLocked }
}

describe('a memory that a client fills', () => {
  it('has a bound', async () => {
    const { store, fail } = setUp()
    for (let index = 0; index < 1_000; index += 1) {
      await fail(`k${index}`)
      await store.remember({
        key: `n${index}`,
        text: '',
        lifetime: MINUTE,
        retained: index % 2 === 0,
      })
      assert.ok(store.size <= LIMIT)
    }
    assert.equal(store.size, LIMIT)
  })

  it('keeps lock-outs, and drops the oldest of what is harmless', async () => {
    const { fail, isLocked, store } = setUp()
    const locked = Array.from({ length: 20 }, (_, index) => `locked${index}`)
    for (const key of locked) {
      await fail(key, PACE.lockAfter)
    }
    for (let index = 0; index < 1_000; index += 1) {
      await fail(`harmless${index}`)
    }
    for (const key of locked) {
      assert.ok(await isLocked(key), key)
    }
    const failuresOf = async (key: string): Promise<number> => {
      const result = await store.take([scope(key)])
      return result.outcome === 'taken' ? (result.reservations[0]?.failures ?? 0) : 0
    }
    assert.equal(await failuresOf('harmless999'), 2)
    assert.equal(await failuresOf('harmless0'), 1)
  })

  it('keeps lock-outs also before what has failed more often, where more is allowed', async () => {
    const { clock, store, fail, isLocked } = setUp()
    const locked = Array.from({ length: 30 }, (_, index) => `locked${index}`)
    for (const key of locked) {
      await fail(key, PACE.lockAfter)
    }
    const pace = { ...PACE, attempts: 1_000, lockAfter: 1_000 }
    for (let index = 0; index < LIMIT; index += 1) {
      for (let count = 0; count < 20; count += 1) {
        clock.advance(1)
        await store.take([{ ...scope(`often${index}`), pace }])
      }
    }
    for (const key of locked) {
      assert.ok(await isLocked(key), key)
    }
  })

  it('drops a note before a failure, and a retained one after', async () => {
    const { store, fail } = setUp()
    await store.remember({ key: 'cheap', text: '', lifetime: 99 * MINUTE, retained: false })
    await store.remember({ key: 'retained', text: '', lifetime: 99 * MINUTE, retained: true })
    for (let index = 0; index < 1_000; index += 1) {
      await fail(`k${index}`)
      await store.remember({ key: `n${index}`, text: '', lifetime: 99 * MINUTE, retained: false })
    }
    const [cheap, retained] = await store.recall(['cheap', 'retained'])
    assert.deepEqual([cheap !== undefined, retained !== undefined], [false, true])
  })

  it('keeps a key locked to the end of its lock-out, also where other keys have evicted it', async () => {
    const { clock, store, fail, isLocked } = setUp()
    await fail('victim', 8)
    const lockedAt = clock.now()
    for (let index = 0; index < 2 * LIMIT; index += 1) {
      await fail(`other ${index}`, 8)
    }
    assert.equal(await isLocked('victim'), true)
    clock.advance(lockedAt + PACE.lockFor - clock.now() - 1)
    assert.equal(await isLocked('victim'), true)
    clock.advance(1)
    assert.equal(await isLocked('victim'), false)
    assert.ok(store.size <= LIMIT)
  })

  it('full of lock-outs still counts what is new', async () => {
    const { fail, isLocked } = setUp()
    for (let index = 0; index < 2 * LIMIT; index += 1) {
      await fail(`locked${index}`, PACE.lockAfter)
    }
    const victims = ['v1', 'v2', 'v3']
    for (let round = 0; round < PACE.lockAfter; round += 1) {
      for (const victim of victims) {
        await fail(victim)
      }
    }
    for (const victim of victims) {
      assert.ok(await isLocked(victim), victim)
    }
  })

  it('has room again as time goes by', async () => {
    const { clock, store, fail } = setUp()
    for (let index = 0; index < LIMIT; index += 1) {
      await fail(`locked${index}`, PACE.lockAfter)
    }
    clock.advance(24 * 60 * MINUTE)
    for (let index = 0; index < LIMIT; index += 1) {
      await store.remember({ key: 'the same', text: '', lifetime: 1, retained: false })
      clock.advance(1)
    }
    assert.ok(store.size < LIMIT / 2, `${store.size}`)
  })
})

describe('waiting', () => {
  const pace: Pace = { attempts: 3, backOff: 1_000, lockAfter: 9, lockFor: 10_000, forget: 1 }
  const CASES = [
    { failures: 0, want: 0 },
    { failures: 2, want: 0 },
    { failures: 3, want: 1_000 },
    { failures: 4, want: 2_000 },
    { failures: 6, want: 8_000 },
    { failures: 7, want: 10_000 },
    { failures: 9, want: 10_000 },
    { failures: 2_000, want: 10_000 },
  ]
  for (const { failures, want } of CASES) {
    it(`after ${failures} failures is ${want} ms`, () =>
      assert.equal(waitAfter(failures, pace), want))
  }
})
