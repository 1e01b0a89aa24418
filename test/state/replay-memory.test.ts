// The replay memory of one process: what it does when it is full, and when the clock is set back.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProcessReplayMemory } from '../../src/state/replay-memory.ts'
import { CountersignError } from '../../src/runtime/errors.ts'
import { FakeClock } from '../fakes/clock.ts'
import { replayMemoryConforms } from './replay-conformance.ts'

replayMemoryConforms((clock) => new ProcessReplayMemory(clock))

describe('a replay memory that is full', () => {
  it('forgets nothing: what it cannot take note of, it does not call new', async () => {
    const clock = new FakeClock()
    const memory = new ProcessReplayMemory(clock, 3)
    const until = clock.now() + 60_000
    for (const id of ['a', 'b', 'c']) {
      assert.equal((await memory.use(id, until)).outcome, 'first')
    }
    const use = await memory.use('d', until)
    assert.equal(use.outcome, 'unavailable')
    assert.ok(use.cause instanceof CountersignError && use.cause.code === 'overloaded')
    assert.equal((await memory.use('a', until)).outcome, 'repeated')
    assert.equal((await memory.use('d', until)).outcome, 'unavailable')
  })

  it('has room again as soon as something has ended', async () => {
    const clock = new FakeClock()
    const memory = new ProcessReplayMemory(clock, 2)
    await memory.use('a', clock.now() + 500)
    await memory.use('b', clock.now() + 60_000)
    clock.advance(499)
    assert.equal((await memory.use('c', clock.now() + 60_000)).outcome, 'unavailable')
    clock.advance(1)
    assert.equal((await memory.use('c', clock.now() + 60_000)).outcome, 'first')
    assert.equal((await memory.use('b', clock.now() + 60_000)).outcome, 'repeated')
    assert.equal((await memory.use('d', clock.now() + 60_000)).outcome, 'unavailable')
  })

  it('is not full permanently after records with different lifetimes', async () => {
    const clock = new FakeClock()
    const memory = new ProcessReplayMemory(clock, 10)
    let refused = 0
    for (let round = 0; round < 200; round += 1) {
      const { outcome } = await memory.use(`${round}`, clock.now() + 1_000 * (1 + (round % 8)))
      if (outcome !== 'first') refused += 1
      clock.advance(1_000)
    }
    assert.equal(refused, 0)
  })
})

describe('a clock that is set back', () => {
  it('brings nothing back to life that was forgotten', async () => {
    let now = 1_000_000
    const memory = new ProcessReplayMemory({ now: () => now, monotonic: () => now })
    assert.equal((await memory.use('a', 1_060_000)).outcome, 'first')
    now = 1_070_000
    assert.equal((await memory.use('b', 1_130_000)).outcome, 'first') // and forgets the other
    now = 1_000_000
    assert.equal((await memory.use('a', 1_060_000)).outcome, 'repeated')
    assert.equal((await memory.use('b', 1_130_000)).outcome, 'repeated')
    assert.equal((await memory.use('c', 1_080_000)).outcome, 'first')
  })
})
