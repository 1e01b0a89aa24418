// The identity of a policy test, and tests that cannot be run: nothing is assumed in the place of what
// a test leaves out, and an impossible request cannot be tested.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyTestResult } from '../../../src/tools/policy-tests/run.ts'
import { app, runTest as run } from './policy-testing.ts'

describe('a test that cannot be run', { concurrency: true }, () => {
  const CASES: readonly {
    readonly name: string
    readonly test: string
    readonly path: string
    readonly says: RegExp
  }[] = [
    {
      name: 'by an authenticator that the route does not have',
      test: `${app()}, identity: { user: a, authenticator: nobody }, want: { decision: deny }`,
      path: 'identity.authenticator',
      says: /^"nobody" is not an authenticator of route "app" \(there are: tokens, staff, keys\)$/,
    },
    {
      name: 'by an authenticator that only adds to another',
      test: `${app()}, identity: { user: a, authenticator: partners }, want: { decision: deny }`,
      path: 'identity.authenticator',
      says: /^"partners" is not an authenticator of route "app" \(there are: tokens, staff, keys\)$/,
    },
    {
      name: 'by an authenticator that is nowhere',
      test: `${app()}, identity: { user: a, authenticator: constructor }, want: { decision: deny }`,
      path: 'identity.authenticator',
      says: /^"constructor" is not an authenticator/,
    },
    {
      name: 'with claims that a password has not',
      test: `request: { host: open.example }, identity: { user: a, claims: {} }, want: { decision: deny }`,
      path: 'identity.claims',
      says: /^"staff" proves no token with claims$/,
    },
    {
      name: 'with a certificate that a token has not',
      test: `${app('/card')}, identity: { user: a, certificate: { subjectName: CN=alice } }, want: { decision: allow }`,
      path: 'identity.certificate',
      says: /^"tokens" proves no certificate$/,
    },
    {
      name: 'for a rule that the route does not have',
      test: `${app()}, want: { decision: deny, rule: no-secrets }`,
      path: 'want.rule',
      says: /^route "app" has no rule "no-secrets"$/,
    },
    {
      name: 'for a rule in shadow that it does not have',
      test: `${app()}, want: { decision: deny, shadow: { watched: deny, watcher: deny } }`,
      path: 'want.shadow.watcher',
      says: /^route "app" has no rule "watcher"$/,
    },
    {
      name: 'for a reason that there is not',
      test: `${app()}, want: { decision: deny, reason: toString }`,
      path: 'want.reason',
      says: /^audit knows no reason "toString"$/,
    },
    {
      name: 'with a credential in the query',
      test: `${app('/?api_key=csk_1')}, want: { decision: deny }`,
      path: 'request.path',
      says: /has a credential.*set "identity" instead$/,
    },
    {
      name: 'with a credential in a header of the route, together with an identity',
      test: `${app('/', ', headers: { X-API-Key: csk_1 }')}, identity: { user: a }, want: { decision: deny }`,
      path: 'request.headers',
      says: /has a credential.*leave it out$/,
    },
    {
      name: 'with a token among the subprotocols of a WebSocket',
      test: `${app('/', ', headers: { sec-websocket-protocol: base64url.bearer.authorization.k8s.io.YQ }')}, want: { decision: deny }`,
      path: 'request.headers',
      says: /has a credential/,
    },
  ]
  for (const { name, test, path, says } of CASES) {
    it(`says why, and where: ${name}`, async () => {
      const { got, differences } = await run(test)
      assert.equal(got.outcome, 'unusable')
      assert.equal(got.path.join('.'), path)
      assert.match(got.reason, says)
      assert.deepEqual(differences, [])
    })
  }
})

describe('a rule that asks the API server', { concurrency: true }, () => {
  const routes = `
  - name: kube
    kind: kubernetes
    apiServer: { server: https://kube.invalid, token: env:PATH }
    authenticate: [staff, nobody]
    authorize:
      - { deny: not-by-rbac, subjectAccessReview: false }
      - { allow: rest }`
  const resultOf = async (test: string): Promise<PolicyTestResult> =>
    await run(`request: { host: a }, ${test}`, routes)

  it('takes what is given for its answer', async () => {
    for (const [reviewed, rule, decision] of [
      [true, 'rest', 'allow'],
      [false, 'not-by-rbac', 'deny'],
    ] as const) {
      const { got, differences } = await resultOf(
        `identity: { user: a }, reviewed: ${reviewed}, want: { decision: ${decision}, rule: ${rule} }`,
      )
      assert.deepEqual(differences, [], JSON.stringify(got))
    }
  })

  it('takes it for a client without a credential too', async () => {
    const { got, differences } = await resultOf('reviewed: true, want: { decision: allow }')
    assert.deepEqual(differences, [], JSON.stringify(got))
  })

  it('gets no request, and the test says what it lacks', async () => {
    const { got } = await resultOf('identity: { user: a }, want: { decision: deny }')
    assert.equal(got.outcome, 'unusable')
    assert.match(got.reason, /subjectAccessReview.*set it in "reviewed"$/)
  })
})
