// ext_authz when things go wrong: garbage, bugs, and an audit log that is full.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PROVEN } from '../fakes/authenticator.ts'
import { messageOf } from '../fakes/envoy-client.ts'
import { randomFrom } from '../fakes/random.ts'
import type { RouteParts } from '../fakes/route.ts'
import { answering, eventOf, startRoute, startService } from '../fakes/service.ts'

const throwing = (): never => {
  throw new TypeError('the bug')
}

describe('a malformed message', () => {
  const whole = messageOf({ headers: [['authorization', 'Basic YTpi']] })
  const random = randomFrom(3)
  const CASES = [
    { name: 'random bytes', input: Buffer.from('ff'.repeat(50), 'hex') },
    { name: 'text', input: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { name: 'a truncated message', input: whole.subarray(0, -3) },
    { name: 'bytes after the end', input: Buffer.concat([whole, Buffer.from([0x0a, 0x7f])]) },
    { name: 'text that is not UTF-8', input: messageOf({ path: '/aaaa' }).fill(0xff, 60, 62) },
  ]
  for (const { name, input } of CASES) {
    it(`${name}: is refused and audited once`, async () => {
      await using service = await startRoute(answering(PROVEN))
      const outcome = await service.client.check(input)
      assert.ok(!outcome.allow)
      assert.equal(eventOf(service, outcome).decision, 'deny')
    })
  }

  it('without content is refused for its missing attributes', async () => {
    await using service = await startRoute(answering(PROVEN))
    const outcome = await service.client.check(Buffer.alloc(0))
    assert.equal(eventOf(service, outcome).reason, 'malformed-method')
  })

  it('with random damage is refused or decoded, and audited once (seed 3)', async () => {
    await using service = await startRoute(answering({ outcome: 'not-applicable' }))
    for (let round = 0; round < 200; round++) {
      const mutated = Buffer.from(whole)
      for (let flip = 0; flip <= random(3); flip++) mutated[random(mutated.length)] = random(256)
      const outcome = await service.client.check(mutated)
      assert.ok(!outcome.allow)
      eventOf(service, outcome)
    }
  })
})

describe('a bug', () => {
  const PLACES: readonly { name: string; route: RouteParts; reason: string }[] = [
    {
      name: 'in an authenticator',
      route: answering(() => Promise.reject(new TypeError('the bug'))),
      reason: 'authenticator-unavailable',
    },
    {
      name: 'in a transformer',
      route: { ...answering(PROVEN), transformers: [{ kind: 'headers', transform: throwing }] },
      reason: 'internal-error',
    },
    {
      name: 'in a transformer, after a wait',
      route: {
        ...answering(PROVEN),
        transformers: [
          { kind: 'headers', transform: () => Promise.reject(new TypeError('the bug')) },
        ],
      },
      reason: 'internal-error',
    },
  ]
  for (const { name, route, reason } of PLACES) {
    it(`${name} is a refusal, logged, audited once, and not described to the caller`, async () => {
      await using service = await startRoute(route)
      const outcome = await service.client.check({})
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'ServiceUnavailable')
      assert.equal(eventOf(service, outcome).reason, reason)
      assert.match(service.log.join(), /the bug/)
      assert.doesNotMatch(JSON.stringify(outcome), /bug/)
    })
  }

  it('outside of the phases is a refusal whose id is in the log', async () => {
    await using service = await startService(throwing)
    const outcome = await service.client.check({})
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.ok(service.log.some((line) => line.includes(outcome.id) && line.includes('the bug')))
  })
})

describe('an audit event that cannot be written', () => {
  it('turns an allow into a refusal', async () => {
    await using service = await startRoute(answering(PROVEN))
    service.audit.full = true
    const outcome = await service.client.check({})
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.match(service.log.join(), /audit event lost/)
    service.audit.full = false
    assert.ok((await service.client.check({})).allow)
  })

  it('leaves an allow as it is with `onAuditFailure: allow`', async () => {
    await using service = await startRoute({ ...answering(PROVEN), onAuditFailure: 'allow' })
    service.audit.full = true
    const outcome = await service.client.check({})
    assert.ok(outcome.allow)
    assert.ok(service.log.some((line) => line.includes(outcome.id)))
  })

  for (const onAuditFailure of ['deny', 'allow'] as const) {
    it(`leaves a refusal as it is, with onAuditFailure: ${onAuditFailure}`, async () => {
      await using service = await startRoute({ ...answering(PROVEN), rules: [], onAuditFailure })
      service.audit.full = true
      const outcome = await service.client.check({})
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, 'Forbidden')
    })
  }
})
