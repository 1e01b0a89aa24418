// What is counted of checks, over the wire: each once, with the answer that the caller got, and under
// no name that a caller can choose.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import type { CheckServiceOptions } from '../../src/check/service.ts'
import { NO_ROUTE, CheckStatistics } from '../../src/check/statistics.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { randomFrom } from '../fakes/random.ts'
import type { RouteParts } from '../fakes/route.ts'
import { answering, startService } from '../fakes/service.ts'
import { until } from '../fakes/until.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const start = async (...routes: readonly RouteParts[]) => {
  const statistics = new CheckStatistics()
  const value = snapshotOf(routes)
  const service = await startService(() => ({ value, generation: 1 }), undefined, statistics)
  return { service, statistics, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
}

const reasonsOf = (statistics: CheckStatistics): unknown =>
  Object.fromEntries(
    [...statistics.routes].map(([route, { reasons }]) => [route, Object.fromEntries(reasons)]),
  )

const countOf = (distribution: { readonly counts: readonly number[] } | undefined): number =>
  (distribution?.counts ?? []).reduce((sum, count) => sum + count, 0)

const REJECTED: Authentication = { outcome: 'rejected', code: 'credential-wrong', user: 'eve' }

describe('the metrics of a check', () => {
  it('count it once, by route and reason, with its duration', async () => {
    await using running = await start({
      authenticators: [fakeAuthenticator('staff', PROVEN)],
      rules: [{ deny: 'no', paths: ['/no'] }, { allow: 'all' }],
    })
    const { service, statistics } = running
    for (const path of ['/', '/', '/no', '/%2e%2e/']) {
      await service.client.check({ path })
    }
    assert.deepEqual(reasonsOf(statistics), {
      app: { permitted: 2, 'rule-denied': 1 },
      [NO_ROUTE]: { 'ambiguous-path': 1 },
    })
    const app = statistics.routes.get('app')
    assert.deepEqual([countOf(app?.allowed), countOf(app?.denied)], [2, 1])
    assert.equal(app?.certificates, 0)
    assert.deepEqual(statistics.authentications.get('staff'), {
      authenticated: 3,
      rejected: 0,
      unavailable: 0,
    })
    assert.equal(statistics.inFlight, 0)
  })

  const OUTCOMES = [
    { answer: PROVEN, want: { authenticated: 1, rejected: 0, unavailable: 0 } },
    { answer: REJECTED, want: { authenticated: 0, rejected: 1, unavailable: 0 } },
    {
      answer: { outcome: 'unavailable', cause: new Error('down') },
      want: { authenticated: 0, rejected: 0, unavailable: 1 },
    },
    { answer: { outcome: 'not-applicable' }, want: undefined },
  ] as const
  for (const { answer, want } of OUTCOMES) {
    it(`count the credential as it was judged: ${answer.outcome}`, async () => {
      await using running = await start(answering(answer))
      await running.service.client.check({})
      assert.deepEqual(running.statistics.authentications.get('staff'), want)
    })
  }

  it('have it in flight from its arrival to its answer', async () => {
    const { promise, resolve } = Promise.withResolvers<Authentication>()
    await using running = await start(answering(() => promise))
    const { service, statistics } = running
    const calls = [1, 2, 3].map(() => service.client.call({}).outcome)
    await until(() => statistics.inFlight === 3)
    assert.equal(statistics.routes.size, 0)
    resolve(PROVEN)
    await Promise.all(calls)
    assert.deepEqual([statistics.inFlight, reasonsOf(statistics)], [0, { app: { permitted: 3 } }])
  })

  it('do not have it in flight after the caller has left', async () => {
    await using running = await start(
      answering(async (_, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return PROVEN
      }),
    )
    const { service, statistics } = running
    const call = service.client.call({})
    await until(() => statistics.inFlight === 1)
    call.cancel()
    await assert.rejects(call.outcome)
    await until(() => statistics.inFlight === 0)
    assert.deepEqual(reasonsOf(statistics), { app: { cancelled: 1 } })
  })

  it('count the decision that the client got where its event was lost', async () => {
    await using running = await start(answering(PROVEN))
    running.service.audit.full = true
    await running.service.client.check({})
    assert.deepEqual(reasonsOf(running.statistics), { app: { 'audit-unavailable': 1 } })
  })

  it('count a fault outside of the phases once', async () => {
    const statistics = new CheckStatistics()
    const current: CheckServiceOptions['current'] = () => {
      throw new Error('bug')
    }
    await using service = await startService(current, undefined, statistics)
    await service.client.check({})
    assert.deepEqual(reasonsOf(statistics), { [NO_ROUTE]: { 'internal-error': 1 } })
    assert.equal(statistics.inFlight, 0)
  })
})

describe('the metrics of a rule', () => {
  const CANNOT_SAY = 'request.headers["x-odd"][0] == "y"'
  const judged = async (
    parts: RouteParts,
    paths: readonly string[],
  ): Promise<ReturnType<CheckStatistics['routes']['get']>> => {
    await using running = await start({ ...answering(PROVEN), ...parts })
    for (const path of paths) {
      await running.service.client.check({ path })
    }
    return running.statistics.routes.get('app')
  }

  it('count it when it allows, denies, or cannot be evaluated', async () => {
    const rules = [
      { deny: 'no', paths: ['/no'] },
      { deny: 'odd', paths: ['/odd'], when: CANNOT_SAY },
      { allow: 'asked', paths: ['/asked'], subjectAccessReview: true }, // and no API server
      { allow: 'some', paths: ['/a'] },
    ]
    const app = await judged({ rules }, ['/a', '/a', '/no', '/odd', '/asked', '/other'])
    assert.deepEqual(Object.fromEntries(app?.rules ?? []), {
      some: { allow: 2, deny: 0, failed: 0 },
      no: { allow: 0, deny: 1, failed: 0 },
      odd: { allow: 0, deny: 0, failed: 1 },
      asked: { allow: 0, deny: 0, failed: 1 },
    })
    assert.equal(app?.shadows.size, 0)
  })

  it('count it as allowed though no credential could be made, as audit does', async () => {
    const failed = { outcome: 'failed', code: 'headers-too-large' } as const
    const transformers = [{ kind: 'headers', transform: () => failed }] as const
    const app = await judged({ transformers }, ['/'])
    assert.deepEqual(app?.rules.get('all'), { allow: 1, deny: 0, failed: 0 })
    assert.deepEqual([countOf(app?.allowed), countOf(app?.denied)], [0, 1])
  })

  it('count a shadow rule by its own decision and by the actual one', async () => {
    const rules = [
      { deny: 'strict', shadow: true, paths: ['/a', '/no'] },
      { allow: 'wide', shadow: true },
      { deny: 'odd', shadow: true, paths: ['/odd'], when: CANNOT_SAY },
      { deny: 'no', paths: ['/no'] },
      { allow: 'all' },
    ]
    const app = await judged({ rules }, ['/a', '/a', '/no', '/odd'])
    const none = { allow: 0, deny: 0 }
    assert.deepEqual(Object.fromEntries(app?.shadows ?? []), {
      strict: { allow: none, deny: { allow: 2, deny: 1 }, failed: none },
      wide: { allow: { allow: 3, deny: 1 }, deny: none, failed: none },
      odd: { allow: none, deny: none, failed: { allow: 1, deny: 0 } },
    })
    assert.deepEqual([...(app?.rules.keys() ?? [])], ['all', 'no'])
  })
})

describe('the metrics under attack', () => {
  it('get no further series, whatever hosts, paths, methods and users clients send', async () => {
    await using running = await start({
      match: { hosts: ['app.example.org'] },
      authenticators: [
        fakeAuthenticator('staff', (request) =>
          Promise.resolve({ ...REJECTED, user: request.path }),
        ),
      ],
    })
    const { service, statistics } = running
    const random = randomFrom(7)
    for (let round = 0; round < 300; round += 1) {
      const word = random(1e9).toString(36)
      const host = round % 3 === 0 ? 'app.example.org' : `${word}.example.org`
      const route = round % 5 === 0 ? { route: word } : {}
      await service.client.check({ host, path: `/${word}\n`, method: word.toUpperCase(), ...route })
      await service.client.check({ host, path: `/${word}`, ...route })
    }
    assert.deepEqual(new Set(statistics.routes.keys()), new Set(['app', NO_ROUTE]))
    assert.deepEqual([...statistics.authentications.keys()], ['staff'])
    const reasons = [...statistics.routes.values()].flatMap((route) => [...route.reasons.keys()])
    assert.ok(reasons.length < 10, reasons.join())
  })
})
