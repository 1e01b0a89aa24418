import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutOidcProvider,
  startOidcProvider,
  WEB,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, send, verdictOn } from '../asking.ts'
import { ALICE, eventually, HOST, received, startSite, type Site } from '../site.ts'

const authenticators = (issuer: string, secret: string) => ({
  jwts: {
    bearer: { realm: 'JWT', issuer, audiences: ['native'], keys: { coolDown: '200ms' } },
    identity: { user: '"jwt:" + claims.sub' },
  },
  opaque: {
    introspection: {
      realm: 'Opaque',
      issuer,
      client: { id: WEB.id, secret: `file:${secret}` },
      // This provider says no audience, and answers only the client that a token is for.
      audiences: [WEB.id],
      audienceMissing: 'accept',
      cacheTtl: '1s',
      failureThreshold: 2,
      coolDown: '200ms',
    },
    identity: { user: '"opaque:" + claims.sub', groups: '[claims.client_id]' },
  },
})

describe(
  'opaque tokens of a real authorization server, through Envoy',
  { skip: skipWithoutEnvoy() || skipWithoutOidcProvider() },
  () => {
    let folder: TemporaryFolder
    let provider: OidcProvider
    let site: Site
    let token: string
    before(async () => {
      folder = await temporaryFolder()
      const secret = folder.file('client.secret')
      await writeFile(secret, `${WEB.secret}\n`, { mode: 0o600 })
      provider = await startOidcProvider()
      site = await startSite({
        authenticators: authenticators(provider.issuer, secret),
        route: { authenticate: ['jwts', 'opaque', 'staff'] },
      })
      token = await provider.accessToken()
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    it('1. a token in, identity headers out, over HTTP/1.1 and HTTP/2', async () => {
      for (const ask of [http1, http2]) {
        const answer = await ask(site.target, { host: HOST, headers: [bearer(token)] })
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(received(answer, 'x-remote-user'), ['opaque:u-alice'])
        assert.deepEqual(received(answer, 'x-remote-group'), [WEB.id])
        assert.deepEqual(received(answer, 'authorization'), [])
        assert.ok(!answer.body.includes(token))
      }
      const event = (await site.events()).at(-1)
      assert.deepEqual([event?.authenticator, event?.authentication], ['opaque', 'bearer'])
      assert.ok(!(await readFile(site.files.audit, 'utf8')).includes(token))
    })

    it('1. a JWT on the same route is verified by its signature, and a password is accepted', async () => {
      const jwt = await send(site, bearer(await provider.idToken()))
      assert.deepEqual(received(jwt, 'x-remote-user'), ['jwt:u-alice'])
      assert.deepEqual(received(await send(site, ALICE), 'x-remote-user'), ['alice'])
    })

    const UNKNOWN: readonly (readonly [name: string, change: (token: string) => string])[] = [
      ['that nobody gave out', () => 'unknown'],
      ['that was changed', (good) => `${good.slice(0, -2)}AA`],
      ['that was cut short', (good) => good.slice(0, -1)],
    ]
    for (const [name, change] of UNKNOWN) {
      it(`2. a token ${name}: 401`, async () => {
        const answer = await send(site, bearer(change(token)))
        assert.equal(answer.status, 401)
        assert.equal((await site.events()).at(-1)?.reason, 'token-inactive')
        assert.deepEqual(valuesOf(answer, 'www-authenticate'), [
          'Bearer realm="JWT"',
          'Bearer realm="Opaque", error="invalid_token"',
          'Basic realm="Site", charset="UTF-8"',
        ])
      })
    }

    it('2. a revoked token: refused once the cached answer has ended', async () => {
      const revoked = await provider.accessToken()
      assert.equal(await verdictOn(site, bearer(revoked)), '200 permitted')
      await provider.revoke(revoked)
      await eventually(
        () => verdictOn(site, bearer(revoked)),
        (verdict) => verdict === '401 token-inactive',
      )
      assert.equal(await verdictOn(site, bearer(token)), '200 permitted')
    })

    /** Changes the configuration, and waits until a token is judged by it. */
    const reconfigure = async (from: string, to: string, verdict: string): Promise<void> => {
      const text = await readFile(site.files.config, 'utf8')
      assert.ok(text.includes(from))
      await writeFile(site.files.config, text.replace(from, to))
      await eventually(
        () => verdictOn(site, bearer(token)),
        (seen) => seen === verdict,
      )
    }

    it('3. a token for another audience: 401, also where introspection has no audience', async () => {
      // Another client asks, whose it is not.
      await reconfigure(`id: ${WEB.id}\n`, 'id: api\n', '401 token-inactive')
      await reconfigure('id: api\n', `id: ${WEB.id}\n`, '200 permitted')
      await reconfigure('Missing: accept', 'Missing: refuse', '401 token-audience')
      await reconfigure('Missing: refuse', 'Missing: accept', '200 permitted')
    })

    it('4. the server is down: 503 for its tokens only, until it is up', async () => {
      const jwt = await provider.idToken()
      assert.equal(await verdictOn(site, bearer(jwt)), '200 permitted')
      const unseen = await provider.accessToken()
      await provider.stop()
      for (let time = 0; time < 4; time += 1) {
        const answer = await send(site, bearer(unseen))
        assert.equal(answer.status, 503)
        assert.equal(valuesOf(answer, 'retry-after').length, 1)
        assert.deepEqual(valuesOf(answer, 'www-authenticate'), [])
        assert.equal((await site.events()).at(-1)?.reason, 'authenticator-unavailable')
        assert.equal(await verdictOn(site, ALICE), '200 permitted')
      }
      assert.equal(await verdictOn(site, bearer(jwt)), '200 permitted')
      // The cached answer about a valid token ends, and then its status is unknown.
      await eventually(
        () => verdictOn(site, bearer(token)),
        (verdict) => verdict === '503 authenticator-unavailable',
      )

      await provider.restart()
      const fresh = await provider.accessToken()
      await eventually(
        () => verdictOn(site, bearer(fresh)),
        (verdict) => verdict === '200 permitted',
      )
      // It has forgotten everything that it gave out before.
      assert.equal(await verdictOn(site, bearer(unseen)), '401 token-inactive')
    })

    it('no token is in the logs', async () => {
      const audit = await readFile(site.files.audit, 'utf8')
      for (const text of [audit, site.envoy.log(), site.authz.log]) {
        assert.ok(!text.includes(token))
      }
    })
  },
)
