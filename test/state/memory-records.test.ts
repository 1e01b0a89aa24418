// Records in the memory of one process: the seam, and what becomes of them where there is no more room.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import { MemoryRecords } from '../../src/state/memory-records.ts'
import { FakeClock } from '../fakes/clock.ts'
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

const record = { text: 'x', lifetime: 60_000 }

describe('a memory of records that is full', () => {
  it('drops what was not used for longest, from its sets too, and says how many', async () => {
    const store = new MemoryRecords(new FakeClock(), { entries: 3, bytes: 1_000_000 })
    await store.put('a', record, ['s'])
    await store.put('b', record, ['s'])
    await store.put('c', record, ['s'])
    await store.get('a')
    await store.put('d', record, ['s'])
    assert.deepEqual([...(await store.keysIn('s'))].toSorted(), ['a', 'c', 'd'])
    await store.put('c', record, ['s'])
    await store.put('e', record, ['s'])
    assert.deepEqual([...(await store.keysIn('s'))].toSorted(), ['c', 'd', 'e'])
    assert.deepEqual([await store.get('a'), await store.get('b')], [undefined, undefined])
    assert.deepEqual([store.size, store.dropped], [3, 2])
  })

  it('is bounded in bytes', async () => {
    const store = new MemoryRecords(new FakeClock(), { entries: 1_000_000, bytes: 100_000 })
    for (let index = 0; index < 1_000; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store.put(`${index}`, { text: 'x'.repeat(4_000), lifetime: 60_000 }, ['s'])
    }
    assert.equal(store.size, 11)
    assert.equal((await store.keysIn('s')).length, 11)
    await store.remove(await store.keysIn('s'))
    assert.equal(store.size, 0)
  })

  it('refuses what is larger than all there is, and keeps what it has', async () => {
    const store = new MemoryRecords(new FakeClock(), { entries: 10, bytes: 10_000 })
    await store.put('a', record)
    const large = { text: 'x'.repeat(5_000), lifetime: 60_000 }
    await assert.rejects(
      store.put('a', large),
      (cause) => cause instanceof CountersignError && cause.code === 'overloaded',
    )
    assert.equal((await store.get('a'))?.text, 'x')
  })

  it('has room again as time goes by, and drops nothing for it', async () => {
    const clock = new FakeClock()
    const store = new MemoryRecords(clock, { entries: 100, bytes: 1_000_000 })
    for (let index = 0; index < 1_000; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store.put(`${index}`, { text: 'x', lifetime: 50 }, ['s'])
      clock.advance(1)
    }
    assert.equal(store.dropped, 0)
    assert.ok(store.size <= 52, `${store.size}`)
  })
})

describe('a clock that is set back', () => {
  it('lets no record live longer', async () => {
    let now = 1_000_000
    let monotonic = 0
    const store = new MemoryRecords({ now: () => now, monotonic: () => monotonic })
    await store.put('a', { text: 'x', lifetime: 1_000 })
    now = 0
    monotonic = 1_000
    assert.equal(await store.get('a'), undefined)
  })
})
