import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encode } from '../../authenticate/bearer/issuing.ts'
import { makeCaller } from '../../authenticate/bearer/proving.ts'
import { http1, http2, valuesOf, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { upgradeRaw } from '../../servers/raw-client.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, send, verdictOf, verdictOn } from '../asking.ts'
import { ALICE, basic, HOST, received, startSite, type Site } from '../site.ts'
import {
  aliceKey,
  authenticatorsIn,
  botKey,
  key,
  now,
  strangeKey,
  tokenWith,
} from './credentials.ts'

const BEARER = 'Bearer realm="Tokens"'
const API_KEY = 'ApiKey realm="Keys", in="header", name="x-api-key"'
const BASIC = 'Basic realm="Site", charset="UTF-8"'
const INVALID = ', error="invalid_token"'

const token = await tokenWith()
const over = await tokenWith({ exp: 1 })
const otherToken = await tokenWith({ iss: 'https://login.example.net' })
const caller = await makeCaller()
const bound = await tokenWith({ cnf: { jkt: caller.thumbprint } })

describe('several authenticators of one route, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    site = await startSite({
      authenticators: await authenticatorsIn(folder.path),
      route: { authenticate: [{ all: ['tokens', 'keys'] }, 'keys', 'staff', 'nobody'] },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const inSubprotocol = (text: string): readonly HeaderLine[] => [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Protocol', `x, base64url.bearer.authorization.k8s.io.${encode(text)}`],
  ]

  const PERMITTED: readonly {
    readonly name: string
    readonly headers: readonly HeaderLine[]
    readonly user: string
    readonly authenticator: string
  }[] = [
    {
      name: 'a token and a key, as the token’s user',
      headers: [bearer(token), key(botKey)],
      user: 'alice',
      authenticator: 'tokens+keys',
    },
    { name: 'an API key alone', headers: [key(botKey)], user: 'bot', authenticator: 'keys' },
    { name: 'a password alone', headers: [ALICE], user: 'alice', authenticator: 'staff' },
    {
      name: 'a request without a credential, as the anonymous user',
      headers: [],
      user: 'visitor',
      authenticator: 'nobody',
    },
    {
      name: 'a cookie, which this route does not read, as the anonymous user',
      headers: [['Cookie', 'session=x']],
      user: 'visitor',
      authenticator: 'nobody',
    },
  ]
  for (const { name, headers, user, authenticator } of PERMITTED) {
    it(`accepts ${name}`, async () => {
      for (const sendOver of [http1, http2]) {
        const answer = await sendOver(site.target, { host: HOST, headers })
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(received(answer, 'x-remote-user'), [user])
        assert.deepEqual(received(answer, 'authorization'), [])
        assert.deepEqual(received(answer, 'x-api-key'), [])
        assert.equal((await site.events()).at(-1)?.authenticator, authenticator)
      }
    })
  }

  const INVITATIONS = [BEARER, API_KEY, BASIC]
  const REFUSED: readonly {
    readonly name: string
    readonly headers: readonly HeaderLine[]
    readonly verdict: string
    readonly challenges?: readonly string[]
  }[] = [
    {
      name: 'a token alone, where a key is required as well',
      headers: [bearer(token)],
      verdict: '401 credential-unsupported',
    },
    {
      name: 'a token of another issuer',
      headers: [bearer(otherToken)],
      verdict: '401 credential-unsupported',
    },
    {
      name: 'an opaque text as bearer token',
      headers: [bearer('opaque')],
      verdict: '401 credential-unsupported',
    },
    {
      name: 'a scheme that the route does not accept',
      headers: [['Authorization', 'Negotiate YII=']],
      verdict: '401 credential-unsupported',
    },
    {
      name: 'an expired token, alone',
      headers: [bearer(over)],
      verdict: '401 token-expired',
      challenges: [BEARER + INVALID, API_KEY, BASIC],
    },
    {
      name: 'an expired token with a key',
      headers: [bearer(over), key(botKey)],
      verdict: '401 token-expired',
      challenges: [BEARER + INVALID, API_KEY, BASIC],
    },
    {
      name: 'an expired token with a wrong key',
      headers: [bearer(over), key(strangeKey)],
      verdict: '401 token-expired',
      challenges: [BEARER + INVALID, API_KEY, BASIC],
    },
    {
      name: 'a token with an unknown key',
      headers: [bearer(token), key(strangeKey)],
      verdict: '401 api-key-unknown',
    },
    {
      name: 'an unknown key',
      headers: [key(strangeKey)],
      verdict: '401 api-key-unknown',
    },
    { name: 'an empty key', headers: [key('')], verdict: '401 credential-malformed' },
    {
      name: 'a wrong password',
      headers: [basic('alice', 'guess')],
      verdict: '401 credential-wrong',
    },
    {
      name: 'a key and a password',
      headers: [key(botKey), ALICE],
      verdict: '400 credential-conflict',
    },
    {
      name: 'a wrong key and a password',
      headers: [key(strangeKey), ALICE],
      verdict: '400 credential-conflict',
    },
    {
      name: 'a key and a token that are both wrong',
      headers: [key(botKey), bearer(otherToken)],
      verdict: '400 credential-conflict',
    },
  ]
  for (const { name, headers, verdict, challenges = INVITATIONS } of REFUSED) {
    it(`refuses ${name}: ${verdict}`, async () => {
      site.upstream.clear()
      for (const sendOver of [http1, http2]) {
        const answer = await sendOver(site.target, { host: HOST, headers })
        assert.equal(await verdictOf(site, answer), verdict)
        const expected = verdict.startsWith('401') ? challenges : []
        assert.deepEqual(valuesOf(answer, 'www-authenticate'), expected)
      }
      assert.equal(site.upstream.requests.length, 0)
    })
  }

  const UPGRADES: readonly {
    readonly name: string
    readonly headers: readonly HeaderLine[]
    readonly verdict: string
  }[] = [
    {
      name: 'a token alone',
      headers: inSubprotocol(token),
      verdict: '401 credential-unsupported',
    },
    {
      name: 'a token of another issuer',
      headers: inSubprotocol(otherToken),
      verdict: '401 credential-unsupported',
    },
    {
      name: 'an expired token',
      headers: inSubprotocol(over),
      verdict: '401 token-expired',
    },
    {
      name: 'a token and a password',
      headers: [...inSubprotocol(token), ALICE],
      verdict: '400 credential-conflict',
    },
    {
      name: 'a token next to another one',
      headers: [...inSubprotocol(token), bearer(token)],
      verdict: '401 credential-malformed',
    },
  ]
  for (const { name, headers, verdict } of UPGRADES) {
    it(`refuses ${name} in a subprotocol: ${verdict}`, async () => {
      site.upstream.clear()
      using upgraded = await upgradeRaw(site.target, { headers: [['Host', HOST], ...headers] })
      assert.equal(await verdictOf(site, upgraded.answer), verdict)
      assert.equal(site.upstream.requests.length, 0)
    })
  }
})

describe('two required credentials of one user', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  before(async () => {
    folder = await temporaryFolder()
    site = await startSite({
      authenticators: await authenticatorsIn(folder.path, { dpop: {} }),
      route: {
        authenticate: [{ all: ['tokens', 'keys'], sameUser: true }, 'tokens', 'nobody'],
      },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const presented = async (): Promise<readonly HeaderLine[]> => [
    ['Authorization', `DPoP ${bound}`],
    ['DPoP', await caller.proof(bound, { iat: now(), htu: `https://${HOST}/` })],
  ]

  it('are accepted where they name the same user', async () => {
    const answer = await send(site, bearer(token), key(aliceKey))
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
    assert.equal((await site.events()).at(-1)?.authenticator, 'tokens+keys')
  })

  it('are refused where they do not, and audit has both names', async () => {
    assert.equal(await verdictOn(site, bearer(token), key(botKey)), '400 credential-conflict')
    assert.equal((await site.events()).at(-1)?.user, 'alice, bot')
  })

  it('are refused where either is wrong', async () => {
    const wrong = await tokenWith({ aud: 'other' })
    assert.equal(await verdictOn(site, bearer(wrong), key(aliceKey)), '401 token-audience')
    assert.equal(await verdictOn(site, bearer(token), key(strangeKey)), '401 api-key-unknown')
  })

  it('may be the token alone where the route says so; the key alone is refused, and not anonymous', async () => {
    assert.equal(await verdictOn(site, bearer(token)), '200 permitted')
    assert.equal((await site.events()).at(-1)?.authenticator, 'tokens')
    assert.equal(await verdictOn(site, key(aliceKey)), '401 credential-unsupported')
    assert.equal(await verdictOn(site, key(strangeKey)), '401 credential-unsupported')
    assert.equal(await verdictOn(site), '200 permitted')
    assert.equal((await site.events()).at(-1)?.user, 'visitor')
  })

  it('may be a DPoP-bound token, with an API key or without, each proof once', async () => {
    const both = await presented()
    assert.equal(await verdictOn(site, ...both, key(aliceKey)), '200 permitted')
    assert.equal(await verdictOn(site, ...both, key(aliceKey)), '401 proof-replayed')
    const alone = await presented()
    assert.equal(await verdictOn(site, ...alone), '200 permitted')
    assert.equal(await verdictOn(site, ...alone), '401 proof-replayed')
    assert.equal(await verdictOn(site, ...alone, key(aliceKey)), '401 proof-replayed')
  })
})
