// The recipes whose upstream is a Kubernetes API server, in front of a real one. Steps are in README.md.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { makeKey } from '../../authenticate/bearer/issuing.ts'
import { Browser } from '../../fakes/browser.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { createAuthority } from '../../servers/pki.ts'
import { bearer } from '../asking.ts'
import { ALICE, basic, eventually, PASSWORDS } from '../site.ts'
import { askWhoAmI, KUBE, startCluster, tokenIdIn, whoAmI, type Cluster } from './cluster.ts'
import { recipeFile, runRecipe, type RecipeOptions, type Running } from './running.ts'

const A_START = 25_000
const GROUPS = ['dev', 'ops', 'with, comma']

const skip = skipWithoutEnvoy() || skipWithoutApiServer()

describe('recipes for a real API server', { skip, timeout: 240_000 }, () => {
  const started = new AsyncDisposableStack()
  const signingKeys = [madeKey('ES256')]
  let cluster: Cluster
  before(async () => {
    cluster = started.use(await startCluster())
  })
  after(() => started.disposeAsync())

  const run = async (name: string, options: Partial<RecipeOptions> = {}): Promise<Running> =>
    await runRecipe(name, {
      pki: cluster.pki,
      port: cluster.port,
      upstreams: { '10.0.0.1:6443': cluster.upstream },
      signingKeys: await Promise.all(signingKeys),
      ...options,
      changes: { ...cluster.changes, ...options.changes },
    })

  it('1. password → X-Remote-User: user, groups, uid and extra arrive', async () => {
    await using recipe = await runRecipe('password-to-headers', {
      pki: cluster.pki,
      upstreams: { 'api.internal:6443': cluster.upstream },
      frontProxy: cluster.server.frontProxy,
      changes: { 'api.example.org': KUBE },
    })
    const { username, uid, groups, extra } = await whoAmI(recipe, { headers: [ALICE] })
    assert.deepEqual({ username, uid }, { username: 'alice', uid: '1001' })
    assert.deepEqual(groups, [...GROUPS, 'system:authenticated'])
    assert.deepEqual(extra['example.org/team'], ['blue', 'red'])
  })

  it('2. password → ID token: the API server verifies it by the issuer’s discovery document', async () => {
    await using recipe = await run('password-to-id-token')
    const user = await whoAmI(recipe, { headers: [ALICE] })
    assert.equal(user.username, 'alice')
    assert.deepEqual(user.groups, [...GROUPS, 'system:authenticated'])
    const event = await recipe.lastEvent()
    assert.deepEqual(event.forwarded, ['minted-token'])
    assert.deepEqual(event.jti, [tokenIdIn(user)])
  })

  it('3. …and RBAC decides: bob may not list pods, alice may not read secrets', async () => {
    await using recipe = await run('password-to-id-token')
    const bob = basic('bob', PASSWORDS.bob)
    const path = '/api/v1/namespaces/default/pods'
    const answer = await recipe.ask(KUBE, { path, headers: [bob] })
    assert.equal(answer.status, 403)
    assert.match(answer.body, /pods is forbidden: User \\"bob\\" cannot list resource/)
  })

  it('4. certificate → bearer token', async () => {
    await using recipe = await run('certificate-to-bearer')
    const { username, groups } = await whoAmI(recipe, { client: cluster.pki.alice })
    assert.equal(username, 'alice')
    assert.deepEqual(groups, ['developers', 'system:authenticated'])
    assert.equal((await askWhoAmI(recipe, {})).status, 401)
    assert.equal((await askWhoAmI(recipe, { headers: [ALICE] })).status, 401)
  })

  it('5. one route accepts all three, and users of another issuer have its prefix', async () => {
    const key = await makeKey()
    await using recipe = await run('combined', {
      secrets: { 'login.jwks': JSON.stringify({ keys: [key.jwk] }) },
      changes: {
        'issuer: https://login.example.org':
          'issuer: https://login.example.org\n      keys: { file: /etc/countersign/login.jwks }',
      },
    })
    const now = Math.floor(Date.now() / 1_000)
    const token = await key.token({
      iss: 'https://login.example.org',
      aud: 'kubernetes',
      sub: 'u-1',
      preferred_username: 'alice',
      groups: ['developers'],
      iat: now,
      exp: now + 300,
    })
    const WAYS = [
      { name: 'alice', who: { headers: [ALICE] }, groups: GROUPS },
      { name: 'oidc:u-1', who: { headers: [bearer(token)] }, groups: ['oidc:developers'] },
      { name: 'alice', who: { client: cluster.pki.alice }, groups: ['developers'] },
    ]
    for (const { name, who, groups } of WAYS) {
      const user = await whoAmI(recipe, who)
      assert.equal(user.username, name)
      assert.deepEqual(user.groups, [...groups, 'system:authenticated'], name)
      assert.deepEqual((await recipe.lastEvent()).jti, [tokenIdIn(user)], name)
    }
    const path = '/api/v1/namespaces/default/secrets'
    const refused = await recipe.ask(KUBE, { path, headers: [ALICE] })
    assert.match(refused.body, /denied by rule \\"no-secrets\\"/)
  })

  it('14. browser → ID token: a user logs in, and the API server has the identity', async () => {
    await using recipe = await run('browser-to-id-token')
    await whoAmI(recipe, { headers: [ALICE] }) // it knows the issuer by now
    const ca = await readFile(cluster.pki.ca)
    const browser = new Browser({ port: cluster.port, tls: { ca } }, { accept: 'text/html' })
    const dashboard = `https://${KUBE}:${cluster.port}`
    const begun = await browser.get(`${dashboard}/api/v1/namespaces?limit=1`)
    const login = await browser.get(begun.url)
    const credentials = { user: 'alice', password: PASSWORDS.alice }
    const back = await browser.submit(login, '/password', credentials)
    assert.equal(back.url.origin, dashboard)
    const page = await browser.get(back.url)
    assert.equal(page.url.href, `${dashboard}/api/v1/namespaces?limit=1`)
    // Its own rules count: alice may not list them.
    assert.equal(page.status, 403)
    assert.match(page.body, /namespaces is forbidden: User \\"alice\\" cannot list resource/)
    const cookie = [...browser.cookiesOf(dashboard)].map((pair) => pair.join('=')).join('; ')
    const user = await whoAmI(recipe, { headers: [['cookie', cookie]] })
    assert.equal(user.username, 'alice')
    assert.deepEqual(user.groups, [...GROUPS, 'system:authenticated'])
    const event = await recipe.lastEvent()
    assert.equal(event.authentication, 'session')
    assert.deepEqual(event.jti, [tokenIdIn(user)])
  })

  it('6. the API server refuses tokens of another issuer or for another audience', async () => {
    await using strangers = await createAuthority('strangers')
    const stranger = await strangers.issue({ commonName: 'alice', usage: 'client' })
    const otherKeys = [await madeKey('ES256')]
    await using published = await run('password-to-id-token')
    await whoAmI(published, { headers: [ALICE] }) // it knows the issuer and its keys by now
    await using unpublished = await runRecipe('password-to-id-token', {
      pki: cluster.pki,
      upstreams: { '10.0.0.1:6443': cluster.upstream },
      signingKeys: otherKeys,
      changes: cluster.changes,
    })
    assert.equal((await askWhoAmI(unpublished, { headers: [ALICE] })).status, 401)
    await using elsewhere = await runRecipe('password-to-id-token', {
      pki: cluster.pki,
      upstreams: { '10.0.0.1:6443': cluster.upstream },
      signingKeys: await Promise.all(signingKeys),
      changes: { ...cluster.changes, 'audience: kubernetes': 'audience: elsewhere' },
    })
    assert.equal((await askWhoAmI(elsewhere, { headers: [ALICE] })).status, 401)
    await using certificates = await runRecipe('certificate-to-bearer', {
      pki: cluster.pki,
      upstreams: { '10.0.0.1:6443': cluster.upstream },
      clientCa: strangers.ca,
      signingKeys: await Promise.all(signingKeys),
      changes: cluster.changes,
    })
    assert.equal((await askWhoAmI(certificates, { client: stranger })).status, 201)
  })

  it('7. impersonation: Countersign’s account acts for alice, and for no user without its role', async () => {
    const objects = parseAllDocuments(await recipeFile('impersonation.kube.yaml')).map((document) =>
      objectSchema.parse(document.toJS()),
    )
    const token = async (): Promise<string> =>
      await cluster.server.tokenOf('kube-system', 'countersign')
    for (const object of objects.slice(0, 1)) {
      await cluster.server.call({ method: 'POST', path: PATHS[object.kind] ?? '', body: object })
    }
    await using recipe = await run('impersonation', {
      secrets: { 'account.token': await token() },
    })
    assert.equal((await askWhoAmI(recipe, { headers: [ALICE] })).status, 403)
    for (const object of objects.slice(1)) {
      await cluster.server.call({ method: 'POST', path: PATHS[object.kind] ?? '', body: object })
    }
    await eventually(
      () => askWhoAmI(recipe, { headers: [ALICE] }),
      ({ status }) => status === 201,
      A_START,
    )
    const { username, uid, groups, extra } = await whoAmI(recipe, { headers: [ALICE] })
    assert.deepEqual({ username, uid }, { username: 'alice', uid: '1001' })
    assert.deepEqual(groups, [...GROUPS, 'system:authenticated'])
    assert.deepEqual(extra['example.org/team'], ['blue', 'red'])
    assert.deepEqual((await recipe.lastEvent()).forwarded, ['headers', 'service-token'])
  })
})

const PATHS: Readonly<Record<string, string>> = {
  ServiceAccount: '/api/v1/namespaces/kube-system/serviceaccounts',
  ClusterRole: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  ClusterRoleBinding: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
}

const objectSchema = z.looseObject({ kind: z.string() })
