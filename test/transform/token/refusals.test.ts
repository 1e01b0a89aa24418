// Refusals of the last seconds: bounded, whatever callers show.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Refusals } from '../../../src/transform/token/refusals.ts'
import { FakeClock } from '../../fakes/clock.ts'

const REFUSED = { outcome: 'failed', code: 'exchange-refused' } as const

describe('refused exchanges', () => {
  it('are cached for five seconds, or as long as tokens where that is shorter', () => {
    for (const [remember, kept] of [
      [60_000, 5_000],
      [2_000, 2_000],
    ] as const) {
      const clock = new FakeClock()
      const refusals = new Refusals(clock, remember)
      refusals.remember('a', REFUSED)
      clock.advance(kept - 1)
      assert.equal(refusals.recall('a'), REFUSED)
      assert.equal(refusals.recall('b'), undefined)
      clock.advance(1)
      assert.equal(refusals.recall('a'), undefined)
    }
  })

  it('hostile: in a flood evict the oldest ones only', () => {
    const refusals = new Refusals(new FakeClock(), 60_000)
    for (let index = 0; index < 1_500; index += 1) refusals.remember(`k${index}`, REFUSED)
    assert.equal(refusals.recall('k499'), undefined)
    assert.equal(refusals.recall('k500'), REFUSED)
    assert.equal(refusals.recall('k1499'), REFUSED)
    // One that is refused again is the youngest.
    refusals.remember('k500', REFUSED)
    refusals.remember('new', REFUSED)
    assert.equal(refusals.recall('k500'), REFUSED)
    assert.equal(refusals.recall('k501'), undefined)
  })
})
