// Tokens exchanged at an endpoint over HTTPS: the request, word for word as in RFC 8693, which token
// is exchanged and which is not, and what the upstream gets.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secretInHeader } from '../../../src/clients/token-endpoint/client-authentication.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { claimsOf, encode, makeKey } from '../../authenticate/bearer/issuing.ts'
import { basic, type HeaderLines } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import {
  Exchanging,
  numbered,
  startAskingForTokens,
  wordOf,
  type ExchangeParts,
} from './asking-for-tokens.ts'
import { EXAMPLES, TYPES } from './exchange-examples.ts'

describe('an example of RFC 8693', () => {
  for (const { name, terms, subject, actor, request, response, claims, at } of EXAMPLES) {
    it(`has the request and the answer of the RFC: ${name}`, async () => {
      await using site = await startAskingForTokens()
      const client = secretInHeader('rs08', 'long-secure-random-secret')
      const exchanging = new Exchanging(site, {
        terms,
        source: { ...site.source, client },
        actor:
          actor === undefined
            ? undefined
            : { type: `${TYPES}jwt`, read: () => Promise.resolve(actor) },
      })
      site.clock.advance(at * 1_000 - site.clock.now())
      site.scripted.answer = () => ({ body: response })
      const header = await exchanging.show(subject)
      const [received, ...more] = site.scripted.requests
      assert.deepEqual(more, [])
      assert.equal(received?.body, request)
      assert.equal(
        received.headers['authorization'],
        'Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0',
      )
      assert.equal(received.headers['content-type'], 'application/x-www-form-urlencoded')
      const [, payload = ''] = header.split('.')
      assert.deepEqual(JSON.parse(Buffer.from(payload, 'base64url').toString()), claims)
    })
  }
})

describe('the request of an exchange', () => {
  interface Case {
    readonly name: string
    readonly terms: NonNullable<ExchangeParts['terms']>
    readonly want: readonly string[]
  }
  const CASES: readonly Case[] = [
    {
      name: 'has every parameter, repeated where allowed',
      terms: {
        requestedTokenType: `${TYPES}jwt`,
        resource: ['https://a.example/x?y=z', 'https://b.example'],
        audience: ['one', 'two & three'],
        scopes: ['read', 'write:all'],
      },
      want: [
        'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange',
        'resource=https%3A%2F%2Fa.example%2Fx%3Fy%3Dz',
        'resource=https%3A%2F%2Fb.example',
        'audience=one',
        'audience=two+%26+three',
        'scope=read+write%3Aall',
        'requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt',
        'subject_token=T%2B%2F%3D%3D',
        'subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token',
      ],
    },
    {
      name: 'has the parameters of Microsoft Entra ID’s on-behalf-of flow',
      terms: { flow: 'on-behalf-of', scopes: ['https://graph.example.com/user.read', 'openid'] },
      want: [
        'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer',
        'assertion=T%2B%2F%3D%3D',
        'requested_token_use=on_behalf_of',
        'scope=https%3A%2F%2Fgraph.example.com%2Fuser.read+openid',
      ],
    },
  ]
  for (const { name, terms, want } of CASES) {
    it(name, async () => {
      await using exchanging = await Exchanging.start({ terms })
      const { scripted } = exchanging.site
      scripted.answer = numbered({ issued_token_type: `${TYPES}jwt` })
      assert.equal(await exchanging.show('T+/=='), 'Bearer token-1')
      assert.deepEqual(scripted.requests[0]?.body.split('&'), want)
      assert.deepEqual(
        [scripted.requests[0]?.method, scripted.requests[0]?.path],
        ['POST', '/token'],
      )
    })
  }

  it('has the present actor token', async () => {
    let actor = 'actor-1'
    await using exchanging = await Exchanging.start({
      actor: { type: `${TYPES}jwt`, read: () => Promise.resolve(actor) },
    })
    await exchanging.show('a')
    actor = 'actor-2'
    await exchanging.show('b')
    const said = exchanging.site.scripted.requests.map(({ form }) => form['actor_token'])
    assert.deepEqual(said, ['actor-1', 'actor-2'])
  })

  it('is not sent where the actor token is unavailable', async () => {
    const read = (): Promise<string> => Promise.reject(new Error('no such file'))
    await using exchanging = await Exchanging.start({ actor: { type: `${TYPES}jwt`, read } })
    assert.equal(await exchanging.show('a'), 'unavailable: no such file')
    assert.equal(exchanging.requests, 0)
  })
})

describe('the subject token of an exchange', () => {
  const BOTH: HeaderLines = [
    ['upgrade', 'websocket'],
    ['sec-websocket-protocol', `base64url.bearer.authorization.k8s.io.${encode('opaque')}, v4`],
  ]
  interface Case {
    readonly name: string
    readonly headers: HeaderLines
    readonly identity?: Identity
    /** The `subject_token`; `undefined` where none is exchanged. */
    readonly want: string | undefined
  }
  const PRESENTED: HeaderLines = [['authorization', 'Bearer opaque']]
  const CASES: readonly Case[] = [
    { name: 'is the one in Authorization', headers: PRESENTED, want: 'opaque' },
    {
      name: 'is found in any case of the scheme',
      headers: [['authorization', 'bEARER  opaque']],
      want: 'opaque',
    },
    { name: 'is found among the subprotocols of a WebSocket', headers: BOTH, want: 'opaque' },
    {
      name: 'is the proven one, where it was proven together with a certificate',
      headers: PRESENTED,
      identity: identityOf({ method: 'certificate', claims: { sub: 'alice' } }),
      want: 'opaque',
    },
    { name: 'is missing without a token', headers: [], want: undefined },
    {
      name: 'hostile: is missing with two tokens',
      headers: [...PRESENTED, ...BOTH],
      want: undefined,
    },
    {
      name: 'hostile: is missing with two lines',
      headers: [['authorization', 'Bearer a,Bearer b']],
      want: undefined,
    },
    {
      name: 'hostile: is missing where it is bound to a key',
      headers: [
        ['authorization', 'DPoP opaque'],
        ['dpop', 'proof'],
      ],
      want: undefined,
    },
    {
      name: 'is not a password',
      headers: [['authorization', basic('alice', 'pw')]],
      want: undefined,
    },
    {
      name: 'hostile: is not one that no authenticator has verified, together with a certificate',
      headers: PRESENTED,
      identity: identityOf({ method: 'certificate' }),
      want: undefined,
    },
    {
      name: 'hostile: is not an API key in place of a token',
      headers: PRESENTED,
      identity: identityOf({ method: 'api-key' }),
      want: undefined,
    },
    {
      name: 'hostile: is missing where the client is anonymous',
      headers: PRESENTED,
      identity: identityOf({ method: 'anonymous' }),
      want: undefined,
    },
  ]
  for (const { name, headers, identity, want } of CASES) {
    it(name, async () => {
      await using exchanging = await Exchanging.start()
      const word = wordOf(await exchanging.give(headers, identity))
      assert.equal(word, want === undefined ? 'token-missing' : 'Bearer token-1')
      const request = exchanging.site.scripted.requests.map(({ form }) => form['subject_token'])
      assert.deepEqual(request, want === undefined ? [] : [want])
    })
  }
})

describe('the credential for the upstream', () => {
  it('has the jti of the token for audit, where it has one', async () => {
    await using exchanging = await Exchanging.start()
    const key = await makeKey()
    const token = await key.token(claimsOf({ jti: 'token-7' }))
    exchanging.site.scripted.answer = numbered({ access_token: token })
    const transformation = await exchanging.give([['authorization', 'Bearer opaque']])
    assert.deepEqual(transformation, {
      outcome: 'transformed',
      forwarding: {
        setHeaders: [['authorization', `Bearer ${token}`]],
        repeatedHeaders: [],
        tokenIds: ['token-7'],
      },
    })
  })

  it('has a kind of its own, for which a request is sent', async () => {
    await using exchanging = await Exchanging.start()
    const { kind, asks } = exchanging.transformer
    assert.deepEqual([kind, asks], ['exchanged-token', true])
  })
})
