// ext_authz over real gRPC: whatever happens inside, an explicit answer, and exactly one event.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DecisionEvent } from '../../src/audit/event.ts'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import type { ListenAddress } from '../../src/runtime/grpc-server.ts'
import type { Transformation } from '../../src/transform/transformer.ts'
import { factsOf, fakeAuthenticator, type FakeAnswer } from '../fakes/authenticator.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { messageOf, type Outcome } from '../fakes/envoy-client.ts'
import { randomFrom } from '../fakes/random.ts'
import type { RouteParts } from '../fakes/route.ts'
import { startService, type FakeService } from '../fakes/service.ts'
import { snapshotOf } from '../fakes/snapshot.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const start = (route: RouteParts, address?: ListenAddress): Promise<FakeService> => {
  const value = snapshotOf([route])
  return startService(() => ({ value, generation: 3 }), address)
}

const answering = (answer: FakeAnswer): RouteParts => ({
  authenticators: [fakeAuthenticator('staff', answer)],
})

const PROVEN: Authentication = {
  outcome: 'authenticated',
  facts: factsOf({ groups: ['dev', 'ops'] }),
}

/** The one event that there must be, which must agree with the answer. */
const eventOf = ({ audit }: FakeService, outcome: Outcome): DecisionEvent => {
  const [event, ...more] = audit.takeDecisions()
  assert.ok(event !== undefined && more.length === 0)
  assert.equal(event.id, outcome.id)
  assert.equal(event.decision, outcome.allow ? 'allow' : 'deny')
  return event
}

/** Waits for events that come after the call has ended. */
const untilEvent = async ({ audit }: FakeService): Promise<readonly DecisionEvent[]> => {
  for (let wait = 0; wait < 200 && audit.events.length === 0; wait++) {
    // oxlint-disable-next-line no-await-in-loop -- polling
    await sleep(10)
  }
  await sleep(30) // for a second one, which must not come
  return audit.takeDecisions()
}

for (const kind of ['tcp', 'unix'] as const) {
  describe(`a check over ${kind}`, () => {
    const over = async (route: RouteParts, act: (service: FakeService) => Promise<void>) => {
      await using folder = await temporaryFolder()
      const address: ListenAddress =
        kind === 'unix'
          ? { kind, path: folder.file('authz.sock') }
          : { kind, host: '127.0.0.1', port: 0 }
      await using service = await start(route, address)
      await act(service)
    }

    it('that is allowed gets headers, and loses what it brought', async () => {
      await over(answering(PROVEN), async (service) => {
        const outcome = await service.client.check({
          method: 'PUT',
          path: '/api?token=abc',
          host: 'App.example.org:8443',
          headers: [
            ['authorization', 'Basic YTpi'],
            ['x_remote_user', 'admin'],
            ['x-remote-group', 'system:masters'],
            ['x-request-id', 'f3a0'],
          ],
        })
        assert.deepEqual(outcome, {
          allow: true,
          id: outcome.id,
          set: { 'x-remote-user': 'alice', 'x-remote-group': 'dev,ops' },
          remove: ['authorization', 'x_remote_user', 'x-remote-group'],
        })
        assert.match(outcome.id, /^[0-9a-f-]{36}$/)
        assert.deepEqual(eventOf(service, outcome), {
          event: 'decision',
          id: outcome.id,
          request: 'f3a0',
          decision: 'allow',
          reason: 'permitted',
          status: 200,
          route: 'app',
          method: 'PUT',
          host: 'app.example.org',
          path: '/api?token=[withheld]',
          source: '203.0.113.7',
          user: 'alice',
          groups: ['dev', 'ops'],
          authenticator: 'staff',
          authentication: 'basic',
          credential: 'fingerprint',
          rule: 'all',
          forwarded: ['headers'],
          duration: 0,
          generation: 3,
        })
      })
    })

    it('that is refused gets the answer for the caller', async () => {
      await over(answering({ outcome: 'not-applicable' }), async (service) => {
        const outcome = await service.client.check({})
        assert.ok(!outcome.allow)
        assert.equal(outcome.status, 'Unauthorized')
        assert.equal(outcome.headers['www-authenticate'], 'Fake realm="staff"')
        assert.match(outcome.body, /^401 Unauthorized\n/)
        assert.equal(eventOf(service, outcome).reason, 'credential-missing')
      })
    })

    it('may be asked for its health', async () => {
      await over({}, async ({ client }) => assert.equal(await client.health(), 'SERVING'))
    })
  })
}

describe('every refusal', () => {
  const failing = (answer: Transformation): RouteParts => ({
    ...answering(PROVEN),
    transformers: [{ kind: 'headers', transform: () => answer }],
  })
  const lines = (...names: readonly string[]): RequestParts => ({
    headers: names.map((name) => [name, 'x']),
  })
  const CASES: readonly {
    reason: string
    status: string
    route: RouteParts
    request?: RequestParts
    user?: string
  }[] = [
    { reason: 'malformed-method', status: 'BadRequest', route: {}, request: { method: 'get' } },
    { reason: 'malformed-host', status: 'BadRequest', route: {}, request: { host: 'a b' } },
    { reason: 'malformed-path', status: 'BadRequest', route: {}, request: { path: '/%' } },
    { reason: 'ambiguous-path', status: 'BadRequest', route: {}, request: { path: '/..' } },
    {
      reason: 'duplicate-credential',
      status: 'BadRequest',
      route: {},
      request: lines('authorization', 'authorization'),
    },
    {
      reason: 'connection-nomination',
      status: 'BadRequest',
      route: {},
      request: lines('connection'),
    },
    { reason: 'impersonation', status: 'Forbidden', route: {}, request: lines('impersonate-user') },
    { reason: 'no-route', status: 'Forbidden', route: {}, request: { route: 'other' } },
    { reason: 'credential-missing', status: 'Unauthorized', route: {} },
    ...(['credential-malformed', 'credential-wrong', 'user-unknown', 'user-disabled'] as const).map(
      (code) => ({
        reason: code,
        status: 'Unauthorized',
        route: answering({ outcome: 'rejected', code, user: 'alice' }),
        user: 'alice',
      }),
    ),
    {
      reason: 'authenticator-unavailable',
      status: 'ServiceUnavailable',
      route: answering({ outcome: 'unavailable', cause: new Error('down') }),
    },
    {
      reason: 'identity-reserved',
      status: 'Forbidden',
      route: answering({ outcome: 'authenticated', facts: factsOf({ user: 'system:x' }) }),
      user: 'system:x',
    },
    {
      reason: 'identity-unrepresentable',
      status: 'Forbidden',
      route: answering({ outcome: 'authenticated', facts: factsOf({ user: 'a\n' }) }),
      user: 'a\n',
    },
    {
      reason: 'rule-denied',
      status: 'Forbidden',
      route: { ...answering(PROVEN), rules: [{ deny: 'all' }] },
      user: 'alice',
    },
    {
      reason: 'no-rule',
      status: 'Forbidden',
      route: { ...answering(PROVEN), rules: [] },
      user: 'alice',
    },
    {
      reason: 'header-unrepresentable',
      status: 'Forbidden',
      route: failing({ outcome: 'failed', code: 'header-unrepresentable' }),
      user: 'alice',
    },
    {
      reason: 'headers-too-large',
      status: 'Forbidden',
      route: failing({ outcome: 'failed', code: 'headers-too-large' }),
      user: 'alice',
    },
    {
      reason: 'transform-unavailable',
      status: 'ServiceUnavailable',
      route: failing({ outcome: 'unavailable', cause: 'down' }),
      user: 'alice',
    },
  ]
  for (const { reason, status, route, request = {}, user } of CASES) {
    it(`${reason} is explicit and audited once`, async () => {
      await using service = await start(route)
      const outcome = await service.client.check(request)
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, status)
      const event = eventOf(service, outcome)
      assert.deepEqual([event.reason, event.user], [reason, user])
      assert.equal(event.forwarded, undefined)
    })
  }
})

describe('a message that is none', () => {
  const whole = messageOf({ headers: [['authorization', 'Basic YTpi']] })
  const random = randomFrom(3)
  const CASES = [
    { name: 'garbage', input: Buffer.from('ff'.repeat(50), 'hex') },
    { name: 'text', input: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { name: 'cut short', input: whole.subarray(0, -3) },
    { name: 'with something behind', input: Buffer.concat([whole, Buffer.from([0x0a, 0x7f])]) },
    { name: 'not UTF-8', input: messageOf({ path: '/aaaa' }).fill(0xff, 60, 62) },
  ]
  for (const { name, input } of CASES) {
    it(`${name}: is refused and audited once`, async () => {
      await using service = await start(answering(PROVEN))
      const outcome = await service.client.check(input)
      assert.ok(!outcome.allow)
      assert.equal(eventOf(service, outcome).decision, 'deny')
    })
  }

  it('is empty: is refused for what it lacks', async () => {
    await using service = await start(answering(PROVEN))
    const outcome = await service.client.check(Buffer.alloc(0))
    assert.equal(eventOf(service, outcome).reason, 'malformed-method')
  })

  it('of any kind is refused or read, and audited once (seed 3)', async () => {
    await using service = await start(answering({ outcome: 'not-applicable' }))
    for (let round = 0; round < 200; round++) {
      const mutated = Buffer.from(whole)
      for (let flip = 0; flip <= random(3); flip++) mutated[random(mutated.length)] = random(256)
      // oxlint-disable-next-line no-await-in-loop -- one at a time, for the event
      const outcome = await service.client.check(mutated)
      assert.ok(!outcome.allow)
      eventOf(service, outcome)
    }
  })
})

describe('a bug', () => {
  const throwing = (): never => {
    throw new TypeError('the bug')
  }
  const PLACES: readonly { name: string; route: RouteParts; reason: string }[] = [
    {
      name: 'in an authenticator',
      route: answering(() => Promise.reject(new TypeError('the bug'))),
      reason: 'authenticator-unavailable',
    },
    {
      name: 'in a transformer',
      route: { ...answering(PROVEN), transformers: [{ kind: 'headers', transform: throwing }] },
      reason: 'fault',
    },
    {
      name: 'in a transformer, later',
      route: {
        ...answering(PROVEN),
        transformers: [
          { kind: 'headers', transform: () => Promise.reject(new TypeError('the bug')) },
        ],
      },
      reason: 'fault',
    },
  ]
  for (const { name, route, reason } of PLACES) {
    it(`${name} is a refusal, in the log, audited once, and unknown to the caller`, async () => {
      await using service = await start(route)
      const outcome = await service.client.check({})
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'ServiceUnavailable')
      assert.equal(eventOf(service, outcome).reason, reason)
      assert.match(service.log.join(), /the bug/)
      assert.doesNotMatch(JSON.stringify(outcome), /bug/)
    })
  }

  it('outside the pipeline is a refusal with an id that the log has', async () => {
    await using service = await startService(throwing)
    const outcome = await service.client.check({})
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.ok(service.log.some((line) => line.includes(outcome.id) && line.includes('the bug')))
  })
})

describe('a caller who leaves', () => {
  const LEAVING = [
    { name: 'by cancelling', deadline: 20_000, cancel: true },
    { name: 'by its deadline', deadline: 100, cancel: false },
  ]
  for (const { name, deadline, cancel } of LEAVING) {
    it(`${name} is audited once, as cancelled`, async () => {
      const asked = Promise.withResolvers<void>()
      await using service = await start(
        answering(async (_, signal) => {
          asked.resolve()
          const left = Promise.withResolvers<Authentication>()
          signal.addEventListener('abort', () => left.resolve(PROVEN))
          return await left.promise
        }),
      )
      const call = service.client.call({}, Date.now() + deadline)
      await asked.promise
      if (cancel) call.cancel()
      await assert.rejects(call.outcome, { code: cancel ? 1 : 4 })
      const events = await untilEvent(service)
      assert.deepEqual(
        events.map(({ decision, reason, route }) => ({ decision, reason, route })),
        [{ decision: 'deny', reason: 'cancelled', route: 'app' }],
      )
    })
  }
})

describe('an event that cannot be written', () => {
  it('turns an allow into a refusal', async () => {
    await using service = await start(answering(PROVEN))
    service.audit.full = true
    const outcome = await service.client.check({})
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.match(service.log.join(), /audit event lost/)
    service.audit.full = false
    assert.ok((await service.client.check({})).allow)
  })

  it('leaves an allow as it is where the route says so', async () => {
    await using service = await start({ ...answering(PROVEN), onAuditFailure: 'allow' })
    service.audit.full = true
    const outcome = await service.client.check({})
    assert.ok(outcome.allow)
    assert.ok(service.log.some((line) => line.includes(outcome.id)))
  })

  for (const onAuditFailure of ['deny', 'allow'] as const) {
    it(`leaves a refusal as it is, with onAuditFailure: ${onAuditFailure}`, async () => {
      await using service = await start({ ...answering(PROVEN), rules: [], onAuditFailure })
      service.audit.full = true
      const outcome = await service.client.check({})
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'Forbidden')
    })
  }
})

describe('many checks at once', () => {
  it('each get their own answer and one event', async () => {
    const random = randomFrom(9)
    await using service = await start(
      answering(async ({ path }) => {
        await sleep(random(20))
        return path.startsWith('/no')
          ? { outcome: 'rejected', code: 'credential-wrong' }
          : { outcome: 'authenticated', facts: factsOf({ user: path.slice(1) }) }
      }),
    )
    const users = Array.from(
      { length: 200 },
      (_, index) => (index % 3 === 0 ? 'no' : 'user') + index,
    )
    const outcomes = await Promise.all(
      users.map((user) => service.client.check({ path: `/${user}` })),
    )
    for (const [index, outcome] of outcomes.entries()) {
      const user = users[index] ?? ''
      assert.equal(outcome.allow, !user.startsWith('no'))
      if (outcome.allow) assert.equal(outcome.set['x-remote-user'], user)
    }
    const events = service.audit.takeDecisions()
    assert.deepEqual(
      new Map(events.map(({ id, path }) => [id, path])),
      new Map(outcomes.map(({ id }, index) => [id, `/${users[index]}`])),
    )
    assert.equal(events.length, users.length)
  })
})
