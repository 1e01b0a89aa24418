// Recorded decisions, made again: what changes, what does not, and what the log cannot tell.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Outcome } from '../../../src/tools/replay/recorded-event.ts'
import { Replay, type Replayed } from '../../../src/tools/replay/replay.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { askedIn, decisionLine, refusalLine, type EventFields } from '../../fakes/audit-lines.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import { routesOf, type RouteParts } from '../../fakes/route.ts'
import type { RuleParts } from '../../fakes/rules.ts'

const STAFF = fakeAuthenticator('staff', { outcome: 'not-applicable' })

const replayed = (line: EventFields, ...routes: readonly RouteParts[]): Replayed =>
  new Replay(routesOf(...routes.map((route) => ({ authenticators: [STAFF], ...route })))).decide(
    askedIn(line),
  )

const operation = (
  id: string,
  method: string,
  template: string,
  scopes: string[][],
): Operation => ({
  id,
  method,
  template,
  tags: [],
  deprecated: false,
  scopes,
})
const OPERATIONS = new OperationIndex(
  [
    operation('open', 'GET', '/open', [[]]),
    operation('scoped', 'GET', '/scoped', [['read']]),
    operation('one', 'GET', '/x/{a}', [[]]),
  ],
  '',
)

const allow = (rule: string): Outcome => ({ decision: 'allow', reason: 'permitted', rule })
const deny = (reason: Outcome['reason'], rule?: string): Outcome => ({
  decision: 'deny',
  reason,
  ...(rule === undefined ? {} : { rule }),
})
const PODS = { verb: 'list', apiVersion: 'v1', resource: 'pods' }
const IMPERSONATING = { ...PODS, impersonation: { user: 'bob' } }

describe('Replay', () => {
  const DECIDED: readonly {
    name: string
    line?: EventFields
    rules?: readonly RuleParts[]
    route?: RouteParts
    want: Outcome
    same?: true
  }[] = [
    { name: 'the same rule', want: allow('all'), same: true },
    { name: 'another rule', rules: [{ allow: 'devs', groups: ['dev'] }], want: allow('devs') },
    {
      name: 'a rule that refuses',
      rules: [{ deny: 'no', users: ['alice'] }, { allow: 'all' }],
      want: deny('rule-denied', 'no'),
    },
    { name: 'no rule', rules: [{ allow: 'all', users: ['bob'] }], want: deny('no-rule') },
    {
      name: 'no rule, as before',
      line: refusalLine('no-rule'),
      rules: [{ allow: 'all', users: ['bob'] }],
      want: deny('no-rule'),
      same: true,
    },
    { name: 'a rule where there was none', line: refusalLine('no-rule'), want: allow('all') },
    {
      name: 'a permit where the credential for the upstream failed',
      line: refusalLine('headers-too-large', { rule: 'all' }),
      want: allow('all'),
      same: true,
    },
    {
      name: 'a permit of which the log tells no rule',
      line: refusalLine('transform-unavailable'),
      rules: [{ allow: 'other' }],
      want: allow('other'),
      same: true,
    },
    {
      name: 'a refusal where the log tells no rule',
      line: refusalLine('transform-unavailable'),
      rules: [{ deny: 'other' }],
      want: deny('rule-denied', 'other'),
    },
    {
      name: 'a review that the API server did not answer then',
      line: refusalLine('authorizer-unavailable'),
      want: allow('all'),
    },
    {
      name: 'by method, host and path',
      line: decisionLine({ method: 'PUT', path: '/b/c' }),
      rules: [{ allow: 'all', methods: ['PUT'], hosts: ['*.example.org'], paths: ['/b/*'] }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'by address',
      rules: [{ deny: 'net', sources: ['203.0.113.0/24'] }],
      want: deny('rule-denied', 'net'),
    },
    {
      name: 'by an address that was not known',
      line: decisionLine({ source: '' }),
      rules: [{ allow: 'all', sources: ['::/0'] }],
      want: deny('rule-failed', 'all'),
    },
    {
      name: 'by authenticator',
      line: decisionLine({ authenticator: 'staff+cards' }),
      route: { authenticators: [fakeAuthenticator('staff+cards', { outcome: 'not-applicable' })] },
      rules: [{ allow: 'all', authenticators: ['staff'] }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'by time',
      rules: [{ allow: 'all', times: [{ from: '11:00', to: '13:00', timeZone: 'UTC' }] }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'out of time',
      rules: [{ allow: 'all', times: [{ from: '13:00', to: '14:00', timeZone: 'UTC' }] }],
      want: deny('no-rule'),
    },
    {
      name: 'by a condition that asks what the log tells',
      rules: [
        {
          allow: 'all',
          when: 'identity.user == "alice" && "ops" in identity.groups && request.time.getFullYear() == 2026',
        },
      ],
      want: allow('all'),
      same: true,
    },
    {
      name: 'by a condition that fails by itself',
      rules: [{ allow: 'all', when: 'request.path.split("/")[7] == ""' }],
      want: deny('rule-failed', 'all'),
    },
    {
      name: 'by a condition behind a matcher that misses',
      rules: [
        { deny: 'odd', users: ['bob'], when: 'request.headers["x"] == ["y"]' },
        { allow: 'all' },
      ],
      want: allow('all'),
      same: true,
    },
    {
      name: 'by named segments',
      line: decisionLine({ path: '/home/alice' }),
      rules: [
        { allow: 'all', paths: ['/home/{who}'], when: 'request.segments.who == identity.user' },
      ],
      want: allow('all'),
      same: true,
    },
    {
      name: 'a shadow condition that the log cannot tell, which decides nothing',
      rules: [{ deny: 's', shadow: true, when: 'has(request.headers)' }, { allow: 'all' }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'a shadow review, which decides nothing',
      rules: [{ deny: 's', shadow: true, subjectAccessReview: false }, { allow: 'all' }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'a watch, by what was read then',
      line: decisionLine({ path: '/api/v1/pods', kubernetes: { ...PODS, verb: 'watch' } }),
      route: { kind: 'kubernetes' },
      rules: [{ deny: 'watches', verbs: ['watch'] }, { allow: 'all' }],
      want: deny('rule-denied', 'watches'),
    },
    {
      name: 'a name that was not read as a Kubernetes request then',
      line: decisionLine({ path: '/api/v1/namespaces/a/pods/x?watch=[withheld]' }),
      route: { kind: 'kubernetes' },
      rules: [{ allow: 'all', verbs: ['get'], resources: ['pods'], names: ['x'] }],
      want: allow('all'),
      same: true,
    },
    {
      name: 'impersonation that no rule allows',
      line: decisionLine({ path: '/api/v1/pods', kubernetes: IMPERSONATING }),
      route: { kind: 'kubernetes' },
      want: deny('impersonation'),
    },
    {
      name: 'impersonation that a rule allows',
      line: refusalLine('impersonation', { path: '/api/v1/pods', kubernetes: IMPERSONATING }),
      route: { kind: 'kubernetes' },
      rules: [{ allow: 'as', impersonate: { users: ['bob'] } }],
      want: allow('as'),
    },
    {
      name: 'impersonation on a route that has none',
      line: decisionLine({ kubernetes: IMPERSONATING }),
      want: deny('impersonation'),
    },
    {
      name: 'an operation that there is not',
      line: decisionLine({ path: '/gone' }),
      route: { operations: OPERATIONS, demands: { undefined: 'deny', scopes: 'ignore' } },
      want: deny('operation-undefined'),
    },
    {
      name: 'a path of two readings',
      line: decisionLine({ path: '/X/y' }),
      route: { operations: OPERATIONS, demands: { undefined: 'pass', scopes: 'ignore' } },
      want: deny('ambiguous-path'),
    },
    {
      name: 'an operation that needs no scope',
      line: decisionLine({ path: '/open' }),
      route: { operations: OPERATIONS, demands: { undefined: 'deny', scopes: 'require' } },
      want: allow('all'),
      same: true,
    },
    {
      name: 'an operation whose scopes do not count',
      line: decisionLine({ path: '/scoped' }),
      route: { operations: OPERATIONS, demands: { undefined: 'deny', scopes: 'ignore' } },
      want: allow('all'),
      same: true,
    },
    {
      name: 'groups that were cut and do not matter',
      line: decisionLine({ groupsOmitted: 2 }),
      rules: [{ deny: 'no', methods: ['GET'] }],
      want: deny('rule-denied', 'no'),
    },
    {
      name: 'groups that were cut, and nothing changes',
      line: decisionLine({ groupsOmitted: 2 }),
      rules: [{ allow: 'all', groups: ['dev'] }],
      want: allow('all'),
      same: true,
    },
  ]
  for (const { name, line = decisionLine(), rules, route, want, same } of DECIDED) {
    it(`decides again: ${name}`, () => {
      const now = replayed(line, { ...route, ...(rules && { rules }) })
      assert.ok(now.outcome !== 'undetermined', JSON.stringify(now))
      assert.deepEqual([now.outcome, now.after], [same === true ? 'same' : 'changed', want])
      assert.equal(now.route, 'app')
    })
  }
})

describe('the route of a replay', () => {
  const OTHER: RouteParts = { name: 'other', rules: [{ deny: 'no' }], match: { paths: ['/a/**'] } }
  const APP: RouteParts = { name: 'app' }

  it('is the one that the log names, though host and path lead elsewhere', () => {
    const now = replayed(decisionLine({ path: '/a/b' }), OTHER, APP)
    assert.deepEqual([now.outcome, now.route, now.elsewhere], ['same', 'app', 'other'])
  })

  it('is the one of host and path, when requested', () => {
    const table = routesOf(...[OTHER, APP].map((route) => ({ authenticators: [STAFF], ...route })))
    const now = new Replay(table, { rematch: true }).decide(askedIn(decisionLine({ path: '/a/b' })))
    assert.deepEqual([now.outcome, now.route, now.elsewhere], ['changed', 'other', undefined])
  })

  it('is the one of host and path, where the one in the log no longer exists', () => {
    const now = replayed(decisionLine({ route: 'old' }), OTHER, APP)
    assert.deepEqual([now.outcome, now.route, now.elsewhere], ['changed', 'other', undefined])
  })

  it('refuses what could be for an earlier route, as a check would', () => {
    const admin = { ...OTHER, match: { paths: ['/admin/**'] } }
    const now = replayed(decisionLine({ path: '/ADMIN/b' }), admin, APP)
    assert.equal(now.outcome, 'changed')
    assert.deepEqual([now.route, now.after], ['app', deny('ambiguous-path')])
  })

  it('is none, where nothing is published there any more', () => {
    const now = replayed(decisionLine({ route: 'old', path: '/z' }), OTHER)
    assert.equal(now.outcome, 'changed')
    assert.deepEqual([now.route, now.after], [undefined, deny('no-route')])
  })
})
