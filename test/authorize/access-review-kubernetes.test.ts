// Rules that ask a real Kubernetes API server, which knows roles and bindings: what it says is what
// it does.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authorizer } from '../../src/authorize/authorizer.ts'
import { check } from '../../src/check/check.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'
import { buildRulesFrom } from '../authenticate/building.ts'
import { describeVerdict } from '../clients/kubernetes/reviewing.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'
import { attributesOf } from '../fakes/envoy.ts'
import { questionOf } from '../fakes/question.ts'
import { snapshotOf } from '../fakes/snapshot.ts'
import {
  skipWithoutApiServer,
  startKubeApiServer,
  type KubeApiServer,
} from '../servers/kube-apiserver.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const FOREVER = new AbortController().signal
const REMEMBER_MS = 4_000
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const PODS = '/api/v1/namespaces/default/pods'

const rule = (apiGroups: string, resources: readonly string[], verbs: readonly string[]) => ({
  apiGroups: [apiGroups],
  resources,
  verbs,
})

/** Alice may look at pods and scale deployments, as one of the developers. */
const makeRoles = async (server: KubeApiServer): Promise<void> => {
  const roles = `${RBAC}/namespaces/default/roles`
  const bindings = `${RBAC}/namespaces/default/rolebindings`
  const rules = [
    rule('', ['pods'], ['get', 'list']),
    rule('', ['pods/log'], ['get']),
    rule('apps', ['deployments/scale'], ['update']),
  ]
  const metadata = { name: 'developer' }
  await server.call({ method: 'POST', path: roles, body: { metadata, rules } })
  const group = 'rbac.authorization.k8s.io'
  const bind = async (name: string, role: string, subject: object): Promise<void> => {
    const roleRef = { apiGroup: group, kind: 'Role', name: role }
    const subjects = [{ apiGroup: group, ...subject }]
    await server.call({
      method: 'POST',
      path: bindings,
      body: { metadata: { name }, roleRef, subjects },
    })
  }
  await bind('dangling', 'gone', { kind: 'User', name: 'carol' })
  await bind('developer', 'developer', { kind: 'Group', name: 'dev' })
}

/** Lets the account ask. */
const delegate = async (server: KubeApiServer, account: string): Promise<void> => {
  const roleRef = {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:auth-delegator',
  }
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace: 'default' }]
  const body = { metadata: { name: account }, roleRef, subjects }
  await server.call({ method: 'POST', path: `${RBAC}/clusterrolebindings`, body })
}

interface ReviewedRequest {
  readonly user?: string
  readonly groups?: readonly string[]
  readonly method?: string
  readonly path: string
}

const DEV = ['dev']

/** Whether the API server lets them do it: the status is anything but 403. */
const isLetDo = async (
  { url, ca, administrator }: KubeApiServer,
  { user = 'alice', groups = DEV, method = 'GET', path }: ReviewedRequest,
): Promise<boolean> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  httpsRequest(
    new URL(path, url),
    {
      method,
      headers: { 'impersonate-user': user, 'impersonate-group': [...groups] },
      agent: false,
      ca: await readFile(ca),
      cert: await readFile(administrator.certificate),
      key: await readFile(administrator.key),
    },
    (response) => {
      resolve(response.statusCode ?? 0)
      response.destroy()
    },
  )
    .on('error', reject)
    .end()
  const status = await promise
  assert.ok(status !== 401 && status < 500, `${method} ${path}: ${status}`)
  return status !== 403
}

const decide = async (
  authorizer: Authorizer,
  { user = 'alice', groups = DEV, method = 'GET', path }: ReviewedRequest,
  kind: 'http' | 'kubernetes' = 'kubernetes',
): Promise<string> => {
  const question = questionOf({
    identity: { user, groups },
    request: { method, path },
    published: { kind },
  })
  return describeVerdict(await authorizer.authorize(question, FOREVER))
}

/** Asks until it is what it should be: the API server learns of roles by its own watch. */
const becomes = async (ask: () => Promise<string>, want: string): Promise<void> => {
  let last = ''
  for (let waited = 0; waited < 300; waited += 1) {
    last = await ask()
    if (last === want) return
    await sleep(100)
  }
  assert.equal(last, want)
}

const REQUESTS: readonly (ReviewedRequest & { readonly allowed: boolean })[] = [
  { path: `${PODS}/web`, allowed: true },
  { path: PODS, allowed: true },
  { path: `${PODS}?labelSelector=app%3Dweb`, allowed: true },
  { path: `${PODS}/web/log`, allowed: true },
  { path: '/apis/apps/v1/namespaces/default/deployments/web/scale', method: 'PUT', allowed: true },
  { path: '/api', allowed: true }, // system:discovery, for every authenticated user
  { path: '/healthz', allowed: true },
  { path: `${PODS}?watch=1`, allowed: false },
  { path: `${PODS}/web`, method: 'DELETE', allowed: false },
  { path: PODS, method: 'DELETE', allowed: false },
  { path: `${PODS}/web/exec`, method: 'POST', allowed: false },
  { path: '/apis/apps/v1/namespaces/default/deployments/web', method: 'PUT', allowed: false },
  { path: '/api/v1/namespaces/default/secrets/web', allowed: false },
  { path: '/api/v1/namespaces/kube-system/pods/web', allowed: false },
  { path: '/api/v1/pods', allowed: false },
  { path: '/metrics', allowed: false },
  { path: '/healthz', method: 'POST', allowed: false },
  { path: `${PODS}/web`, groups: ['ops'], allowed: false },
  { path: `${PODS}/web`, user: 'carol', groups: ['ops'], allowed: false }, // her role was deleted
  { path: '/metrics', groups: ['system:masters'], allowed: true },
]

describe(
  'access reviews by a real Kubernetes API server',
  { skip: skipWithoutApiServer(), timeout: 180_000 },
  () => {
    it('decide the rules as RBAC does', async () => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await temporaryFolder())
      const server = stack.use(await startKubeApiServer())
      await server.createServiceAccount('default', 'reviewer')
      const token = folder.file('own.token')
      await writeFile(token, await server.tokenOf('default', 'reviewer'))
      const build = async (
        authorize: readonly object[],
        keys: Readonly<Record<string, unknown>> = {},
        settings: Readonly<Record<string, unknown>> = {},
        clock: Clock = systemClock,
      ): Promise<Authorizer> => {
        const apiServer = {
          server: server.url,
          ca: server.ca,
          token: `file:${token}`,
          cacheTtl: '0s',
          timeout: '10s',
          coolDown: '100ms',
          failureThreshold: 1_000,
          ...settings,
        }
        const route = { kind: 'kubernetes', authorize, apiServer, ...keys }
        const { authorizer, problems } = stack.use(
          await buildRulesFrom(folder.file('countersign.yaml'), route, clock),
        )
        assert.ok(authorizer !== undefined, problems.join())
        return authorizer
      }
      const rules = await build([{ allow: 'by-rbac', subjectAccessReview: true }])
      const web: ReviewedRequest = { path: `${PODS}/web` }

      // 1. We may not ask yet.
      assert.match(await decide(rules, web), /^unavailable: .*refuses our own credentials \(403\)/)
      await delegate(server, 'reviewer')
      await becomes(() => decide(rules, web), 'no-rule')
      await makeRoles(server)
      await becomes(() => decide(rules, web), 'permit by-rbac')

      // 2. What it says is what it does.
      for (const { allowed, ...request } of REQUESTS) {
        const name = JSON.stringify(request)
        // The API server takes each role and binding in at a time of its own.
        await becomes(() => decide(rules, request), allowed ? 'permit by-rbac' : 'no-rule')
        assert.equal(await isLetDo(server, request), allowed, `let do: ${name}`)
      }

      // 3. Paths of a service that is not a Kubernetes API.
      const http = await build([{ allow: 'by-rbac', subjectAccessReview: true }], { kind: 'http' })
      assert.equal(await decide(http, { path: '/livez' }, 'http'), 'permit by-rbac')
      assert.equal(await decide(http, { path: '/shop' }, 'http'), 'no-rule')

      // 4. In a policy with more to it.
      const policy = await build([
        { deny: 'no-logs', resources: ['pods/log'] },
        { deny: 'not-by-rbac', namespaces: ['default'], subjectAccessReview: false },
        { allow: 'by-rbac', subjectAccessReview: true },
      ])
      assert.equal(await decide(policy, { path: `${PODS}/web/log` }), 'denied no-logs')
      assert.equal(await decide(policy, { ...web, method: 'DELETE' }), 'denied not-by-rbac')
      assert.equal(await decide(policy, web), 'permit by-rbac')
      assert.equal(await decide(policy, { path: '/api/v1/nodes/n1' }), 'no-rule')

      // 5. The binding goes, and is remembered for its time.
      const clock = new FakeClock()
      const remembering = await build(
        [{ allow: 'by-rbac', subjectAccessReview: true }],
        {},
        { cacheTtl: `${REMEMBER_MS}ms` },
        clock,
      )
      assert.equal(await decide(remembering, web), 'permit by-rbac')
      const binding = `${RBAC}/namespaces/default/rolebindings/developer`
      await server.call({ method: 'DELETE', path: binding })
      assert.equal(await decide(remembering, web), 'permit by-rbac')
      await becomes(() => decide(rules, web), 'no-rule')
      clock.advance(REMEMBER_MS - 1)
      assert.equal(await decide(remembering, web), 'permit by-rbac')
      clock.advance(1)
      assert.equal(await decide(remembering, web), 'no-rule')

      // 6. Hanging, stopped, and back again.
      const hasty = await build(
        [{ deny: 'by-rbac', subjectAccessReview: true }, { allow: 'rest' }],
        {},
        { timeout: '5s' },
      )
      assert.equal(await decide(hasty, web), 'permit rest')
      server.pause()
      assert.match(await decide(hasty, web), /^unavailable: .*timeout/)
      server.resume()
      await server.kill()
      // Of the same question the timeout would be remembered for a moment.
      assert.match(await decide(hasty, { path: `${PODS}/other` }), /^unavailable: .*ECONN/)
      const { reviewer } = hasty
      assert.ok(reviewer !== undefined)
      const authenticators = [fakeAuthenticator('staff', PROVEN)]
      const asking = [{ allow: 'by-rbac', subjectAccessReview: true }]
      const snapshot = snapshotOf([{ kind: 'kubernetes', authenticators, reviewer, rules: asking }])
      const decision = await check(attributesOf(web), snapshot, FOREVER)
      assert.equal(decision.reason, 'authorizer-unavailable')
      await server.start()
      await becomes(() => decide(hasty, web), 'permit rest')
    })
  },
)
