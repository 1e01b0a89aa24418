import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { DecisionEvent } from '../../../src/audit/event.ts'
import { http1, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  SERVICE,
  skipWithoutOidcProvider,
  startOidcProvider,
  WEB,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, verdictOf } from '../asking.ts'
import { ALICE, eventually, HOST, received, startSite, type Site } from '../site.ts'

const UPSTREAM = 'https://upstream.example.org'
/** Longer than the file of a token is taken for what it was, and the poll. */
const ROTATION_LIMIT = 20_000

const TOKENS = ['first-own-token', 'second-own-token'] as const

interface Secrets {
  readonly web: string
  readonly service: string
  readonly account: string
}

/** What every section that asks the provider has. */
const asking = { failureThreshold: 2, coolDown: '200ms', timeout: '4s' } as const

const routesOf = (issuer: string, { web, service, account }: Secrets) => {
  const exchange = (requestedTokenType: string) => ({
    bearer: {
      exchange: {
        issuer,
        client: { id: WEB.id, secret: `file:${web}` },
        // This provider answers only those about a token that it is for.
        audience: [UPSTREAM, WEB.id],
        scopes: ['openid', 'profile'],
        requestedTokenType,
        cacheTtl: '10m',
        ...asking,
      },
    },
  })
  const client = { id: SERVICE.id, secret: `file:${service}` }
  const clientCredentials = { issuer, client, scopes: ['openid'], cacheTtl: '10m', ...asking }
  const forwards = {
    identity: exchange('id_token'),
    access: exchange('access_token'),
    // No type that this provider makes.
    refused: exchange('jwt'),
    service: { headers: 'kubernetes', bearer: { clientCredentials } },
    account: { headers: 'kubernetes', bearer: { token: `file:${account}` } },
  }
  return Object.entries(forwards).map(([name, forward]) => ({
    name,
    match: { hosts: [HOST], paths: [`/${name}/**`] },
    forward,
  }))
}

describe(
  'tokens that a real authorization server exchanges, through Envoy',
  { skip: skipWithoutEnvoy() || skipWithoutOidcProvider(), timeout: 120_000 },
  () => {
    let folder: TemporaryFolder
    let provider: OidcProvider
    let site: Site
    let token: string
    let secrets: Secrets
    const presented: string[] = []
    const freshToken = async (): Promise<string> => {
      const fresh = await provider.accessToken()
      presented.push(fresh)
      return fresh
    }
    before(async () => {
      folder = await temporaryFolder()
      secrets = {
        web: folder.file('web.secret'),
        service: folder.file('service.secret'),
        account: folder.file('account.token'),
      }
      await writeFile(secrets.web, `${WEB.secret}\n`, { mode: 0o600 })
      await writeFile(secrets.service, `${SERVICE.secret}\n`, { mode: 0o600 })
      await writeFile(secrets.account, `${TOKENS[0]}\n`, { mode: 0o600 })
      provider = await startOidcProvider({ exchanges: true })
      const { issuer } = provider
      const introspection = {
        issuer,
        client: { id: WEB.id, secret: `file:${secrets.web}` },
        audiences: [WEB.id],
        audienceMissing: 'accept',
        // Who the callers are is known while the provider is down; what it has to make is not.
        cacheTtl: '10m',
        ...asking,
      }
      const [route, ...routes] = routesOf(issuer, secrets)
      site = await startSite({
        authenticators: { opaque: { introspection, identity: { user: 'claims.sub' } } },
        route: { authenticate: ['opaque', 'staff'], ...route },
        routes,
      })
      token = await freshToken()
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    })

    const get = (path: string, ...headers: readonly HeaderLine[]): Promise<Answer> =>
      http1(site.target, { host: HOST, path, headers })

    const verdictOn = async (path: string, ...headers: readonly HeaderLine[]): Promise<string> =>
      await verdictOf(site, await get(path, ...headers))

    /** The token that the upstream got. */
    const tokenIn = (answer: Answer): string => {
      assert.equal(answer.status, 200, answer.body)
      const [value = '', ...more] = received(answer, 'authorization')
      assert.deepEqual(more, [])
      assert.match(value, /^Bearer \S+$/)
      return value.slice('Bearer '.length)
    }

    const lastEvent = async (): Promise<DecisionEvent> => {
      const event = (await site.events()).at(-1)
      assert.ok(event !== undefined)
      return event
    }

    it('1. the caller’s token is exchanged for an ID token for the upstream', async () => {
      const issued = tokenIn(await get('/identity/x', bearer(token)))
      assert.notEqual(issued, token)
      const { issuer } = provider
      const keys: JSONWebKeySet = JSON.parse(await (await fetch(`${issuer}keys`)).text())
      const { payload } = await jwtVerify(issued, createLocalJWKSet(keys), {
        issuer,
        audience: UPSTREAM,
      })
      assert.equal(payload.sub, 'u-alice')
      assert.equal(payload['preferred_username'], 'alice')
      const { user, authentication, forwarded, reason } = await lastEvent()
      assert.deepEqual(
        { user, authentication, forwarded, reason },
        {
          user: 'u-alice',
          authentication: 'bearer',
          forwarded: ['exchanged-token'],
          reason: 'permitted',
        },
      )
    })

    it('1. or for an access token, which introspection reports as active', async () => {
      const issued = tokenIn(await get('/access/x', bearer(token)))
      assert.notEqual(issued, token)
      const { active, sub, username } = await provider.introspect(issued)
      assert.deepEqual(
        { active, sub, username },
        { active: true, sub: 'u-alice', username: 'alice' },
      )
    })

    it('2. is exchanged once, however many requests arrive at once', async () => {
      const fresh = await freshToken()
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => get('/access/x', bearer(fresh))),
      )
      // Each one that this provider makes is another.
      const issued = new Set(answers.map(tokenIn))
      assert.equal(issued.size, 1)
      assert.ok(!issued.has(tokenIn(await get('/access/x', bearer(token)))))
    })

    it('3. a refusal by the server refuses the request, and the log has the reason', async () => {
      for (let time = 0; time < 2; time += 1) {
        const answer = await get('/refused/x', bearer(token))
        assert.equal(answer.status, 403)
        assert.match(answer.body, /refused to exchange this token/)
        assert.ok(!answer.body.includes('invalid_request'))
        const { reason, detail, user, forwarded } = await lastEvent()
        assert.deepEqual(
          { reason, detail, user, forwarded },
          {
            reason: 'exchange-refused',
            detail: 'invalid_request',
            user: 'u-alice',
            forwarded: undefined,
          },
        )
      }
      assert.ok(!site.upstream.requests.some(({ url }) => url.startsWith('/refused')))
    })

    it('3. a caller with a password has no token to exchange', async () => {
      assert.equal(await verdictOn('/identity/x', ALICE), '403 token-missing')
      assert.equal(await verdictOn('/access/x', ALICE), '403 token-missing')
    })

    it('4. client credentials: the same token for all, next to identity headers of the caller', async () => {
      const answers = [
        await get('/service/x', ALICE),
        await get('/service/x', bearer(token)),
        await get('/service/x', ALICE),
      ]
      assert.deepEqual(
        answers.map((answer) => received(answer, 'x-remote-user')),
        [['alice'], ['u-alice'], ['alice']],
      )
      const [issued = '', ...more] = new Set(answers.map(tokenIn))
      assert.deepEqual(more, [])
      assert.deepEqual((await lastEvent()).forwarded, ['headers', 'service-token'])
      // It hides the token's subject, but knows it: for other tokens it reports no end.
      assert.equal('exp' in (await provider.introspect(issued)), true)
      // Not its last character, of which base64 ignores some bits.
      const other = `${issued.startsWith('A') ? 'B' : 'A'}${issued.slice(1)}`
      assert.equal('exp' in (await provider.introspect(other)), false)
    })

    it('5. a token from a file, and the next one soon after it is replaced', async () => {
      assert.equal(tokenIn(await get('/account/x', ALICE)), TOKENS[0])
      const { generation } = await lastEvent()
      await writeFile(secrets.account, `${TOKENS[1]}\n`)
      const answer = await eventually(
        () => get('/account/x', bearer(token)),
        (seen) => tokenIn(seen) === TOKENS[1],
        ROTATION_LIMIT,
      )
      assert.deepEqual(received(answer, 'x-remote-user'), ['u-alice'])
      assert.equal((await lastEvent()).generation, generation)
    })

    it('6. the server is down: 503 for new tokens, and cached ones are used', async () => {
      const known = await freshToken()
      // The identity is known from here.
      assert.equal(await verdictOn('/account/x', bearer(known)), '200 permitted')
      const held = tokenIn(await get('/access/x', bearer(token)))
      const own = tokenIn(await get('/service/x', ALICE))
      await provider.stop()
      for (let time = 0; time < 4; time += 1) {
        const answer = await get('/access/x', bearer(known))
        assert.equal(await verdictOf(site, answer), '503 transform-unavailable')
        assert.equal(valuesOf(answer, 'retry-after').length, 1)
        assert.equal(tokenIn(await get('/access/x', bearer(token))), held)
        assert.equal(tokenIn(await get('/service/x', ALICE)), own)
      }
      await provider.restart()
      await eventually(
        () => verdictOn('/access/x', bearer(known)),
        (verdict) => verdict === '200 permitted',
      )
      const { active } = await provider.introspect(tokenIn(await get('/access/x', bearer(known))))
      assert.equal(active, true)
    })

    it('no token of a caller is in logs or at the upstream', async () => {
      const sent = site.upstream.requests.map((request) => JSON.stringify(request)).join()
      assert.ok(sent.includes('Bearer '))
      const audit = await readFile(site.files.audit, 'utf8')
      for (const text of [sent, audit, site.envoy.log(), site.authz.log]) {
        for (const one of presented) assert.ok(!text.includes(one))
      }
      for (const text of [audit, site.envoy.log(), site.authz.log]) {
        for (const own of [...TOKENS, SERVICE.secret]) assert.ok(!text.includes(own))
      }
    })
  },
)
