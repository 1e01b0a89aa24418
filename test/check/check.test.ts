// The request path: what ends it in each phase, and what is known by then.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../src/check/check.ts'
import { statusOf } from '../../src/check/answer/public-answers.ts'
import type { CheckContext } from '../../src/check/context.ts'
import type { Decision } from '../../src/check/decision.ts'
import { RateLimited } from '../../src/runtime/errors.ts'
import type { Transformation } from '../../src/transform/transformer.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { attributesOf, type RequestParts } from '../fakes/envoy.ts'
import { answering, type RouteParts } from '../fakes/route.ts'
import { snapshotOf } from '../fakes/snapshot.ts'
import { operationsNeeding } from '../fakes/operations.ts'

const operations = operationsNeeding('users:read')

const FOREVER = new AbortController().signal

const run = async (
  parts: RouteParts,
  request: RequestParts = {},
  signal = FOREVER,
): Promise<Decision> => await check(attributesOf(request), snapshotOf([parts]), signal)

const proven = (credential = credentialOf()): Pick<RouteParts, 'authenticators'> =>
  answering({ outcome: 'authenticated', credential })

const transforming = (answer: Transformation): Pick<RouteParts, 'transformers'> => ({
  transformers: [{ kind: 'headers', transform: () => answer }],
})

/** What is known of a request that can be read; and when its rules have been evaluated. */
const READ = ['attributes', 'request', 'route', 'target']
const JUDGED = [...READ, 'authenticator', 'identity', 'shadows']

/** What is known, by name, in the order of the phases. */
const stagesOf = (context: CheckContext): readonly string[] => Object.keys(context)

const DETAILS = ['claimedUser', 'deniedBy', 'detail', 'missingScopes'] as const

/** What a refusal says beyond its reason, its rule and the cause. */
const detailsOf = (decision: Decision): readonly string[] =>
  DETAILS.filter((name) => name in decision)

describe('a check, by phases,', () => {
  const CASES: readonly {
    name: string
    route: RouteParts
    request?: RequestParts
    want: string
    known: readonly string[]
    details?: readonly string[]
  }[] = [
    {
      name: '1. ends at a request that has two readings',
      route: proven(),
      request: { path: '/a/../b' },
      want: 'ambiguous-path',
      known: ['attributes'],
    },
    {
      name: '1. ends at two credentials',
      route: proven(),
      request: {
        headers: [
          ['authorization', 'a'],
          ['authorization', 'b'],
        ],
      },
      want: 'duplicate-credential',
      known: ['attributes'],
    },
    {
      name: '2. ends without a route',
      route: { ...proven(), match: { hosts: ['other.example'] } },
      want: 'no-route',
      known: ['attributes', 'request'],
    },
    {
      name: '2. ends at a route name of Envoy that is not configured',
      route: proven(),
      request: { route: 'other' },
      want: 'no-route',
      known: ['attributes', 'request'],
    },
    {
      name: '2. ends at impersonation on a route that does not support it',
      route: proven(),
      request: { headers: [['impersonate-user', 'bob']] },
      want: 'impersonation',
      known: ['attributes', 'request', 'route'],
    },
    {
      name: '2. ends at a request that an API server can read in two ways',
      route: { ...proven(), kind: 'kubernetes' },
      request: { path: '/api/v1/pods?watch=0&watch=1' },
      want: 'ambiguous-query',
      known: ['attributes', 'request', 'route'],
    },
    {
      name: '2. ends at impersonation without a user',
      route: { ...proven(), kind: 'kubernetes' },
      request: { headers: [['impersonate-group', 'dev']] },
      want: 'impersonation-malformed',
      known: ['attributes', 'request', 'route'],
    },
    {
      name: '3. ends without a credential',
      route: answering({ outcome: 'not-applicable' }),
      want: 'credential-missing',
      known: READ,
    },
    {
      name: '3. ends without authenticators',
      route: {},
      want: 'credential-missing',
      known: READ,
    },
    ...(['credential-malformed', 'credential-wrong', 'user-unknown', 'user-disabled'] as const).map(
      (code) => ({
        name: `3. ends at a rejection: ${code}`,
        route: answering({ outcome: 'rejected', code }),
        want: code,
        known: [...READ, 'authenticator'],
      }),
    ),
    {
      name: '3. ends at the rejection of a named user',
      route: answering({ outcome: 'rejected', code: 'credential-wrong', user: 'alice' }),
      want: 'credential-wrong',
      known: [...READ, 'authenticator'],
      details: ['claimedUser'],
    },
    {
      name: '3. ends where an authenticator is unavailable',
      route: answering({ outcome: 'unavailable', cause: 'down' }),
      want: 'authenticator-unavailable',
      known: [...READ, 'authenticator'],
    },
    {
      name: '3. ends at a bug in an authenticator',
      route: answering(() => Promise.reject(new TypeError('bug'))),
      want: 'authenticator-unavailable',
      known: [...READ, 'authenticator'],
    },
    {
      name: '4. ends at a reserved name',
      route: proven(credentialOf({ groups: ['system:masters'] })),
      want: 'identity-reserved',
      known: [...READ, 'authenticator'],
      details: ['claimedUser', 'detail'],
    },
    {
      name: '4. ends at a name that a header cannot carry',
      route: proven(credentialOf({ user: 'a\nb' })),
      want: 'identity-unrepresentable',
      known: [...READ, 'authenticator'],
      details: ['claimedUser', 'detail'],
    },
    {
      name: '5. ends at a rule that denies',
      route: { ...proven(), rules: [{ deny: 'nobody' }] },
      want: 'rule-denied by nobody',
      known: JUDGED,
      details: ['deniedBy'],
    },
    {
      name: '5. ends where no rule matches',
      route: { ...proven(), rules: [{ allow: 'bob', users: ['bob'] }] },
      want: 'no-rule',
      known: JUDGED,
    },
    {
      name: '5. ends at a rule that cannot be evaluated',
      route: { ...proven(), rules: [{ deny: 'odd', when: 'request.headers["x"][0] == "y"' }] },
      want: 'rule-failed by odd',
      known: JUDGED,
      details: ['detail'],
    },
    {
      name: '5. ends at impersonation that no rule allows',
      route: { ...proven(), kind: 'kubernetes' },
      request: { headers: [['impersonate-user', 'bob']] },
      want: 'impersonation',
      known: JUDGED,
    },
    {
      name: '5. ends at an operation that the OpenAPI document lacks',
      route: { ...proven(), operations, demands: { undefined: 'deny', scopes: 'ignore' } },
      request: { path: '/other' },
      want: 'operation-undefined',
      known: JUDGED,
    },
    {
      name: '5. ends at missing scopes',
      route: { ...proven(), operations, demands: { undefined: 'deny', scopes: 'require' } },
      request: { path: '/users' },
      want: 'scope-missing',
      known: JUDGED,
      details: ['missingScopes'],
    },
    {
      name: '5. ends where the API server is down',
      route: { ...proven(), rules: [{ allow: 'asked', subjectAccessReview: true }] },
      want: 'authorizer-unavailable by asked',
      known: JUDGED,
    },
    {
      name: '6. ends where the credential cannot be represented',
      route: { ...proven(), ...transforming({ outcome: 'failed', code: 'headers-too-large' }) },
      want: 'headers-too-large by all',
      known: [...JUDGED, 'permit'],
    },
    {
      name: '6. ends where the credential is unavailable',
      route: { ...proven(), ...transforming({ outcome: 'unavailable', cause: 'down' }) },
      want: 'transform-unavailable by all',
      known: [...JUDGED, 'permit'],
    },
  ]
  for (const { name, route, request, want, known, details = [] } of CASES) {
    it(name, async () => {
      const decision = await run(route, request)
      assert.equal(decision.outcome, 'deny')
      const { reason, rule, context } = decision
      assert.equal(rule === undefined ? reason : `${reason} by ${rule}`, want)
      assert.deepEqual(stagesOf(context), known)
      assert.deepEqual(detailsOf(decision), details)
    })
  }

  it('a check that passes every phase has a permit and credentials', async () => {
    const decision = await run(proven(credentialOf({ groups: ['dev'] })))
    assert.equal(decision.outcome, 'allow')
    assert.equal(decision.reason, 'permitted')
    assert.equal(decision.permit.rule, 'all')
    assert.equal(decision.permit.identity, decision.context.identity)
    assert.deepEqual(decision.credentials.setHeaders, [
      ['x-remote-user', 'alice'],
      ['x-remote-group', 'dev'],
    ])
  })

  it('has the cause of an unavailability, for the log', async () => {
    const cause = new Error('no route to host')
    const decision = await run(answering({ outcome: 'unavailable', cause }))
    assert.ok(decision.outcome === 'deny')
    assert.equal(decision.cause, cause)
  })

  it('is refused with 429 and Retry-After where the caller exceeds its budget of a server', async () => {
    const cause = new RateLimited('one caller asks the server too much', 2)
    const unavailable = { outcome: 'unavailable', cause } as const
    const rules = [{ allow: 'asked', subjectAccessReview: true }]
    const reviewer = { review: () => Promise.resolve(unavailable) }
    for (const route of [
      answering(unavailable),
      { ...proven(), rules, reviewer },
      { ...proven(), ...transforming(unavailable) },
    ]) {
      const decision = await run(route)
      assert.ok(decision.outcome === 'deny')
      assert.equal(decision.reason, 'rate-limited')
      assert.equal(decision.cause, undefined) // no line in the log for each
      assert.equal(statusOf(decision), 429)
      assert.deepEqual([decision.retryAfter, decision.detail], [2, cause.message])
    }
  })

  it('has Retry-After of a user who is locked out', async () => {
    const decision = await run(
      answering({ outcome: 'rejected', code: 'too-many-attempts', user: 'alice', retryAfter: 900 }),
    )
    assert.ok(decision.outcome === 'deny')
    assert.deepEqual([decision.claimedUser, decision.retryAfter], ['alice', 900])
  })

  it('has the user of a refused identity as claimed, not as proven', async () => {
    const decision = await run(proven(credentialOf({ user: 'system:admin' })))
    assert.ok(decision.outcome === 'deny')
    assert.equal(decision.claimedUser, 'system:admin')
    assert.equal(decision.context.identity, undefined)
  })

  it('does not change the context of an earlier phase', async () => {
    const { context } = await run(proven())
    assert.ok(!('result' in context))
    const frozen = Object.freeze({ ...context })
    assert.deepEqual(Object.keys(frozen), [...JUDGED, 'permit'])
  })
})
