// `tests` of a configuration, run: each goes through the very code of the live path.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { app, runTest as run } from './policy-testing.ts'

describe('a test with expectations about the outcome', { concurrency: true }, () => {
  const CASES: readonly (readonly [name: string, test: string])[] = [
    [
      'of a permit, with the headers that the upstream gets',
      `${app()}, identity: { user: alice, uid: '7', groups: [team-a, b], extra: { k: [v] } },
       want: { decision: allow, rule: team-reads, reason: permitted, status: 200, headers:
       { x-remote-user: alice, x-remote-uid: ['7'], x-remote-group: [team-a, b], x-remote-extra-k: v, x-remote-extra-l: [] } }`,
    ],
    [
      'of a refusal by a rule of a list',
      `request: { host: 'app.example:443', method: POST }, identity: { user: alice, groups: [team-a] },
       want: { decision: deny, rule: team-rest, reason: rule-denied, status: 403 }`,
    ],
    [
      'of no rule, with the list in shadow that would have decided',
      `${app('/plan/9')}, identity: { user: bob }, want: { decision: deny, reason: no-rule, shadow: { plan-a: allow } }`,
    ],
    [
      'of rules in shadow: all of them, in any order, also one that fails',
      `request: { host: app.example, path: /broken, method: DELETE }, identity: { user: bob, claims: {} },
       want: { decision: deny, shadow: { plan-b: deny, watched: deny, broken: failed } }`,
    ],
    [
      'of no rule in shadow',
      `${app('/near', ', source: 10.1.2.3')}, identity: { user: a }, want: { decision: allow, rule: near, shadow: {} }`,
    ],
    [
      'of an answer that a rule gives',
      `${app()}, identity: { user: mallory }, want: { decision: deny, rule: banned, status: 451, headers: { x-why: ban, location: [] } }`,
    ],
    [
      'of a redirection, the decision being the nil UUID',
      `${app('/old/x?y=1')}, identity: { user: a }, want: { decision: deny, rule: moved, status: 302, headers:
       { location: 'https://new.example/?was=https%3A%2F%2Fapp.example%2Fold%2Fx%3Fy%3D1&decision=00000000-0000-0000-0000-000000000000' } }`,
    ],
    [
      'of a rule that cannot be evaluated',
      `${app('/fails')}, identity: { user: a, claims: {} }, want: { decision: deny, rule: fails, reason: rule-failed, status: 403 }`,
    ],
    [
      'of claims',
      `${app('/level')}, identity: { user: a, claims: { level: 4 } }, want: { decision: allow, rule: level }`,
    ],
    [
      'of claims that one of several credentials has',
      `${app('/level')}, identity: { user: a, authenticator: staff, claims: { level: 4 } }, want: { decision: allow }`,
    ],
    [
      'of another time, by day',
      `${app('/night', ", at: '2026-03-01T12:00:00Z'")}, identity: { user: a }, want: { decision: deny, reason: no-rule }`,
    ],
    [
      'of another time, by night, in another zone',
      `${app('/night', ", at: '2026-03-01T12:00:00+09:00'")}, identity: { user: a }, want: { decision: allow, rule: at-night }`,
    ],
    [
      'of the authenticator that it names',
      `${app('/staff')}, identity: { user: a, authenticator: staff }, want: { decision: allow, rule: by-staff }`,
    ],
    [
      'of the first authenticator, when it names none',
      `${app('/staff')}, identity: { user: a }, want: { decision: deny, reason: no-rule }`,
    ],
    [
      'of the TLS server name',
      `${app('/name', ', serverName: app.example')}, identity: { user: a }, want: { decision: allow, rule: by-name }`,
    ],
    [
      'of an address that is not known',
      `${app('/near', ", source: ''")}, identity: { user: a }, want: { decision: deny, reason: rule-failed, rule: near }`,
    ],
    [
      'of nobody: the challenges of the route',
      `request: { host: kube.example, path: /api }, want: { decision: deny, reason: credential-missing, status: 401,
       headers: { www-authenticate: 'Basic realm="Partners", charset="UTF-8"' } }`,
    ],
    [
      'of nobody, who is taken for anonymous',
      `request: { host: open.example }, want: { decision: allow, rule: visitors }`,
    ],
    [
      'of a verb and a resource',
      `request: { host: kube.example, path: '/api/v1/namespaces/web/pods?limit=1' }, identity: { user: a }, want: { decision: allow, rule: pods }`,
    ],
    [
      'of a resource that is denied',
      `request: { host: kube.example, path: /api/v1/namespaces/web/secrets/a }, identity: { user: a }, want: { decision: deny, rule: no-secrets }`,
    ],
    [
      'of impersonation that is allowed',
      `request: { host: kube.example, path: /api, headers: { Impersonate-User: bob } }, identity: { user: a }, want: { decision: allow, rule: as-bob }`,
    ],
    [
      'of impersonation that no rule allows',
      `request: { host: kube.example, path: /api, headers: { impersonate-user: eve } }, identity: { user: a }, want: { decision: deny, reason: impersonation }`,
    ],
    [
      'of a host that no route takes',
      'request: { host: other.example }, identity: { user: a }, want: { decision: deny, reason: no-route, status: 403 }',
    ],
    [
      'of the route that Envoy names, whatever the host',
      'request: { host: other.example, route: open }, want: { decision: allow, rule: visitors }',
    ],
    [
      'of a route that Envoy names and we do not know',
      'request: { host: open.example, route: closed }, want: { decision: deny, reason: no-route }',
    ],
  ]
  for (const [name, test] of CASES) {
    it(`passes: ${name}`, async () => {
      const { got, differences } = await run(test)
      assert.deepEqual([got.outcome, differences], ['decided', []], JSON.stringify(got))
    })
  }
})

describe('a hostile request', { concurrency: true }, () => {
  const CASES: readonly (readonly [name: string, request: string, reason: string])[] = [
    ['climbs out of its path', "path: '/a/%2e%2e/%2e%2e/x'", 'ambiguous-path'],
    ['hides a slash', 'path: /a%2fb', 'ambiguous-path'],
    ['has a method of its own', "method: 'GET /x'", 'malformed-method'],
    [
      'names headers for the next hop',
      'headers: { connection: x-remote-user }',
      'connection-nomination',
    ],
    ['asks to be somebody else', 'headers: { Impersonate-User: root }', 'impersonation'],
  ]
  for (const [name, request, reason] of CASES) {
    it(`is refused as on the live path: ${name}`, async () => {
      const test = `request: { host: app.example, ${request} }, identity: { user: a, groups: [team-a] }`
      const { got, differences } = await run(`${test}, want: { decision: deny, reason: ${reason} }`)
      assert.deepEqual(differences, [], JSON.stringify(got))
    })
  }

  it('cannot name itself: headers of Countersign in it are overwritten', async () => {
    const test = `request: { host: app.example, headers: { X-Remote-User: root } }, identity: { user: a, groups: [team-a] }`
    const { differences } = await run(
      `${test}, want: { decision: allow, headers: { x-remote-user: a } }`,
    )
    assert.deepEqual(differences, [])
  })

  it('has a member named as objects have them', async () => {
    const test = `${app('/level')}, identity: { user: a, claims: { toString: 1, level: 4 } }`
    const { got } = await run(`${test}, want: { decision: allow, headers: { constructor: x } }`)
    assert.equal(got.outcome === 'decided' && got.decision, 'allow')
  })
})
