// Token buckets.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenBucket } from '../../src/runtime/token-bucket.ts'
import { FakeClock } from '../fakes/clock.ts'

const taken = (bucket: TokenBucket, tries: number): number =>
  Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length

describe('a token bucket', () => {
  it('lets a burst through, and refuses what exceeds it', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, new FakeClock())
    assert.equal(taken(bucket, 10), 5)
  })

  it('lets more through as time passes', () => {
    const clock = new FakeClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    taken(bucket, 10)
    clock.advance(99)
    assert.equal(taken(bucket, 1), 0)
    clock.advance(1)
    assert.equal(taken(bucket, 2), 1)
    clock.advance(300)
    assert.equal(taken(bucket, 9), 3)
  })

  it('saves up no more than a burst', () => {
    const clock = new FakeClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    clock.advance(86_400_000)
    assert.equal(taken(bucket, 10), 5)
  })

  it('knows rates below one a second', () => {
    const clock = new FakeClock()
    const bucket = new TokenBucket({ perSecond: 0.1, burst: 1 }, clock)
    assert.equal(taken(bucket, 2), 1)
    clock.advance(9_999)
    assert.equal(taken(bucket, 1), 0)
    clock.advance(2)
    assert.equal(taken(bucket, 2), 1)
  })
})
