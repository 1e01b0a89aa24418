// Token buckets.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../src/runtime/clock.ts'
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

  it('takes nothing where less is left, so that a smaller amount still passes', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, new FakeClock())
    assert.deepEqual(
      [4, 2, 1].map((amount) => bucket.take(amount)),
      [true, false, true],
    )
  })

  it('knows what is left, and how long to wait for more', () => {
    const clock = new FakeClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    assert.deepEqual([bucket.left, bucket.waitFor(5)], [5, 0])
    bucket.take(5)
    assert.deepEqual([bucket.left, bucket.waitFor(1), bucket.waitFor(4)], [0, 100, 400])
    clock.advance(100)
    assert.deepEqual([bucket.left, bucket.waitFor(1), bucket.waitFor(4)], [1, 0, 300])
  })

  it('gets back what was taken, up to a burst, whatever time has added meanwhile', () => {
    const clock = new FakeClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    bucket.take(5)
    bucket.giveBack(2)
    assert.equal(bucket.left, 2)
    clock.advance(200)
    bucket.giveBack(2)
    assert.equal(bucket.left, 5)
    bucket.take(1)
    clock.advance(10_000)
    bucket.giveBack(5)
    assert.equal(bucket.left, 5)
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

describe('taking without the clock', () => {
  const counting = () => {
    const fake = new FakeClock()
    let looks = 0
    const clock: Clock = {
      now: () => fake.now(),
      monotonic: () => {
        looks += 1
        return fake.monotonic()
      },
    }
    return { clock, advance: (ms: number) => fake.advance(ms), looks: () => looks }
  }

  it('looks at the clock only when what is known to be left is too little', () => {
    const { clock, looks } = counting()
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, clock)
    const before = looks()
    for (let index = 0; index < 5; index++) {
      assert.ok(bucket.takeUnclocked(1))
      bucket.giveBack(1)
      assert.ok(bucket.takeUnclocked(1))
    }
    assert.equal(looks(), before)
    assert.equal(bucket.takeUnclocked(1), false)
    assert.equal(looks(), before + 1)
  })

  it('lets the rate through lastingly, and at most two bursts at once', () => {
    const { clock, advance } = counting()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    const passing = (tries: number): number =>
      Array.from({ length: tries }, () => bucket.takeUnclocked(1)).filter(Boolean).length
    assert.equal(passing(1), 1)
    advance(86_400_000)
    assert.equal(passing(100), 9)
    assert.equal(passing(100), 0)
    advance(300)
    assert.equal(passing(100), 3)
  })

  it('is known to those that look at the clock', () => {
    const { clock, advance } = counting()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    bucket.takeUnclocked(4)
    assert.deepEqual([bucket.left, bucket.waitFor(3)], [1, 200])
    advance(1_000)
    assert.equal(bucket.take(5), true)
    assert.equal(bucket.takeUnclocked(1), false)
  })
})
