// Every refusal over real gRPC: explicit, with its status, and audited once.

import assert from 'node:assert/strict'
import { STATUS_CODES } from 'node:http'
import { describe, it } from 'node:test'
import type { Transformation } from '../../src/transform/transformer.ts'
import { credentialOf, PROVEN } from '../fakes/authenticator.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { operationsNeeding } from '../fakes/operations.ts'
import type { RouteParts } from '../fakes/route.ts'
import type { RuleParts } from '../fakes/rules.ts'
import { answering, eventOf, startRoute } from '../fakes/service.ts'

// No such header is sent.
const CANNOT_SAY = 'request.headers["x-odd"][0] == "y"'

const LONG = 'a'.repeat(8_192)

const lines = (...names: readonly string[]): RequestParts => ({
  headers: names.map((name) => [name, 'x']),
})

describe('every refusal', () => {
  const failing = (answer: Transformation): RouteParts => ({
    ...answering(PROVEN),
    transformers: [{ kind: 'headers', transform: () => answer }],
  })
  const CASES: readonly {
    reason: string
    status: string
    route: RouteParts
    request?: RequestParts
    user?: string
  }[] = [
    { reason: 'target-too-long', status: 'URITooLong', route: {}, request: { path: `/${LONG}` } },
    {
      reason: 'header-fields-too-large',
      status: 'RequestHeaderFieldsTooLarge',
      route: {},
      request: lines(...Array.from({ length: 129 }, () => 'x')),
    },
    {
      reason: 'too-many-parameters',
      status: 'BadRequest',
      route: {},
      request: { path: `/?${'&'.repeat(256)}` },
    },
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
    {
      reason: 'ambiguous-query',
      status: 'BadRequest',
      route: { kind: 'kubernetes' },
      request: { path: '/api/v1/pods?watch=0&watch=1' },
    },
    {
      reason: 'impersonation-malformed',
      status: 'BadRequest',
      route: { kind: 'kubernetes' },
      request: lines('impersonate-group'),
    },
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
      route: answering({
        outcome: 'authenticated',
        credential: credentialOf({ user: 'system:x' }),
      }),
      user: 'system:x',
    },
    {
      reason: 'identity-unrepresentable',
      status: 'Forbidden',
      route: answering({ outcome: 'authenticated', credential: credentialOf({ user: 'a\n' }) }),
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
      reason: 'impersonation',
      status: 'Forbidden',
      route: { ...answering(PROVEN), kind: 'kubernetes' },
      request: lines('impersonate-user'),
      user: 'alice',
    },
    {
      reason: 'rule-failed',
      status: 'Forbidden',
      route: { ...answering(PROVEN), rules: [{ deny: 'odd', when: CANNOT_SAY }] },
      user: 'alice',
    },
    {
      reason: 'operation-undefined',
      status: 'Forbidden',
      route: {
        ...answering(PROVEN),
        operations: operationsNeeding(),
        demands: { undefined: 'deny', scopes: 'ignore' },
      },
      user: 'alice',
    },
    {
      reason: 'scope-missing',
      status: 'Forbidden',
      route: {
        ...answering(PROVEN),
        operations: operationsNeeding('users:read'),
        demands: { undefined: 'deny', scopes: 'require' },
      },
      request: { path: '/users' },
      user: 'alice',
    },
    {
      reason: 'authorizer-unavailable',
      status: 'ServiceUnavailable',
      route: { ...answering(PROVEN), rules: [{ allow: 'asked', subjectAccessReview: true }] },
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
    it(`${reason} is an explicit deny, and audited once`, async () => {
      await using service = await startRoute(route)
      const outcome = await service.client.check(request)
      assert.ok(!outcome.allow)
      assert.equal(outcome.status, status)
      const event = eventOf(service, outcome)
      assert.deepEqual([event.reason, event.user], [reason, user])
      assert.equal(STATUS_CODES[event.status]?.replaceAll(' ', ''), status)
      assert.equal(event.forwarded, undefined)
    })
  }
})

describe('the answer of a rule', () => {
  const closed = (rule: RuleParts): RouteParts => ({ ...answering(PROVEN), rules: [rule] })
  const CASES: readonly { name: string; rule: RuleParts; status: number; body: RegExp }[] = [
    {
      name: 'with a status',
      rule: { deny: 'closed', response: { status: 451, body: '{rule}', headers: {} } },
      status: 451,
      body: /^closed$/,
    },
    {
      name: 'with a redirect',
      rule: { deny: 'closed', redirect: 'https://login.example.org/?{url}' },
      status: 302,
      body: /^302 Found/,
    },
  ]
  for (const { name, rule, status, body } of CASES) {
    it(`${name} is sent and audited`, async () => {
      await using service = await startRoute(closed(rule))
      const outcome = await service.client.check({})
      assert.ok(!outcome.allow)
      assert.match(outcome.body, body)
      const event = eventOf(service, outcome)
      assert.deepEqual([event.reason, event.rule, event.status], ['rule-denied', 'closed', status])
    })
  }
})
