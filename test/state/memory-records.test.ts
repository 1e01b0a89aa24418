// Records in the memory of one process: the seam, and what happens to them when the room is used up.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { FakeClock } from '../fakes/clock.ts'
import type { Quotas } from '../../src/state/quotas.ts'
import { quotaConformance } from './quota-conformance.ts'
import { recordStoreConformance } from './record-conformance.ts'

recordStoreConformance('the memory of a process', async () => {
  const clock = new FakeClock()
  const store = new MemoryRecords(clock)
  return {
    stores: [store, store],
    pass: async (milliseconds) => clock.advance(milliseconds),
    isExact: true,
  }
})

quotaConformance('the memory of a process', async (quotas) => {
  const clock = new FakeClock()
  const store = new MemoryRecords(clock, { quotas })
  return {
    stores: [store, store],
    pass: async (milliseconds) => clock.advance(milliseconds),
    refusing: ['login', 'decisive', 'used'],
  }
})

const record = { text: 'x', kind: 'anonymous', lifetime: 60_000 } as const

const quotasOf = (entries: number, bytes: number): Quotas => {
  const quota = { entries, bytes }
  return { anonymous: quota, login: quota, decisive: quota, used: quota, public: quota }
}

describe('a memory of records that is full', () => {
  it('drops the oldest anonymous record, from its sets too, and says how many', async () => {
    const store = new MemoryRecords(new FakeClock(), { quotas: quotasOf(3, 1_000_000) })
    for (const key of ['a', 'b', 'c', 'd']) {
      await store.put(key, record, ['s'])
    }
    assert.deepEqual([...(await store.keysIn('s'))].toSorted(), ['b', 'c', 'd'])
    await store.put('b', record, ['s'])
    await store.put('e', record, ['s'])
    assert.deepEqual([...(await store.keysIn('s'))].toSorted(), ['b', 'd', 'e'])
    assert.deepEqual([store.size, store.dropped], [3, 2])
  })

  it('reports each write that it refuses', async () => {
    const refused: unknown[] = []
    const store = new MemoryRecords(new FakeClock(), {
      quotas: quotasOf(1, 10_000),
      onRefused: (cause) => refused.push(cause),
    })
    const signOut = { ...record, kind: 'decisive' } as const
    await store.put('a', signOut)
    await assert.rejects(store.put('b', signOut), (cause) => {
      assert.deepEqual(refused, [cause])
      return cause instanceof CountersignError && cause.code === 'overloaded'
    })
    assert.equal(store.dropped, 0)
  })

  it('has room again as time goes by, and drops nothing for it', async () => {
    const clock = new FakeClock()
    const store = new MemoryRecords(clock, { quotas: quotasOf(100, 1_000_000) })
    for (let index = 0; index < 1_000; index += 1) {
      await store.put(`${index}`, { ...record, lifetime: 50 }, ['s'])
      clock.advance(1)
    }
    assert.equal(store.dropped, 0)
    assert.ok(store.size <= 102, `${store.size}`)
  })
})

describe('a clock that is set back', () => {
  it('lets no record live longer', async () => {
    let now = 1_000_000
    let monotonic = 0
    const store = new MemoryRecords({ now: () => now, monotonic: () => monotonic })
    await store.put('a', { text: 'x', kind: 'login', lifetime: 1_000 })
    now = 0
    monotonic = 1_000
    assert.equal(await store.get('a'), undefined)
  })
})
