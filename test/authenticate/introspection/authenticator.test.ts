// Tokens that are introspected: what is sent, what of the answer is cached, and how they are used together with tokens
// that are verified locally. Over real HTTPS.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { before, describe, it } from 'node:test'
import { Chain } from '../../../src/authenticate/chain.ts'
import { CredentialCache, LONGEST_REJECTION } from '../../../src/authenticate/credential-cache.ts'
import { certificateOnly } from '../../../src/clients/token-endpoint/client-authentication.ts'
import { IdentityMapping } from '../../../src/identity/mapping.ts'
import { asEnvoySends, presentedCertificate } from '../../fixtures/presented.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { startTokenServer } from '../../servers/token-server.ts'
import { bearerWith, outcomeOf, show } from '../bearer/asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { ACTIVE, askingBy, introspectionBy, startIntrospection } from './introspecting.ts'
import { claimsOf, ISSUER, keySetOf, makeKey, NOW, type IssuerKey } from '../bearer/issuing.ts'

const FOREVER = new AbortController().signal

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

describe('an opaque token', () => {
  it('is sent to the introspection endpoint, whose answer yields the credential', async () => {
    await using site = await startIntrospection()
    site.scripted.answer = () => ({ body: { ...ACTIVE, scope: 'a b', groups: ['dev'] } })
    const result = await show(site.authenticator, 'opaque-token')
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    const { digest, ...credential } = result.credential
    assert.deepEqual(credential, {
      method: 'bearer',
      user: `${ISSUER}#alice`,
      groups: [],
      extra: {},
      expires: (NOW + 300) * 1_000,
      claims: { ...ACTIVE, scope: 'a b', groups: ['dev'] },
      presented: { proven: true, aud: ['kubernetes'] },
    })
    assert.match(digest, /^[\w-]{16}$/)
    assert.ok(Object.isFrozen(credential.claims) && Object.isFrozen(credential.claims['groups']))

    const [request, ...more] = site.scripted.requests
    assert.deepEqual(more, [])
    assert.equal(request?.method, 'POST')
    assert.equal(request.path, '/introspect')
    assert.deepEqual(request.form, { token: 'opaque-token', token_type_hint: 'access_token' })
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(request.headers.accept, 'application/json')
    const secret = Buffer.from('countersign:client-secret').toString('base64')
    assert.equal(request.headers.authorization, `Basic ${secret}`)
  })

  it('arrives there unchanged, whatever characters it has', async () => {
    await using site = await startIntrospection()
    await show(site.authenticator, 'a+b/c~d.e_f-==')
    assert.equal(site.scripted.requests[0]?.form['token'], 'a+b/c~d.e_f-==')
  })

  it('an opaque token that is absent or malformed is not sent', async () => {
    await using site = await startIntrospection()
    const { authenticator, scripted } = site
    for (const [authorization, want] of [
      ['', 'not-applicable'],
      ['Basic YTpi', 'not-applicable'],
      ['DPoP opaque', 'not-applicable'],
      ['Bearer', 'credential-malformed'],
      ['Bearer a b', 'credential-malformed'],
      ['Bearer a,Bearer b', 'credential-malformed'],
    ] as const) {
      const headers = authorization === '' ? [] : [['authorization', authorization] as const]
      const result = await authenticator.authenticate(requestOf({ headers }), FOREVER)
      assert.equal(codeOf(result), want, authorization)
    }
    assert.equal(scripted.requests.length, 0)
  })

  it('an opaque token that is rejected has error="invalid_token" in the challenge', async () => {
    await using site = await startIntrospection()
    site.scripted.answer = () => ({ body: { active: false } })
    assert.deepEqual(site.authenticator.challenges, ['Bearer realm="Kubernetes"'])
    assert.deepEqual(await show(site.authenticator, 'opaque'), {
      outcome: 'rejected',
      code: 'token-inactive',
      challenge: 'Bearer realm="Kubernetes", error="invalid_token"',
    })
  })
})

describe('an introspection response', () => {
  it('is requested once when a hundred requests present the token at the same time', async () => {
    await using site = await startIntrospection({ cacheTtl: 0 })
    const { promise, resolve } = Promise.withResolvers<void>()
    site.scripted.answer = () => ({ body: ACTIVE, after: promise })
    const presented = Array.from({ length: 100 }, () => outcomeOf(site.authenticator, 'same'))
    const gone = show(site.authenticator, 'same', {}, AbortSignal.abort(new Error('gone')))
    await assert.rejects(gone, /gone/)
    resolve()
    assert.deepEqual(new Set(await Promise.all(presented)), new Set(['authenticated']))
    assert.equal(site.scripted.requests.length, 1)
  })

  it('is used by the remaining requests when the first is cancelled', async () => {
    await using site = await startIntrospection()
    const { promise, resolve } = Promise.withResolvers<void>()
    site.scripted.answer = () => ({ body: ACTIVE, after: promise })
    const caller = new AbortController()
    const first = show(site.authenticator, 'same', {}, caller.signal)
    const second = outcomeOf(site.authenticator, 'same')
    caller.abort(new Error('left'))
    await assert.rejects(first, /left/)
    resolve()
    assert.equal(await second, 'authenticated')
  })

  it('is cached for a while, after which a revocation is noticed', async () => {
    await using site = await startIntrospection({ cacheTtl: 30_000 })
    const { authenticator, scripted, clock } = site
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    scripted.answer = () => ({ body: { active: false } })
    clock.advance(29_999)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    assert.equal(scripted.requests.length, 1)
    clock.advance(1)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'token-inactive')
  })

  it('is not cached after the token has expired', async () => {
    await using site = await startIntrospection({ cacheTtl: 600_000 })
    const { authenticator, scripted, clock } = site
    await show(authenticator, 'opaque')
    clock.advance(299_999)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    clock.advance(1)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'token-expired')
    assert.equal(scripted.requests.length, 2)
  })

  it('of an inactive token is cached for some seconds only', async () => {
    await using site = await startIntrospection({ cacheTtl: 30_000 })
    const { authenticator, scripted, clock } = site
    scripted.answer = () => ({ body: { active: false } })
    await show(authenticator, 'opaque')
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'token-inactive')
    assert.equal(scripted.requests.length, 1)
    scripted.answer = () => ({ body: ACTIVE })
    clock.advance(LONGEST_REJECTION)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
  })

  it('is not cached when the cache is disabled', async () => {
    await using site = await startIntrospection({ cacheTtl: 0 })
    await show(site.authenticator, 'opaque')
    site.scripted.answer = () => ({ body: { active: false } })
    assert.equal(await outcomeOf(site.authenticator, 'opaque'), 'token-inactive')
  })

  it('of one token is not used for another token, nor under other settings', async () => {
    await using site = await startIntrospection()
    await show(site.authenticator, 'opaque')
    site.scripted.answer = () => ({ body: { active: false } })
    assert.equal(await outcomeOf(site.authenticator, 'opaque2'), 'token-inactive')
    const cache = new CredentialCache(site.clock)
    site.scripted.answer = () => ({ body: ACTIVE })
    assert.equal(await outcomeOf(site.with({ cache }), 'opaque'), 'authenticated')
    site.scripted.answer = () => ({ body: { active: false } })
    assert.equal(await outcomeOf(site.with({ cache }), 'opaque'), 'authenticated')
    const changed = site.with({ cache, generation: 'h' })
    assert.equal(await outcomeOf(changed, 'opaque'), 'token-inactive')
  })
})

describe('a token that is bound to a certificate', () => {
  it('is rejected without the certificate, also when it is cached', async () => {
    await using site = await startIntrospection()
    const der = await presentedCertificate()
    const alice = asEnvoySends(der)
    const bob = asEnvoySends(await presentedCertificate({ subject: [{ CN: 'bob' }] }))
    const thumbprint = createHash('sha256').update(der).digest('base64url')
    site.scripted.answer = () => ({ body: { ...ACTIVE, cnf: { 'x5t#S256': thumbprint } } })
    const outcomes = [alice, bob, '', alice].map((peerCertificate) =>
      outcomeOf(site.authenticator, 'opaque', { peerCertificate }),
    )
    const want = ['authenticated', 'token-binding', 'token-binding', 'authenticated']
    assert.deepEqual(await Promise.all(outcomes), want)
    assert.equal(await outcomeOf(site.authenticator, 'opaque'), 'token-binding')
    assert.equal(site.scripted.requests.length, 1)
  })

  it('a token that is bound to a DPoP key is not accepted as a bearer token', async () => {
    await using site = await startIntrospection()
    site.scripted.answer = () => ({ body: { ...ACTIVE, token_type: 'DPoP', cnf: { jkt: 'x' } } })
    assert.equal(await outcomeOf(site.authenticator, 'opaque'), 'token-binding')
  })
})

describe('a route with signed and with opaque tokens', () => {
  it('introspects only the opaque ones', async () => {
    await using site = await startIntrospection()
    const { authenticator, scripted } = site
    const chain = new Chain(
      [bearerWith(keySetOf(key)), authenticator].map((one) => ({
        authenticator: one,
        mapping: new IdentityMapping(one.name, { allowReserved: [] }),
      })),
    )
    const judge = async (token: string): Promise<string> => {
      const request = requestOf({ headers: [['authorization', `Bearer ${token}`]] })
      const { link, authentication } = await chain.authenticate(request, FOREVER)
      const { outcome } = authentication
      const result = outcome === 'rejected' ? authentication.code : outcome
      return `${link?.authenticator.name}: ${result}`
    }
    assert.deepEqual(chain.challenges, ['Bearer realm="Kubernetes"'])
    assert.equal(await judge(await key.token()), 'tokens: authenticated')
    assert.equal(await judge(await key.token(claimsOf({ exp: NOW - 1 }))), 'tokens: token-expired')
    assert.equal(await judge(`${await key.token()}x.`), 'tokens: credential-malformed')
    const foreign = await key.token(claimsOf({ iss: 'https://other' }))
    assert.equal(await judge(foreign), 'undefined: not-applicable')
    assert.equal(scripted.requests.length, 0)
    assert.equal(await judge('opaque'), 'opaque: authenticated')
    // An encrypted token is opaque to Countersign.
    assert.equal(await judge('eyJhbGciOiJkaXIifQ.a.b.c.d'), 'opaque: authenticated')
    scripted.answer = () => ({ body: { active: false } })
    assert.equal(await judge('opaque2'), 'opaque: token-inactive')
  })

  it('introspects signed tokens too when that is configured, but none of another issuer', async () => {
    await using site = await startIntrospection({ tokens: 'any' })
    const { authenticator, scripted } = site
    assert.equal(await outcomeOf(authenticator, await key.token()), 'authenticated')
    const without = await key.token(claimsOf({ iss: undefined }))
    assert.equal(await outcomeOf(authenticator, without), 'authenticated')
    assert.equal(scripted.requests.length, 2)
    const foreign = await key.token(claimsOf({ iss: `${ISSUER}x` }))
    assert.equal(await outcomeOf(authenticator, foreign), 'not-applicable')
    assert.equal(scripted.requests.length, 2)
  })
})

describe('mutual TLS (RFC 8705)', () => {
  it('authenticates Countersign by its certificate, without which the server does not answer', async () => {
    await using stack = new AsyncDisposableStack()
    await using site = await startIntrospection()
    const { authority } = site
    const server = await authority.issue({ commonName: 's', names: ['127.0.0.1'], usage: 'server' })
    const own = await authority.issue({ commonName: 'countersign', usage: 'client' })
    const mutual = stack.use(
      await startTokenServer(server, () => ({ body: ACTIVE }), { clientCa: authority.ca }),
    )
    const asking = await askingBy(
      stack,
      authority,
      {},
      {
        client: {
          certificate: await readFile(own.certificate),
          key: await readFile(own.key),
        },
      },
    )
    const options = { client: certificateOnly('countersign') }
    const authenticator = introspectionBy(asking, mutual.origin, options)
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    const [request] = mutual.requests
    assert.equal(request?.client, 'countersign')
    assert.equal(request.form['client_id'], 'countersign')
    assert.equal(request.headers.authorization, undefined)

    const bare = introspectionBy(await askingBy(stack, authority), mutual.origin, options)
    assert.equal(await outcomeOf(bare, 'opaque'), 'unavailable')
    assert.equal(mutual.requests.length, 1)
  })
})
