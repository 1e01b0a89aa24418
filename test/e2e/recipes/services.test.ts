// The recipes whose upstream is not an API server, in front of one that shows what it received. Steps are
// in README.md.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { madeKey } from '../../fakes/signing-keys.ts'
import { valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutOidcProvider,
  startOidcProvider,
  WEB,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { startTokenServer, type TokenServerHandle } from '../../servers/token-server.ts'
import { startUpstream, type Upstream } from '../../servers/upstream.ts'
import { bearer } from '../asking.ts'
import { ALICE, basic, PASSWORDS, received, receivedBy } from '../site.ts'
import { runRecipe, type Running } from './running.ts'

const BOB = basic('bob', PASSWORDS.bob)

describe('recipes for services', { skip: skipWithoutEnvoy(), timeout: 120_000 }, () => {
  const started = new AsyncDisposableStack()
  let pki: Pki
  /** Trusts every client that has the front-proxy certificate. */
  let upstream: Upstream
  /** Trusts the network. */
  let open: TokenServerHandle
  before(async () => {
    pki = started.use(await createPki())
    upstream = started.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
    open = started.use(await startTokenServer(pki.upstream, ({ headers }) => ({ body: headers })))
  })
  after(() => started.disposeAsync())

  const place = (port: number) => ({ address: `localhost:${port}`, ca: pki.ca })

  it('8. certificate → X-Cert-Subject, X-Cert-Contents, Client-Cert: the exact certificate', async () => {
    await using recipe = await runRecipe('certificate-to-headers', {
      pki,
      upstreams: { 'api.internal:8443': place(upstream.port) },
    })
    const answer = await recipe.ask('api.example.org', {
      client: pki.alice,
      headers: [['X-Cert-Subject', 'CN=root']],
    })
    assert.equal(answer.status, 200, answer.body)
    const presented = new X509Certificate(await readFile(pki.alice.certificate))
    assert.deepEqual(received(answer, 'x-cert-subject'), ['O=developers,CN=alice'])
    const [contents = ''] = received(answer, 'x-cert-contents')
    assert.deepEqual(new X509Certificate(decodeURIComponent(contents)).raw, presented.raw)
    const [structured = ''] = received(answer, 'client-cert')
    assert.deepEqual(Buffer.from(structured.slice(1, -1), 'base64'), presented.raw)
    assert.equal((await recipe.ask('api.example.org', {})).status, 401)
  })

  it('9. dashboards: Headlamp gets a name and an ID token, Grafana name, groups and role', async () => {
    const keys = [await madeKey('ES256')]
    await using recipe = await runRecipe('dashboards', {
      pki,
      signingKeys: keys,
      upstreams: {
        'headlamp.internal:4466': place(open.port),
        'dashboard.internal:8443': place(open.port),
        'grafana.internal:3000': place(open.port),
      },
    })
    const headlamp = await recipe.ask('headlamp.example.org', {
      headers: [BOB, ['X-WEBAUTH-USER', 'admin'], ['X-Forwarded-Email', 'root@example.org']],
    })
    assert.equal(headlamp.status, 200, headlamp.body)
    const seen: Record<string, string> = JSON.parse(headlamp.body)
    assert.equal(seen['x-forwarded-user'], 'bob')
    assert.ok(!('x-forwarded-email' in seen))
    assert.ok(!('x-webauth-user' in seen))
    assert.ok(!('authorization' in seen))
    // By another library, and by what Envoy publishes of the issuer.
    const jwks = await published(recipe)
    const { payload } = await jwtVerify(seen['x-forwarded-id-token'] ?? '', jwks, {
      issuer: 'https://id.example.org',
      audience: 'kubernetes',
    })
    assert.equal(payload.sub, 'bob')
    // She is in "with, comma", of which Headlamp would make two groups.
    const refused = await recipe.ask('headlamp.example.org', { headers: [ALICE] })
    assert.equal(refused.status, 403)
    const grafana = await recipe.ask('grafana.example.org', {
      headers: [ALICE, ['X-WEBAUTH-ROLE', 'Server Admin'], ['X-Forwarded-User', 'root']],
    })
    const headers: Record<string, string> = JSON.parse(grafana.body)
    assert.equal(headers['x-webauth-user'], 'alice')
    assert.equal(headers['x-webauth-role'], 'Admin')
    assert.deepEqual(JSON.parse(headers['x-webauth-groups'] ?? ''), ['dev', 'ops', 'with, comma'])
    assert.ok(!('x-forwarded-user' in headers))
  })

  it('10. the issuer is published: its documents only, without a credential', async () => {
    await using recipe = await runRecipe('password-to-id-token', {
      pki,
      signingKeys: [await madeKey('ES256')],
      upstreams: { '10.0.0.1:6443': place(open.port) },
    })
    const host = 'id.example.org'
    const discovery = await recipe.ask(host, { path: '/.well-known/openid-configuration' })
    assert.equal(discovery.status, 200)
    assert.equal(JSON.parse(discovery.body).jwks_uri, 'https://id.example.org/jwks')
    assert.deepEqual(valuesOf(discovery, 'cache-control'), ['public, max-age=300'])
    for (const path of ['/', '/jwks/x', '/.well-known/', '/metrics']) {
      const answer = await recipe.ask(host, { path })
      assert.equal(answer.status, 403, path)
      assert.equal(valuesOf(answer, 'x-countersign-decision').length, 1, path)
    }
    const elsewhere = await recipe.ask('kube.example.org', { path: '/jwks' })
    assert.equal(elsewhere.status, 401)
    const posted = await recipe.ask(host, { path: '/jwks', method: 'POST', body: '{}' })
    assert.equal(posted.status, 405)
  })

  describe('recipes with token exchange', { skip: skipWithoutOidcProvider() }, () => {
    let provider: OidcProvider
    before(async () => {
      provider = started.use(await startOidcProvider({ exchanges: true }))
    })

    it('11. access token → ID token, issued by the authorization server', async () => {
      await using recipe = await runRecipe('access-token-to-id-token', {
        pki,
        upstreams: { '10.0.0.1:6443': place(open.port) },
        secrets: { 'client.secret': WEB.secret },
        changes: {
          'https://login.example.org': provider.issuer,
          'serverName: kubernetes': 'serverName: localhost',
          'id: countersign': `id: ${WEB.id}`,
          'audiences: [countersign]': `audiences: [${WEB.id}]\n      audienceMissing: accept`,
        },
      })
      const token = await provider.accessToken()
      const answer = await recipe.ask('kube.example.org', { headers: [bearer(token)] })
      assert.equal(answer.status, 200, answer.body)
      const { authorization }: { authorization: string } = JSON.parse(answer.body)
      const idToken = authorization.replace(/^Bearer /, '')
      assert.notEqual(idToken, token)
      const keys = createRemoteJWKSet(new URL('keys', provider.issuer), {
        [customFetch]: async (url, options) => await fetch(url, options),
      })
      const { payload } = await jwtVerify(idToken, keys, { issuer: provider.issuer })
      assert.equal(payload.sub, 'u-alice')
      assert.deepEqual((await recipe.lastEvent()).forwarded, ['exchanged-token'])
    })
  })

  it('12. without a credential every recipe refuses', async () => {
    await using recipe = await runRecipe('password-to-headers', {
      pki,
      upstreams: { 'api.internal:6443': place(upstream.port) },
    })
    upstream.clear()
    assert.equal((await recipe.ask('api.example.org', {})).status, 401)
    assert.equal(upstream.requests.length, 0)
    const answer = await recipe.ask('api.example.org', { headers: [ALICE] })
    assert.ok(receivedBy(answer).some(([name]) => name === 'x-remote-user'))
  })
})

/** The key set that the discovery document leads to. */
const published = async (recipe: Running) => {
  const host = 'id.example.org'
  const discovery = await recipe.ask(host, { path: '/.well-known/openid-configuration' })
  const { jwks_uri: location }: { jwks_uri: string } = JSON.parse(discovery.body)
  const { body } = await recipe.ask(host, { path: new URL(location).pathname })
  return createLocalJWKSet(JSON.parse(body))
}
