// A server that is queried about callers' credentials: which queries are sent, which are not, and what
// other callers notice of it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RateLimited, describeError } from '../../src/runtime/errors.ts'
import { ServerBusy, ServerFailure, ServerRefusesUs } from '../../src/runtime/server-failure.ts'
import {
  SharedServer,
  type Answered,
  type Asker,
  type SharedServerLimits,
} from '../../src/runtime/shared-server.ts'
import { FakeClock } from '../fakes/clock.ts'
import { memoryLogger } from '../fakes/logger.ts'

const GOOD: Answered<string> = { answer: 'yes', isGood: true }
const BAD: Answered<string> = { answer: 'no', isGood: false }

const LIMITS: SharedServerLimits = {
  timeout: 10_000,
  failureThreshold: 3,
  coolDown: 5_000,
  concurrency: 8,
  perCaller: { concurrency: 4, perSecond: 10 },
}

const open = (limits: Partial<SharedServerLimits> = {}) => {
  const clock = new FakeClock()
  const { logger, lines } = memoryLogger()
  const server = new SharedServer({
    name: 'the server',
    limits: { ...LIMITS, ...limits },
    clock,
    logger,
  })
  let requests = 0
  /** What a question comes to, in words. */
  const ask = async (
    asker: Asker | undefined,
    work: () => Answered<string> | Promise<Answered<string>>,
  ): Promise<string> =>
    await server
      .ask(asker, async () => {
        requests += 1
        return await work()
      })
      .catch((cause: unknown) =>
        cause instanceof RateLimited ? 'rate-limited' : describeError(cause),
      )
  return { server, clock, lines, ask, requests: () => requests }
}

const from = (caller: string, subject: string): Asker => ({ caller, subject })
const fail = (error: Error) => (): never => {
  throw error
}
const never = () => new Promise<never>(() => undefined)

const askMany = async (count: number, ask: (index: number) => Promise<string>) =>
  await Promise.all(Array.from({ length: count }, (_, index) => ask(index)))

describe('a caller', () => {
  it('has a budget of queries about invalid credentials, separate from that of other callers', async () => {
    const { ask, requests, server } = open({ perCaller: { concurrency: 100, perSecond: 10 } })
    const outcomes = await askMany(100, (index) => ask(from('mallory', `m${index}`), () => BAD))
    assert.equal(outcomes.filter((outcome) => outcome === 'no').length, 10)
    assert.equal(outcomes.filter((outcome) => outcome === 'rate-limited').length, 90)
    assert.equal(requests(), 10)
    assert.equal(server.refusals.get('rate-limited'), 90)
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
  })

  it('never exceeds its limit of open queries', async () => {
    const { ask } = open()
    const waiting = Array.from({ length: 4 }, (_, index) =>
      ask(from('mallory', `m${index}`), never),
    )
    assert.equal(await ask(from('mallory', 'm5'), () => BAD), 'rate-limited')
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
    assert.equal(waiting.length, 4)
  })

  it('is one for all addresses of an IPv6 network', async () => {
    const { ask } = open({ perCaller: { concurrency: 100, perSecond: 10 } })
    const outcomes = await askMany(30, (index) =>
      ask(from(`2001:db8:0:1::${index.toString(16)}`, `m${index}`), () => BAD),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'no').length, 10)
  })

  it('with many good credentials, as a proxy has, does not use up its budget', async () => {
    const { ask } = open()
    for (let index = 0; index < 100; index += 1) {
      assert.equal(await ask(from('proxy', `good-${index}`), () => GOOD), 'yes')
    }
  })

  it('reports when to come back', async () => {
    const { server } = open({ perCaller: { concurrency: 1, perSecond: 1 } })
    await server.ask(from('mallory', 'm1'), () => Promise.resolve(BAD))
    await assert.rejects(
      server.ask(from('mallory', 'm2'), () => Promise.resolve(BAD)),
      { code: 'rate-limited', retryAfter: 1 },
    )
  })
})

describe('what was good before', () => {
  it('has places that no stranger can take, from however many addresses', async () => {
    const { ask } = open()
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
    const strangers = Array.from({ length: 30 }, (_, index) =>
      ask(from(`m${index}`, `m${index}`), never),
    )
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
    assert.equal(strangers.length, 30)
  })

  it('has no budget, and loses its places when it is good no longer', async () => {
    const { ask, server } = open({ perCaller: { concurrency: 1, perSecond: 1 } })
    const alice = from('alice', 'a')
    for (let time = 0; time < 10; time += 1) assert.equal(await ask(alice, () => GOOD), 'yes')
    assert.equal(server.wasGood(alice), true)
    assert.equal(await ask(alice, () => BAD), 'no')
    assert.equal(server.wasGood(alice), false)
  })
})

describe('a credential without an answer', () => {
  it('is not queried about again for a second, then longer, at most for the cool-down of the circuit', async () => {
    const { ask, requests, clock, server } = open()
    const odd = from('alice', 'odd')
    for (const pause of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      const before = requests()
      for (let time = 0; time < 3; time += 1) {
        assert.equal(await ask(odd, fail(new Error('odd'))), 'odd')
      }
      assert.equal(requests() - before, 1)
      clock.advance(pause - 1)
      assert.equal(await ask(odd, () => GOOD), 'odd')
      clock.advance(1)
    }
    assert.equal(server.refusals.get('cached'), 15)
    assert.equal(await ask(odd, () => GOOD), 'yes')
    assert.equal(server.isUp, true)
  })

  const NOT_REMEMBERED = [
    new ServerRefusesUs('nothing', 'who are you'),
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    new ServerBusy('answered 429', undefined),
  ]
  for (const failure of NOT_REMEMBERED) {
    it(`is queried about again at once where the failure is not the credential’s: ${failure.message}`, async () => {
      const { ask } = open()
      assert.equal(await ask(from('alice', 'a'), fail(failure)), failure.message)
      assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
    })
  }
})

describe('a server', () => {
  it('a server that cannot be reached opens its circuit, with a line when that begins and one when it ends', async () => {
    const { ask, requests, server, clock, lines } = open()
    const down = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const outcomes = await askMany(3, (index) => ask(from(`c${index}`, `s${index}`), fail(down)))
    assert.deepEqual(new Set(outcomes), new Set(['connect ECONNREFUSED']))
    assert.equal(server.isUp, false)
    await askMany(1_000, (index) => ask(from(`d${index}`, `t${index}`), () => GOOD))
    assert.equal(requests(), 3)
    clock.advance(5_000)
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'yes')
    assert.equal(server.isUp, true)
    const [opened, closed, ...more] = lines.map((line): unknown => JSON.parse(line))
    assert.deepEqual(more, [])
    assert.partialDeepStrictEqual(opened, {
      msg: 'server failed: circuit opened',
      failures: 3,
      reason: 'connect ECONNREFUSED',
    })
    assert.partialDeepStrictEqual(closed, {
      msg: 'server recovered: circuit closed',
      refused: 1_000,
    })
  })

  it('a server that refuses us counts as down only for what it took before', async () => {
    const { ask, server } = open()
    const refused = new ServerFailure('nothing', '403')
    await askMany(4, (index) => ask(from('m', `m${index}`), fail(refused)))
    assert.equal(server.isUp, true)
  })

  it('a server that says 429 is queried once more, and a query that is refused again fails', async () => {
    const { ask, requests } = open()
    const answers = [fail(new ServerBusy('answered 429', undefined)), () => GOOD]
    assert.equal(await ask(from('alice', 'a'), () => (answers.shift() ?? never)()), 'yes')
    assert.equal(requests(), 2)
    const busy = fail(new ServerBusy('answered 429', undefined))
    assert.equal(await ask(from('bob', 'b'), busy), 'answered 429')
    assert.equal(requests(), 4)
  })

  it('a server that says 429 to every query is not taken for one that is down', async () => {
    // The fake time does not pass, so the queries that have to wait for their turn end by the timeout.
    const { ask, server, lines } = open({ timeout: 500 })
    const busy = fail(new ServerBusy('answered 429', undefined))
    await askMany(4, (index) => ask(from(`c${index}`, `s${index}`), busy))
    assert.equal(server.isUp, true)
    assert.deepEqual(lines.filter((line) => line.includes('limits the request rate')).length, 1)
  })

  it('a server that cannot take more in time says so', async () => {
    const { ask, server } = open({ timeout: 50, concurrency: 1 })
    void ask(from('mallory', 'm'), never)
    assert.equal(await ask(from('alice', 'a'), () => GOOD), 'no turn at the server in time')
    assert.equal(server.refusals.get('overloaded'), 1)
  })
})
