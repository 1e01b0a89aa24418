// Refusals on routes of `kind: kubernetes`: Status objects, in the API server's own words.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import type { DenyAnswer } from '../../../src/check/answer/answer.ts'
import type { Refusal } from '../../../src/check/answer/public-refusal.ts'
import type { CheckContext } from '../../../src/check/context.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { routeOf } from '../../fakes/route.ts'
import { ID, refuse, refuseBy, contextOf, valuesOf } from './refusing.ts'
import { REFUSALS } from './refusals.ts'

const KUBERNETES = { kind: 'kubernetes' } as const

const Status = z.strictObject({
  kind: z.literal('Status'),
  apiVersion: z.literal('v1'),
  metadata: z.strictObject({}),
  status: z.literal('Failure'),
  message: z.string(),
  reason: z.string().optional(),
  details: z
    .strictObject({
      name: z.string().optional(),
      group: z.string().optional(),
      kind: z.string().optional(),
      retryAfterSeconds: z.int().positive().optional(),
    })
    .optional(),
  code: z.int(),
})

const statusIn = (answer: DenyAnswer): z.infer<typeof Status> => {
  assert.deepEqual(valuesOf(answer, 'content-type'), ['application/json'])
  const status = Status.parse(JSON.parse(answer.body))
  assert.equal(status.code, answer.httpStatus)
  return status
}

const asking = (request: RequestParts, user?: string): CheckContext =>
  contextOf(request, KUBERNETES, user)

const messageOf = (request: RequestParts, user?: string): string =>
  statusIn(refuse({ reason: 'rule-denied', rule: 'no-secrets' }, asking(request, user))).message

describe('a Status for a refusal by a rule', () => {
  const CASES: readonly { name: string; path: string; method?: string; want: string }[] = [
    {
      name: 'of a list in a namespace',
      path: '/api/v1/namespaces/default/secrets',
      want: 'secrets is forbidden: User "alice" cannot list resource "secrets" in API group "" in the namespace "default"',
    },
    {
      name: 'of a list in all namespaces',
      path: '/api/v1/secrets?watch=true',
      want: 'secrets is forbidden: User "alice" cannot watch resource "secrets" in API group "" at the cluster scope',
    },
    {
      name: 'of an object',
      path: '/api/v1/namespaces/default/secrets/a',
      method: 'DELETE',
      want: 'secrets "a" is forbidden: User "alice" cannot delete resource "secrets" in API group "" in the namespace "default"',
    },
    {
      name: 'of a subresource in an API group',
      path: '/apis/apps/v1/namespaces/a/deployments/b/scale',
      method: 'PATCH',
      want: 'deployments.apps "b" is forbidden: User "alice" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a"',
    },
    {
      name: 'of a path without a resource',
      path: '/healthz',
      want: 'forbidden: User "alice" cannot get path "/healthz"',
    },
    {
      name: 'of a name with markup',
      path: '/api/v1/nodes/%3Cb%3E&',
      want: 'nodes "<b>&" is forbidden: User "alice" cannot get resource "nodes" in API group "" at the cluster scope',
    },
    {
      name: 'of a path with markup, quotes and a right-to-left override',
      path: '/x/%3Cb%3E%22%E2%80%AE%F3%A0%80%81',
      want: 'forbidden: User "alice" cannot get path "/x/&lt;b&gt;\\"\\u202e\\U000e0001"',
    },
  ]
  for (const { name, path, method = 'GET', want } of CASES) {
    it(`${name} has the API server’s words, the rule and the decision id`, () => {
      const message = messageOf({ path, method })
      assert.equal(message, `${want}: denied by rule "no-secrets" (decision ${ID})`)
    })
  }

  it('names the user, quoted so that it cannot imitate other text', () => {
    const message = messageOf({ path: '/healthz' }, 'a"<b>')
    assert.match(message, /^forbidden: User "a\\"&lt;b&gt;" cannot get/)
  })

  for (const path of [
    '/api',
    '/apis',
    '/apis/apps/v1',
    '/openapi/v3',
    '/version',
    '/api?timeout=32s',
  ]) {
    it(`of ${path} is text, which is all that kubectl reads there`, () => {
      const answer = refuse({ reason: 'no-rule' }, asking({ path }))
      assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
      const [requests] = path.split('?')
      const want = `forbidden: User "alice" cannot get path "${requests}": no rule allows it (decision ${ID})\n`
      assert.equal(answer.body, want)
    })
  }

  it('of a path that only begins like that is a Status', () => {
    statusIn(refuse({ reason: 'no-rule' }, asking({ path: '/apiary' })))
  })

  it('has the object in its details', () => {
    const path = '/apis/apps/v1/namespaces/a/deployments/b'
    const { reason, details } = statusIn(refuse({ reason: 'no-rule' }, asking({ path })))
    assert.equal(reason, 'Forbidden')
    assert.deepEqual(details, { name: 'b', group: 'apps', kind: 'deployments' })
    const list = statusIn(refuse({ reason: 'no-rule' }, asking({ path: '/api/v1/pods' })))
    assert.deepEqual(list.details, { kind: 'pods' })
    const none = statusIn(refuse({ reason: 'no-rule' }, asking({ path: '/healthz' })))
    assert.deepEqual(none.details, {})
  })

  it('does not repeat a path of any length', () => {
    const { body } = refuse({ reason: 'no-rule' }, asking({ path: `/${'%22'.repeat(20_000)}` }))
    assert.ok(body.length < 20_000, String(body.length))
  })
})

describe('a Status for another refusal with 403', () => {
  const PODS = '/api/v1/pods'
  const CASES: readonly { reason: Refusal; want: string; request?: RequestParts }[] = [
    { reason: 'no-rule', want: `no rule allows it (decision ${ID})` },
    { reason: 'rule-failed', want: `rule "r" could not be evaluated (decision ${ID})` },
    {
      reason: 'impersonation',
      request: { headers: [['impersonate-user', 'bob<']] },
      want: `no rule allows it as "bob&lt;" (decision ${ID})`,
    },
    {
      reason: 'headers-too-large',
      want: `This identity, with all its groups, is too large to be forwarded. Ask the operator of this service (decision ${ID})`,
    },
  ]
  for (const { reason, want, request = {} } of CASES) {
    it(`${reason} names user, operation and reason`, () => {
      const context = asking({ path: PODS, ...request })
      const { message } = statusIn(refuse({ reason, rule: 'r' }, context))
      const action =
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope'
      assert.equal(message, `${action}: ${want}`)
    })
  }

  it('is bounded, however long the request is', () => {
    const long = 'a'.repeat(50_000)
    for (const path of [
      `/apis/${long}/v1/x`,
      `/api/v1/${long}/x`,
      `/api/v1/x/${long}`,
      `/${long}`,
    ]) {
      const { body } = refuse({ reason: 'no-rule' }, asking({ path }))
      assert.ok(body.length < 8_192, `${body.length} characters`)
    }
  })

  it('names no user who is not proven', () => {
    const { identity: _, ...context } = asking({ path: PODS })
    const answer = refuse({ reason: 'identity-reserved', claimedUser: 'eve' }, context)
    assert.equal(
      statusIn(answer).message,
      `forbidden: This identity contains a reserved name. Log in as another user (decision ${ID})`,
    )
    assert.doesNotMatch(answer.body, /eve|alice/)
  })
})

describe('a Status for any refusal', () => {
  const REASONS: Readonly<Record<number, string>> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    429: 'TooManyRequests',
    503: 'ServiceUnavailable',
  }
  const STAGES: readonly { name: string; context: CheckContext }[] = [
    { name: 'the route is known', context: { route: routeOf(KUBERNETES) } },
    { name: 'everything is known', context: asking({ path: '/api/v1/pods' }) },
  ]
  for (const { name, context } of STAGES) {
    it(`has the reason of its code and the decision id where ${name}`, () => {
      for (const reason of REFUSALS) {
        const status = statusIn(refuse({ reason, rule: 'r', cause: 'secret' }, context))
        assert.equal(status.reason, REASONS[status.code])
        assert.ok(status.message.endsWith(`(decision ${ID})`), status.message)
        assert.doesNotMatch(JSON.stringify(status), /secret/)
      }
    })
  }

  it('is not sent while the route is unknown', () => {
    const answer = refuse({ reason: 'internal-error' })
    assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
  })

  it('is sent whatever the Accept header', () => {
    for (const accept of ['text/html', 'application/problem+json', '']) {
      statusIn(refuse({ reason: 'no-rule' }, asking({ headers: [['accept', accept]] })))
    }
  })
})

describe('the time to retry', () => {
  const waitOf = (reason: Refusal, retryAfter?: number) => {
    const context = asking({ path: '/api/v1/pods' })
    const answer = refuse({ reason, ...(retryAfter === undefined ? {} : { retryAfter }) }, context)
    const { details } = statusIn(answer)
    return { header: valuesOf(answer, 'retry-after'), detail: details?.retryAfterSeconds }
  }

  it('is in the Status only for a user who is locked out, since client-go would retry by the header', () => {
    assert.deepEqual(waitOf('too-many-attempts', 900), { header: [], detail: 900 })
    assert.deepEqual(waitOf('too-many-attempts', 1e12), { header: [], detail: 2_147_483_647 })
  })

  it('is in the header too for a rate-limited caller, for some seconds', () => {
    assert.deepEqual(waitOf('rate-limited', 2), { header: ['2'], detail: 2 })
  })

  for (const reason of [
    'authenticator-unavailable',
    'authorizer-unavailable',
    'transform-unavailable',
    'audit-unavailable',
  ] as const) {
    it(`is in the header too for ${reason}, which client-go bridges by a retry`, () => {
      assert.deepEqual(waitOf(reason), { header: ['1'], detail: 1 })
    })
  }

  for (const reason of [
    'internal-error',
    'deadline-exceeded',
    'cancelled',
    'credential-wrong',
  ] as const) {
    it(`is absent for ${reason}`, () => {
      assert.deepEqual(waitOf(reason), { header: [], detail: undefined })
    })
  }
})

describe('a Status for the answer of a rule', () => {
  const context = asking({ path: '/api/v1/pods' })
  const refuseWith = (answer: { status?: number; message?: string; body?: string }): DenyAnswer =>
    refuseBy({ deny: 'closed', response: { status: 403, headers: {}, ...answer } }, context)

  it('has the rule’s message', () => {
    assert.equal(
      statusIn(refuseWith({ message: 'Not on Sundays.' })).message,
      `pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope: Not on Sundays (rule "closed", decision ${ID})`,
    )
  })

  const CODES = [
    { status: 404, reason: 'NotFound', details: { kind: 'pods' } },
    { status: 409, reason: 'Conflict', details: { kind: 'pods' } },
    // kubectl would print the details in place of the message.
    { status: 422, reason: 'Invalid', details: undefined },
    { status: 429, reason: 'TooManyRequests', details: undefined },
    { status: 451, reason: undefined, details: undefined },
    { status: 500, reason: 'InternalError', details: undefined },
    { status: 503, reason: 'ServiceUnavailable', details: undefined },
    { status: 599, reason: 'InternalError', details: undefined },
  ]
  for (const { status, reason, details } of CODES) {
    it(`of ${status} has the reason ${reason}, and not the word "forbidden"`, () => {
      const answer = refuseWith({ status, message: 'Closed.' })
      const { code, message, ...rest } = statusIn(answer)
      assert.equal(code, status)
      assert.equal(message, `Closed (rule "closed", decision ${ID})`)
      assert.deepEqual([rest.reason, rest.details], [reason, details])
      assert.deepEqual(valuesOf(answer, 'retry-after'), [])
    })
  }

  it('is replaced by the rule’s own body', () => {
    const answer = refuseWith({ body: 'closed' })
    assert.equal(answer.body, 'closed')
    assert.deepEqual(valuesOf(answer, 'content-type'), ['text/plain; charset=utf-8'])
  })

  it('is sent with a redirect too', () => {
    const { code, reason } = statusIn(refuseBy({ deny: 'login', redirect: '/login' }, context))
    assert.deepEqual([code, reason], [302, undefined])
  })
})
