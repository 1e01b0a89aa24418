// The waits that one process knows of.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Holds } from '../../../src/authenticate/password/attempt-guard.ts'
import { FakeClock } from '../../fakes/clock.ts'

const setUp = () => {
  const clock = new FakeClock()
  return { clock, holds: new Holds(clock) }
}

describe('holds', () => {
  it('last until their time', () => {
    const { clock, holds } = setUp()
    assert.ok(holds.isEmpty)
    holds.set('a', 1_000)
    clock.advance(400)
    assert.deepEqual([holds.isEmpty, holds.waitOf('a'), holds.waitOf('b')], [false, 600, 0])
    clock.advance(600)
    assert.equal(holds.waitOf('a'), 0)
    assert.ok(holds.isEmpty)
  })

  it('are not shortened by a later one', () => {
    const { holds } = setUp()
    holds.set('a', 1_000)
    holds.set('a', 500)
    assert.equal(holds.waitOf('a'), 1_000)
  })

  it('end when they are removed', () => {
    const { holds } = setUp()
    holds.set('a', 1_000)
    holds.set('b', 1_000)
    holds.delete('a')
    assert.deepEqual([holds.waitOf('a'), holds.waitOf('b')], [0, 1_000])
  })

  it('are bounded in number: the oldest is evicted, not one that was set again', () => {
    const { holds } = setUp()
    for (let index = 0; index < 10_000; index += 1) holds.set(`${index}`, 1_000)
    holds.set('0', 1_000)
    holds.set('more', 1_000)
    assert.deepEqual(
      ['0', '1', '2', 'more'].map((name) => holds.waitOf(name)),
      [1_000, 0, 1_000, 1_000],
    )
  })
})
