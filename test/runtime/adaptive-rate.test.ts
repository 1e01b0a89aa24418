// How fast a server is queried that answers 429.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AdaptiveRate } from '../../src/runtime/adaptive-rate.ts'
import { FakeClock } from '../fakes/clock.ts'

const open = () => {
  const clock = new FakeClock()
  const rate = new AdaptiveRate(clock)
  /** Asks as fast as is allowed, at most so many times, within so many milliseconds; how many that were. */
  const ask = (
    milliseconds: number,
    most: number,
    refuses: () => boolean = () => false,
  ): number => {
    let requests = 0
    const end = clock.monotonic() + milliseconds
    while (clock.monotonic() < end && requests < most) {
      const delay = rate.delay('ordinary')
      if (delay > 0) clock.advance(Math.min(delay, end - clock.monotonic()))
      else {
        rate.begin()
        requests += 1
        if (refuses()) rate.refused(`s${requests}`, undefined)
        clock.advance(1)
      }
    }
    clock.advance(Math.max(0, end - clock.monotonic()))
    return requests
  }
  /** A server that takes so many a second. */
  const limitedTo = (perSecond: number): (() => boolean) => {
    let [left, at] = [perSecond, clock.monotonic()]
    return () => {
      left = Math.min(perSecond, left + ((clock.monotonic() - at) / 1_000) * perSecond)
      at = clock.monotonic()
      if (left < 1) return true
      left -= 1
      return false
    }
  }
  return { clock, rate, ask, limitedTo }
}

describe('the rate at which a server is queried', () => {
  it('has no limit while the server names none', () => {
    const { rate, ask } = open()
    assert.equal(ask(1_000, 10_000), 1_000)
    assert.equal(rate.isLimited, false)
  })

  it('comes down to what the server takes, and stays near it', () => {
    const { rate, ask, limitedTo } = open()
    const isRefused = limitedTo(50)
    let refused = 0
    const refuses = (): boolean => {
      const is = isRefused()
      if (is) refused += 1
      return is
    }
    ask(20_000, 100_000, refuses)
    refused = 0
    const requests = ask(20_000, 100_000, refuses)
    assert.equal(rate.isLimited, true)
    assert.ok(requests > 20 * 30 && requests < 20 * 60, `${requests} questions in 20 s`)
    assert.ok(refused < requests / 10, `${refused} of ${requests} refused`)
  })

  it('has no limit again a minute after the last refusal', () => {
    const { rate, clock, ask, limitedTo } = open()
    ask(2_000, 10_000, limitedTo(50))
    assert.equal(rate.isLimited, true)
    clock.advance(60_000)
    assert.equal(rate.isLimited, false)
  })

  it('is not lowered by refusals of one subject, or of two', () => {
    const { rate, ask } = open()
    ask(1_000, 100)
    for (let time = 0; time < 100; time += 1) rate.refused(`odd-${time % 2}`, 10_000)
    assert.equal(rate.isLimited, false)
    assert.equal(rate.delay('ordinary'), 0)
  })

  it('pauses for as long as Retry-After says, except for credentials that were valid before', () => {
    const { rate, clock, ask } = open()
    ask(1_000, 100)
    for (const subject of ['a', 'b', 'c']) rate.refused(subject, 2_000)
    assert.equal(rate.delay('ordinary'), 2_000)
    assert.equal(rate.delay('preferred'), 0)
    clock.advance(2_000)
    assert.equal(rate.delay('ordinary'), 0)
  })

  it('hostile: does not pause for days', () => {
    const { rate } = open()
    for (const subject of ['a', 'b', 'c']) rate.refused(subject, 864_000_000)
    assert.equal(rate.delay('ordinary'), 10_000)
  })

  it('never comes down to nothing', () => {
    const { rate, clock, ask } = open()
    for (let round = 0; round < 50; round += 1) {
      ask(1_100, 10)
      for (const subject of ['a', 'b', 'c']) rate.refused(subject, undefined)
    }
    clock.advance(1_000)
    assert.equal(rate.delay('ordinary'), 0)
  })
})
