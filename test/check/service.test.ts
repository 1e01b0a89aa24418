// ext_authz over real gRPC: an explicit answer, and exactly one event. What goes wrong inside is in
// service-faults.test.ts, every refusal in service-refusals.test.ts.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DecisionEvent } from '../../src/audit/event.ts'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { handleDigest } from '../../src/grant/handle.ts'
import type { ListenAddress } from '../../src/runtime/grpc/server.ts'
import { kubernetesHeaders } from '../../src/transform/headers/kubernetes-headers.ts'
import { credentialOf, PROVEN } from '../fakes/authenticator.ts'
import { randomFrom } from '../fakes/random.ts'
import type { RouteParts } from '../fakes/route.ts'
import { answering, eventOf, startRoute, type FakeService } from '../fakes/service.ts'
import { asEnvoySends, presentedCertificate } from '../fixtures/presented.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { Granting } from '../transform/granting.ts'

/** Waits for events that come after the call has ended. */
const untilEvent = async ({ audit }: FakeService): Promise<readonly DecisionEvent[]> => {
  for (let wait = 0; wait < 200 && audit.events.length === 0; wait++) {
    await sleep(10)
  }
  await sleep(30) // for a second one, which must not come
  return audit.takeDecisions()
}

const over = async (
  kind: ListenAddress['kind'],
  route: RouteParts,
  act: (service: FakeService) => Promise<void>,
): Promise<void> => {
  await using folder = await temporaryFolder()
  const address: ListenAddress =
    kind === 'unix'
      ? { kind, path: folder.file('authz.sock') }
      : { kind, host: '127.0.0.1', port: 0 }
  await using service = await startRoute(route, address)
  await act(service)
}

for (const kind of ['tcp', 'unix'] as const) {
  describe(`a check over ${kind}`, () => {
    it('that is allowed sets headers, and removes those of the client', async () => {
      await over(kind, answering(PROVEN), async (service) => {
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
          queryOmitted: undefined,
          source: '203.0.113.7',
          user: 'alice',
          groups: ['dev', 'ops'],
          groupsOmitted: undefined,
          authenticator: 'staff',
          authentication: 'basic',
          credential: 'fingerprint',
          presented: undefined,
          userHash: undefined,
          rule: 'all',
          shadow: undefined,
          detail: undefined,
          kubernetes: undefined,
          operation: undefined,
          forwarded: ['headers'],
          handle: undefined, // which is not written: see the sink
          jti: undefined,
          duration: 0,
          generation: 3,
        })
      })
    })

    it('that is refused has the answer for the caller', async () => {
      await over(kind, answering({ outcome: 'not-applicable' }), async (service) => {
        const outcome = await service.client.check({})
        assert.ok(!outcome.allow)
        assert.equal(outcome.status, 'Unauthorized')
        assert.equal(outcome.headers['www-authenticate'], 'Fake realm="staff"')
        assert.match(outcome.body, /^401 Unauthorized\n/)
        assert.equal(eventOf(service, outcome).reason, 'credential-missing')
      })
    })

    it('has the health check of gRPC', async () => {
      await over(kind, {}, async ({ client }) => assert.equal(await client.health(), 'SERVING'))
    })
  })
}

describe('a route that forwards a certificate', () => {
  const ROUTE = answering(PROVEN)

  it('has the handle for Envoy in full, and its digest in the audit log', async () => {
    const transformers = [kubernetesHeaders(), new Granting().transformer]
    await using service = await startRoute({ ...ROUTE, transformers })
    const outcome = await service.client.check({})
    assert.ok(outcome.allow && outcome.secret !== undefined)
    assert.deepEqual(outcome.set, { 'x-remote-user': 'alice', 'x-remote-group': 'dev,ops' })
    const event = eventOf(service, outcome)
    assert.equal(event.handle, handleDigest(outcome.secret))
    assert.deepEqual(event.forwarded, ['headers', 'certificate'])
    // A reader of the log must not be able to request the certificate from the signer.
    assert.ok(!JSON.stringify(event).includes(outcome.secret))
  })

  it('has the same handle for the same caller in every answer', async () => {
    await using service = await startRoute({ ...ROUTE, transformers: [new Granting().transformer] })
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => service.client.check({})))
    assert.equal(new Set(outcomes.map((outcome) => outcome.allow && outcome.secret)).size, 1)
    assert.equal(new Set(service.audit.takeDecisions().map(({ handle }) => handle)).size, 1)
  })

  it('refuses where it cannot make a grant', async () => {
    const { transformer } = new Granting({ subject: {}, delegate: {} })
    await using service = await startRoute({ ...ROUTE, transformers: [transformer] })
    const outcome = await service.client.check({})
    assert.ok(!outcome.allow && outcome.status === 'Forbidden')
    const { reason, handle, forwarded, rule } = eventOf(service, outcome)
    assert.deepEqual(
      { reason, handle, forwarded, rule },
      { reason: 'certificate-missing', handle: undefined, forwarded: undefined, rule: 'all' },
    )
  })

  it('copies the certificate that an authenticator proved', async () => {
    const { transformer } = new Granting({ subject: {}, delegate: {} })
    const certificateDer = await presentedCertificate()
    const proven = {
      outcome: 'authenticated',
      credential: credentialOf({ certificateDer }),
    } as const
    await using service = await startRoute({ ...answering(proven), transformers: [transformer] })
    const outcome = await service.client.check({})
    assert.ok(outcome.allow && outcome.secret !== undefined)
    assert.equal(eventOf(service, outcome).handle, handleDigest(outcome.secret))
  })

  it('does not copy the connection’s certificate where no authenticator proved it', async () => {
    const { transformer } = new Granting({ subject: {}, delegate: {} })
    await using service = await startRoute({ ...ROUTE, transformers: [transformer] })
    const peerCertificate = asEnvoySends(await presentedCertificate())
    const outcome = await service.client.check({ peerCertificate })
    assert.ok(!outcome.allow)
    assert.equal(eventOf(service, outcome).reason, 'certificate-missing')
  })

  it('needs no keyring where it forwards no certificate', async () => {
    await using service = await startRoute(ROUTE)
    const outcome = await service.client.check({})
    assert.ok(outcome.allow && !('secret' in outcome))
    assert.equal(eventOf(service, outcome).handle, undefined)
  })
})

describe('a caller that leaves', () => {
  it('is audited once, as cancelled', async () => {
    const asked = Promise.withResolvers<void>()
    await using service = await startRoute(
      answering(async (_, signal) => {
        asked.resolve()
        const left = Promise.withResolvers<Authentication>()
        signal.addEventListener('abort', () => left.resolve(PROVEN))
        return await left.promise
      }),
    )
    const call = service.client.call({})
    await asked.promise
    call.cancel()
    await assert.rejects(call.outcome, { code: 1 })
    const events = await untilEvent(service)
    assert.deepEqual(
      events.map(({ decision, reason, route }) => ({ decision, reason, route })),
      [{ decision: 'deny', reason: 'cancelled', route: 'app' }],
    )
  })
})

describe('simultaneous checks', () => {
  it('have each their own answer and one event', async () => {
    const random = randomFrom(9)
    await using service = await startRoute(
      answering(async ({ path }) => {
        await sleep(random(20))
        return path.startsWith('/no')
          ? { outcome: 'rejected', code: 'credential-wrong' }
          : { outcome: 'authenticated', credential: credentialOf({ user: path.slice(1) }) }
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
