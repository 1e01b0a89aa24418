// How much one client can write into an audit event: it stays small, and names the request.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PROVEN } from '../fakes/authenticator.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { answering, eventOf, startRoute } from '../fakes/service.ts'

const LONG = 'a'.repeat(8_000)
const NS = '/api/v1/namespaces'

const HOSTILE: readonly { name: string; request: RequestParts; reason?: string }[] = [
  { name: 'a long name', request: { path: `${NS}/n/secrets/${LONG}` } },
  { name: 'a long resource', request: { path: `/api/v1/${LONG}` } },
  { name: 'a long group', request: { path: `/apis/${LONG}/v1/x` } },
  {
    name: 'a long name in a selector',
    request: { path: `${NS}/n/secrets?fieldSelector=metadata.name%3D${LONG}` },
  },
  { name: 'a long impersonated user', request: { headers: [['impersonate-user', LONG]] } },
  {
    name: 'a hundred impersonated groups',
    request: {
      headers: [
        ['impersonate-user', 'a'],
        ...Array.from({ length: 100 }, (_, at) => ['impersonate-group', `group-${at}`] as const),
      ],
    },
  },
  {
    name: 'a hundred extra keys',
    request: {
      headers: [
        ['impersonate-user', 'a'],
        ...Array.from({ length: 100 }, (_, at) => [`impersonate-extra-${at}`, 'x'] as const),
      ],
    },
  },
  { name: 'a long request id', request: { headers: [['x-request-id', LONG]] } },
  { name: 'a long method', request: { method: 'A'.repeat(50_000) }, reason: 'malformed-method' },
  { name: 'a long host', request: { host: LONG }, reason: 'malformed-host' },
]

describe('the audit event of an unauthenticated client (hostile)', () => {
  for (const { name, request, reason = 'credential-missing' } of HOSTILE) {
    it(`is bounded with ${name}`, async () => {
      await using service = await startRoute({
        ...answering({ outcome: 'not-applicable' }),
        kind: 'kubernetes',
      })
      const event = eventOf(service, await service.client.check(request))
      assert.equal(event.reason, reason)
      const length = Buffer.byteLength(JSON.stringify(event))
      assert.ok(length <= 1_990, `${length} characters`)
    })
  }
})

describe('the audit event of an allowed impersonation', () => {
  it('has every group and extra key, however many', async () => {
    const groups = Array.from({ length: 120 }, (_, at) => `group-${at}`)
    await using service = await startRoute({
      ...answering(PROVEN),
      kind: 'kubernetes',
      rules: [{ allow: 'as-others', impersonate: { groups: ['*'], extra: { k: ['*'] } } }],
    })
    const outcome = await service.client.check({
      path: `${NS}/n/pods`,
      headers: [
        ['impersonate-user', 'bob'],
        ...groups.map((group) => ['impersonate-group', group] as const),
        ['impersonate-extra-k', 'v'],
      ],
    })
    assert.ok(outcome.allow)
    const { kubernetes } = eventOf(service, outcome)
    assert.deepEqual(kubernetes?.impersonation, { user: 'bob', groups, extra: ['k'] })
  })
})
