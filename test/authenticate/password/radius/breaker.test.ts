// The circuit breaker of a RADIUS server that does not answer: few requests wait.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RadiusFailure } from '../../../../src/clients/radius/failure.ts'
import { CALLER, callerUntil } from '../../../fakes/caller.ts'
import { judge, silent, startFakeRadius, type FakeRadius } from '../../../fakes/radius-server.ts'
import { radiusAt, type LoggingRadius, pause } from './verifying.ts'

describe('a server that is down', () => {
  const OPTIONS = { timeout: 1_000, retransmitAfter: 40, coolDown: 150 }
  /** Longer than a test takes on a busy machine. */
  const LONG = { ...OPTIONS, coolDown: 60_000 }

  const bringDown = async (server: FakeRadius, radius: LoggingRadius): Promise<void> => {
    server.behave = silent
    await Promise.all(Array.from({ length: 3 }, () => radius.verify('alice', 'right', CALLER)))
  }

  it('opens its circuit after three failures, which is logged once', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server], LONG)
    await bringDown(server, radius)
    const before = server.requests.length
    const all = await Promise.all(
      Array.from({ length: 200 }, () => radius.verify('alice', 'right', CALLER)),
    )
    for (const verification of all) {
      assert.ok(verification.outcome === 'unavailable')
      assert.ok(verification.cause instanceof RadiusFailure)
      assert.equal(verification.cause.reason, 'servers-down')
      assert.match(verification.cause.message, /:\d+: no reply within/)
    }
    assert.equal(server.requests.length, before)
    assert.equal(radius.lines.filter((line) => line.includes('circuit opened')).length, 1)
  })

  it('is tried by one request, and used by all requests after its answer', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server], OPTIONS)
    await bringDown(server, radius)
    server.behave = judge
    await pause(2 * OPTIONS.coolDown)
    const before = server.requests.length
    const [first, second] = await Promise.all([
      radius.verify('alice', 'right', CALLER),
      radius.verify('alice', 'right', CALLER),
    ])
    assert.deepEqual([first.outcome, second.outcome], ['verified', 'unavailable'])
    assert.equal(server.requests.length, before + 1)
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    assert.equal(radius.lines.filter((line) => line.includes('circuit closed')).length, 1)
  })

  it('is tried with Status-Server where it supports that, without a password', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server], { ...OPTIONS, statusServer: true })
    await bringDown(server, radius)
    await pause(2 * OPTIONS.coolDown)
    const before = server.requests.length
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'unavailable')
    server.behave = judge
    await pause(2 * OPTIONS.coolDown)
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    const codes = server.requests.slice(before).map(({ code }) => code)
    assert.deepEqual(codes, [12, 12, 1])
  })

  it('delays a request by one interval at most when there is another server', async () => {
    await using first = await startFakeRadius()
    await using second = await startFakeRadius()
    await using radius = radiusAt([first, second], { ...OPTIONS, timeout: 4_000 })
    await bringDown(first, radius)
    await pause(2 * OPTIONS.coolDown)
    const began = performance.now()
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    assert.ok(performance.now() - began < 1_500) // half of the time, were it asked to the end
    first.behave = judge
    await pause(2 * OPTIONS.coolDown)
    await radius.verify('alice', 'right', CALLER)
    const before = second.requests.length
    await radius.verify('alice', 'right', CALLER)
    assert.equal(second.requests.length, before)
  })

  it('keeps its circuit closed when it does not answer some requests', async () => {
    await using server = await startFakeRadius((request, reply) =>
      request.user === 'mallory' ? [] : judge(request, reply),
    )
    await using radius = radiusAt([server], OPTIONS)
    const mallory = Array.from({ length: 5 }, () => radius.verify('mallory', 'x', CALLER))
    await pause(20)
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    for (const { outcome } of await Promise.all(mallory)) assert.equal(outcome, 'unavailable')
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    assert.deepEqual(radius.lines, [])
  })

  it('opens its circuit although every caller cancels before the timeout', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { ...LONG, timeout: 60_000 })
    for (let count = 0; count < 3; count += 1) {
      await radius.verify('alice', 'right', callerUntil(AbortSignal.timeout(120)))
    }
    const verification = await radius.verify(
      'alice',
      'right',
      callerUntil(AbortSignal.timeout(120)),
    )
    assert.ok(verification.outcome === 'unavailable')
    assert.ok(verification.cause instanceof RadiusFailure)
    assert.equal(verification.cause.reason, 'servers-down')
  })
})
