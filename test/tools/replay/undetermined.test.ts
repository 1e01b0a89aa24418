// What of recorded decisions the log cannot tell: it is not claimed to change, nor to stay.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Replay, type Replayed, type UndeterminedReason } from '../../../src/tools/replay/replay.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import { askedIn, decisionLine, refusalLine, type EventFields } from '../../fakes/audit-lines.ts'
import { fakeAuthenticator } from '../../fakes/authenticator.ts'
import { routesOf, type RouteParts } from '../../fakes/route.ts'
import type { RuleParts } from '../../fakes/rules.ts'

const STAFF = fakeAuthenticator('staff', { outcome: 'not-applicable' })

const replayed = (line: EventFields, route: RouteParts): Replayed =>
  new Replay(routesOf({ authenticators: [STAFF], ...route })).decide(askedIn(line))

const SCOPED = {
  id: 'scoped',
  method: 'GET',
  template: '/scoped',
  tags: [],
  deprecated: false,
  scopes: [['read']],
}
const OPERATIONS = new OperationIndex([SCOPED], '')
const PODS = { verb: 'list', apiVersion: 'v1', resource: 'pods' }

describe('Replay', () => {
  const UNTOLD: readonly {
    name: string
    line?: EventFields
    rules?: readonly RuleParts[]
    route?: RouteParts
    want: readonly [what: UndeterminedReason, rule?: string]
  }[] = [
    ...[
      'request.headers["x"] == ["y"]',
      'has(request.headers)',
      '!has(request.query)',
      'request.?headers.?x.orValue([]) == []',
      'request["headers"] == {}',
      'request.serverName == ""',
      'has(identity.uid)',
      'true ? !has(identity.uid) : false',
      'identity.?uid.orValue("") == ""',
      'identity.extra == {}',
      'claims.sub == "a"',
      'has(claims.sub)',
      'certificate.subjectName == ""',
      'request.method == "PUT" || request . headers == {}',
    ].map((when) => ({
      name: `a condition that asks for more: ${when}`,
      rules: [{ allow: 'odd', when }, { allow: 'all' }],
      want: ['condition', 'odd'] as const,
    })),
    ...['kubernetes.fieldSelector == ""', 'has(kubernetes.labelSelector)'].map((when) => ({
      name: `a condition that asks for a selector: ${when}`,
      line: decisionLine({ path: '/api/v1/pods', kubernetes: PODS }),
      route: { kind: 'kubernetes' } as const,
      rules: [{ allow: 'odd', when }],
      want: ['condition', 'odd'] as const,
    })),
    {
      name: 'a refusing condition',
      rules: [{ deny: 'odd', when: 'has(request.headers)' }, { allow: 'all' }],
      want: ['condition', 'odd'],
    },
    {
      name: 'a rule that failed then too',
      line: refusalLine('rule-failed', { rule: 'odd' }),
      rules: [{ deny: 'odd', when: 'has(request.headers)' }],
      want: ['condition', 'odd'],
    },
    {
      name: 'a rule that asks an API server',
      rules: [{ allow: 'asked', subjectAccessReview: true }, { allow: 'all' }],
      want: ['access-review', 'asked'],
    },
    {
      name: 'scopes',
      line: decisionLine({ path: '/scoped' }),
      route: { operations: OPERATIONS, demands: { undefined: 'deny', scopes: 'require' } },
      want: ['scopes'],
    },
    {
      name: 'a path that was cut',
      line: decisionLine({ path: `/${'a'.repeat(2_047)}` }),
      want: ['path'],
    },
    {
      name: 'a list that could have been a watch',
      line: decisionLine({ path: '/api/v1/pods?watch=[withheld]' }),
      route: { kind: 'kubernetes' },
      want: ['query'],
    },
    {
      name: 'extra keys of impersonation',
      line: decisionLine({ kubernetes: { ...PODS, impersonation: { user: 'a', extra: ['k'] } } }),
      route: { kind: 'kubernetes' },
      want: ['impersonation'],
    },
    {
      name: 'a change that a group which was cut could undo',
      line: decisionLine({ groupsOmitted: 1 }),
      rules: [{ allow: 'admins', groups: ['admins'] }],
      want: ['groups'],
    },
    {
      name: 'an authenticator that the route no longer has',
      line: decisionLine({ authenticator: 'tokens' }),
      want: ['authenticator'],
    },
    {
      name: 'a time limit that passed meanwhile',
      line: decisionLine({ duration: 2_000 }),
      rules: [{ allow: 'all', times: [{ from: '11:00', to: '12:00', timeZone: 'UTC' }] }],
      want: ['time'],
    },
  ]
  for (const { name, line = decisionLine(), rules, route, want } of UNTOLD) {
    it(`claims nothing: ${name}`, () => {
      const now = replayed(line, { ...route, ...(rules && { rules }) })
      assert.ok(now.outcome === 'undetermined', JSON.stringify(now))
      assert.deepEqual([now.what, now.rule], [want[0], want[1]])
    })
  }
})
