// A RADIUS server that does not answer costs a few requests their time, and the rest none.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Breaker } from '../../../src/authenticate/password/radius/breaker.ts'
import { RadiusFailure } from '../../../src/authenticate/password/radius/failure.ts'
import { Gate } from '../../../src/authenticate/password/radius/gate.ts'
import { intervalAfter } from '../../../src/authenticate/password/radius/schedule.ts'
import { CALLER, callerUntil } from '../../fakes/caller.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { judge, silent, startFakeRadius, type FakeRadius } from '../../fakes/radius-server.ts'
import { FOREVER, radiusAt, type LoggingRadius } from './radius-client.ts'

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('a breaker', () => {
  const create = (): { readonly clock: FakeClock; readonly breaker: Breaker } => {
    const clock = new FakeClock()
    return { clock, breaker: new Breaker({ failures: 2, shortest: 100, longest: 300 }, clock) }
  }

  it('opens after so many failures in a row', () => {
    const { breaker } = create()
    assert.equal(breaker.failed(false), false)
    breaker.succeeded()
    assert.equal(breaker.failed(false), false)
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.failed(false), true)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.failed(false), false)
  })

  it('admits one trial when its time has come, and longer after each that fails', () => {
    const { breaker, clock } = create()
    breaker.failed(false)
    breaker.failed(false)
    for (const length of [100, 200, 300, 300]) {
      clock.advance(length - 1)
      assert.equal(breaker.state, 'open')
      clock.advance(1)
      assert.equal(breaker.state, 'due')
      breaker.try()
      assert.equal(breaker.state, 'open')
      breaker.failed(true)
    }
  })

  it('is due again when a trial was given up', () => {
    const { breaker, clock } = create()
    breaker.failed(false)
    breaker.failed(false)
    clock.advance(100)
    breaker.try()
    breaker.abandoned(true)
    assert.equal(breaker.state, 'due')
  })

  it('closes at a success, and says when that is news', () => {
    const { breaker } = create()
    assert.equal(breaker.succeeded(), false)
    breaker.failed(false)
    breaker.failed(false)
    assert.equal(breaker.succeeded(), true)
    assert.equal(breaker.state, 'closed')
  })
})

describe('the intervals between transmissions', () => {
  it('double, up to 8 s, a tenth more or less', () => {
    const middle = [0, 1, 2, 3, 9].map((sent) => intervalAfter(sent, 500, () => 0.5))
    assert.deepEqual(middle, [500, 1_000, 2_000, 4_000, 8_000])
    assert.equal(Math.round(intervalAfter(0, 500, () => 0)), 450)
    assert.equal(Math.round(intervalAfter(0, 500, () => 1)), 550)
  })
})

describe('a gate', () => {
  const hold = (gate: Gate, limit = 1_000, signal = FOREVER) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { done: gate.run('a', limit, signal, () => promise), leave: resolve }
  }

  it('lets so many in, in the order in which they came', async () => {
    const gate = new Gate(1, 2)
    const order: number[] = []
    const work = [1, 2, 3].map((number) =>
      gate.run('a', 1_000, FOREVER, async () => {
        await pause(5)
        order.push(number)
      }),
    )
    await Promise.all(work)
    assert.deepEqual(order, [1, 2, 3])
  })

  it('refuses whom it has no place for, and who has waited too long', async () => {
    const gate = new Gate(1, 1)
    const inside = hold(gate)
    const waiting = gate.run('a', 20, FOREVER, async () => 'in')
    await assert.rejects(
      gate.run('a', 20, FOREVER, async () => 'in'),
      { reason: 'overloaded' },
    )
    await assert.rejects(waiting, { reason: 'overloaded' })
    inside.leave()
    await inside.done
    assert.equal(await gate.run('a', 20, FOREVER, async () => 'in'), 'in')
  })

  it('forgets who has left', async () => {
    const gate = new Gate(1, 1)
    const inside = hold(gate)
    const caller = new AbortController()
    const waiting = gate.run('a', 1_000, caller.signal, async () => 'in')
    caller.abort(new Error('gone'))
    await assert.rejects(waiting, /gone/)
    inside.leave()
    await inside.done
    assert.equal(await gate.run('a', 20, FOREVER, async () => 'in'), 'in')
  })

  it('gives a place back when the work fails', async () => {
    const gate = new Gate(1, 0)
    const work = (): Promise<never> => Promise.reject(new Error('no'))
    await assert.rejects(gate.run('a', 20, FOREVER, work), /no/)
    await assert.rejects(gate.run('a', 20, FOREVER, work), /no/)
  })
})

describe('a server that is down', () => {
  const OPTIONS = { timeout: 150, retransmitAfter: 40, coolDown: 150 }

  const bringDown = async (server: FakeRadius, radius: LoggingRadius): Promise<void> => {
    server.behave = silent
    for (let count = 0; count < 3; count += 1) {
      await radius.verify('alice', 'right', CALLER)
    }
  }

  it('costs nothing any more after three failures, and is told of once', async () => {
    await using server = await startFakeRadius()
    await using radius = radiusAt([server], OPTIONS)
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
    assert.equal(radius.lines.filter((line) => line.includes('left alone')).length, 1)
  })

  it('is tried by one request, and by all once that was answered', async () => {
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
    assert.equal(radius.lines.filter((line) => line.includes('is back')).length, 1)
  })

  it('is asked with Status-Server where it answers that, and with no password', async () => {
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

  it('costs a request with another server to go to at most one interval', async () => {
    await using first = await startFakeRadius()
    await using second = await startFakeRadius()
    await using radius = radiusAt([first, second], { ...OPTIONS, timeout: 1_000 })
    await bringDown(first, radius)
    await pause(2 * OPTIONS.coolDown)
    const began = performance.now()
    assert.equal((await radius.verify('alice', 'right', CALLER)).outcome, 'verified')
    assert.ok(performance.now() - began < 400)
    first.behave = judge
    await pause(2 * OPTIONS.coolDown)
    await radius.verify('alice', 'right', CALLER)
    const before = second.requests.length
    await radius.verify('alice', 'right', CALLER)
    assert.equal(second.requests.length, before)
  })

  it('is not taken for down for being silent about some requests', async () => {
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

  it('is noticed although every caller leaves before its time is over', async () => {
    await using server = await startFakeRadius(silent)
    await using radius = radiusAt([server], { ...OPTIONS, timeout: 60_000 })
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
