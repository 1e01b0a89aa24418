import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { claimsOf, jwksOf, makeKey, type IssuerKey } from '../../authenticate/bearer/issuing.ts'
import { http1, http2, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startJwksServer, type JwksServer } from '../../servers/jwks.ts'
import {
  skipWithoutOidcProvider,
  startOidcProvider,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import { bearer, send } from '../asking.ts'
import { ALICE, eventually, HOST, received, startSite, type Site } from '../site.ts'

const COOL_DOWN = 200

const reasonOf = async (site: Site): Promise<string | undefined> =>
  (await site.events()).at(-1)?.reason

describe(
  'JWTs of a real issuer, through Envoy',
  { skip: skipWithoutEnvoy() || skipWithoutOidcProvider() },
  () => {
    let provider: OidcProvider
    let site: Site
    let token: string
    before(async () => {
      provider = await startOidcProvider()
      const { issuer } = provider
      site = await startSite({
        authenticators: {
          tokens: {
            bearer: {
              issuer,
              audiences: ['native'],
              keys: { coolDown: `${COOL_DOWN}ms`, refresh: { min: '1s', max: '1s' } },
            },
            identity: { user: '"oidc:" + claims.sub', groups: '["oidc:all"]' },
          },
        },
        route: { authenticate: ['tokens', 'staff'] },
      })
      token = await provider.idToken()
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
    })

    it('1. a token in, identity headers out, over HTTP/1.1 and HTTP/2', async () => {
      for (const ask of [http1, http2]) {
        const answer = await ask(site.target, { host: HOST, headers: [bearer(token)] })
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(received(answer, 'x-remote-user'), ['oidc:u-alice'])
        assert.deepEqual(received(answer, 'x-remote-group'), ['oidc:all'])
        assert.deepEqual(received(answer, 'authorization'), [])
        assert.ok(!answer.body.includes(token))
      }
      const event = (await site.events()).at(-1)
      assert.equal(event?.authenticator, 'tokens')
      assert.equal(event.authentication, 'bearer')
    })

    it('2. a password on the same route; a request without a credential gets both challenges', async () => {
      assert.equal((await send(site, ALICE)).status, 200)
      const answer = await send(site)
      assert.equal(answer.status, 401)
      assert.equal(await reasonOf(site), 'credential-missing')
      assert.deepEqual(
        valuesOf(answer, 'www-authenticate').map((challenge) => challenge.split(' ')[0]),
        ['Bearer', 'Basic'],
      )
    })

    it('3. a forged signature, another issuer, and a text that is not a token: 401', async () => {
      const [header = '', claims = '', signature = ''] = token.split('.')
      const forged = `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
      assert.equal((await send(site, bearer(forged))).status, 401)
      assert.equal(await reasonOf(site), 'token-signature')
      const otherToken = await (await makeKey()).token()
      assert.equal((await send(site, bearer(otherToken))).status, 401)
      assert.equal(await reasonOf(site), 'credential-unsupported')
      assert.equal((await send(site, bearer('opaque'))).status, 401)
      assert.equal((await send(site, bearer(token), ALICE)).status, 401)
    })

    it('4. a token in the subprotocol of a WebSocket; the upstream gets the other subprotocols only', async () => {
      const encoded = Buffer.from(token).toString('base64url')
      const headers: readonly HeaderLine[] = [
        ['Host', HOST],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
        [
          'Sec-WebSocket-Protocol',
          `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${encoded}, v4.channel.k8s.io`,
        ],
      ]
      using upgraded = await upgradeRaw(site.target, { headers })
      assert.equal(upgraded.answer.status, 101)
      const request = site.upstream.requests.at(-1)
      const lines = request?.rawHeaders.join('\n') ?? ''
      assert.match(
        lines,
        /sec-websocket-protocol\nv5\.channel\.k8s\.io, v4\.channel\.k8s\.io(\n|$)/i,
      )
      assert.match(lines, /x-remote-user\noidc:u-alice/i)
      assert.ok(!lines.includes(encoded))
    })

    it('5. the issuer changes its key: new tokens are accepted, old ones are refused', async () => {
      await provider.restart()
      const fresh = await provider.idToken()
      await eventually(
        async () => (await send(site, bearer(fresh))).status,
        (status) => status === 200,
      )
      await eventually(
        async () => (await send(site, bearer(token))).status,
        (status) => status === 401,
      )
      assert.equal(await reasonOf(site), 'token-key-unknown')
      token = fresh
    })

    it('6. the issuer is down: its tokens are still accepted, and passwords too', async () => {
      await provider.stop()
      assert.equal((await send(site, bearer(token))).status, 200)
      assert.equal((await send(site, ALICE)).status, 200)
    })

    it('7. authz starts while the issuer is down: 503 for tokens only, until it is up', async () => {
      await site.authz.end('SIGKILL')
      await site.authz.start()
      await eventually(
        async () => (await send(site, ALICE)).status,
        (status) => status === 200,
      )
      const answer = await send(site, bearer(token))
      assert.equal(answer.status, 503)
      assert.equal(valuesOf(answer, 'retry-after').length, 1)
      assert.equal(await reasonOf(site), 'authenticator-unavailable')
      await provider.restart()
      const fresh = await provider.idToken()
      await eventually(
        async () => (await send(site, bearer(fresh))).status,
        (status) => status === 200,
      )
    })
  },
)

describe('JWTs of an issuer with an HTTPS key set', { skip: skipWithoutEnvoy() }, () => {
  let pki: Pki
  let server: JwksServer
  let key: IssuerKey
  let site: Site
  const now = (): number => Math.floor(Date.now() / 1_000)
  const token = (signer: IssuerKey, changes: Readonly<Record<string, unknown>> = {}) =>
    signer.token(claimsOf({ iat: now(), exp: now() + 300, ...changes }))
  before(async () => {
    pki = await createPki()
    server = await startJwksServer(pki.upstream)
    key = await makeKey('ES256', 'first')
    server.answers.set('/keys', { body: jwksOf(key) })
    site = await startSite({
      authenticators: {
        tokens: {
          bearer: {
            issuer: claimsOf().iss,
            audiences: [claimsOf().aud],
            skew: '1s',
            require: 'claims.email_verified == true',
            keys: {
              url: `${server.origin}/keys`,
              ca: pki.ca,
              coolDown: '200ms',
              refresh: { min: '500ms', max: '500ms' },
            },
          },
          identity: {
            user: 'claims.email',
            groups: 'claims.groups.map(g, "oidc:" + g)',
            extra: { 'example.org/issuer': 'claims.iss' },
          },
        },
      },
      route: { authenticate: ['tokens'] },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  const GOOD = { email: 'alice@example.org', email_verified: true, groups: ['dev', 'ops'] }

  it('have the user that the mapping takes from their claims', async () => {
    const answer = await send(site, bearer(await token(key, GOOD)))
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice@example.org'])
    assert.deepEqual(received(answer, 'x-remote-group'), ['oidc:dev', 'oidc:ops'])
    assert.deepEqual(received(answer, 'x-remote-extra-example.org%2fissuer'), [claimsOf().iss])
  })

  const CASES: readonly {
    name: string
    changes: Readonly<Record<string, unknown>>
    status: number
    reason: string
  }[] = [
    {
      name: 'whose email is not verified',
      changes: { ...GOOD, email_verified: false },
      status: 401,
      reason: 'token-claims',
    },
    {
      name: 'without an email claim',
      changes: { email_verified: true, groups: [] },
      status: 403,
      reason: 'identity-unmapped',
    },
    {
      name: 'of a reserved name',
      changes: { ...GOOD, email: 'system:admin' },
      status: 403,
      reason: 'identity-reserved',
    },
    {
      name: 'for another audience',
      changes: { ...GOOD, aud: 'other' },
      status: 401,
      reason: 'token-audience',
    },
    {
      name: 'that has expired',
      changes: { ...GOOD, exp: 1 },
      status: 401,
      reason: 'token-expired',
    },
    {
      name: 'bound to a certificate',
      changes: { ...GOOD, cnf: { 'x5t#S256': 'x' } },
      status: 401,
      reason: 'token-binding',
    },
  ]
  for (const { name, changes, status, reason } of CASES) {
    it(`${name}: ${status} for ${reason}`, async () => {
      assert.equal((await send(site, bearer(await token(key, changes)))).status, status)
      assert.equal(await reasonOf(site), reason)
    })
  }

  it('are refused from their exp on, also when they are cached', async () => {
    const short = await token(key, { ...GOOD, exp: now() + 1 })
    assert.equal((await send(site, bearer(short))).status, 200)
    await eventually(
      async () => (await send(site, bearer(short))).status,
      (status) => status === 401,
    )
    assert.equal(await reasonOf(site), 'token-expired')
  })

  it('end streams and upgraded connections at their exp', async () => {
    const SECONDS = 2
    const line = bearer(await token(key, { ...GOOD, exp: now() + SECONDS }))
    const started = performance.now()
    const stream = sendRaw(site.target, {
      line: 'GET /slow?interval=50 HTTP/1.1',
      headers: [['Host', HOST], line],
    })
    using upgraded = await upgradeRaw(site.target, {
      headers: [['Host', HOST], ['Connection', 'Upgrade'], ['Upgrade', 'websocket'], line],
    })
    assert.equal(upgraded.answer.status, 101)
    upgraded.socket.resume()
    const [answer] = await Promise.all([stream, once(upgraded.socket, 'close')])
    assert.equal(answer.status, 200)
    const took = performance.now() - started
    // Up to a second early, since the token counts in seconds; Envoy closes a second later.
    assert.ok(took > (SECONDS - 1) * 1_000 - 100, `${took} ms`)
    assert.ok(took < (SECONDS + 8) * 1_000, `${took} ms`)
    for (const { rawHeaders } of site.upstream.requests.slice(-2)) {
      assert.doesNotMatch(rawHeaders.join(), /stream-duration/i)
    }
  })

  it('are accepted by the new key at once, and no longer by the replaced one', async () => {
    const old = await token(key, GOOD)
    assert.equal((await send(site, bearer(old))).status, 200)
    const second = await makeKey('RS256', 'second')
    server.answers.set('/keys', { body: jwksOf(second) })
    await eventually(
      async () => (await send(site, bearer(await token(second, GOOD)))).status,
      (status) => status === 200,
    )
    assert.equal((await send(site, bearer(old))).status, 401)
  })
})
