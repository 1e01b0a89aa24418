// How often a device that waits may ask (RFC 8628 §3.5).

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DevicePolls } from '../../../src/issuer/provider/device-polls.ts'

describe('the polls of a device', () => {
  it('are accepted every five seconds, with one second of tolerance', () => {
    const polls = new DevicePolls()
    for (const now of [0, 5_000, 9_000, 14_000]) assert.equal(polls.isTooSoon('a', now), false)
    assert.equal(polls.isTooSoon('b', 14_001), false, 'of another device')
  })

  it('have to wait five seconds longer each time that they come too soon', () => {
    const polls = new DevicePolls()
    const tooSoon = [0, 1_000, 6_000, 21_000, 30_000].map((now) => polls.isTooSoon('a', now))
    // The interval is 5 s, then 10 s after the second poll, 15 s after the third.
    assert.deepEqual(tooSoon, [false, true, true, false, true])
  })

  it('are remembered for the latest 10,000 devices', () => {
    const polls = new DevicePolls()
    for (let index = 0; index <= 10_000; index += 1) polls.isTooSoon(`device ${index}`, 0)
    assert.equal(polls.isTooSoon('device 0', 1), false)
    assert.equal(polls.isTooSoon('device 10000', 1), true)
  })
})
