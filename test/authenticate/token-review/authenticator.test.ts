// Tokens that an API server reviews: what is sent, with which credential, and how the answer is used.

import assert from 'node:assert/strict'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { Authentication } from '../../../src/authenticate/authenticator.ts'
import { buildFrom } from '../building.ts'
import { startTokenServer } from '../../servers/token-server.ts'
import { outcomeOf, show } from '../bearer/asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { claimsOf, encode, ISSUER, makeKey, NOW, type IssuerKey } from '../bearer/issuing.ts'
import { GOOD, INACTIVE, NAME, PATH, review, start } from './reviewing-tokens.ts'

const causeOf = (authentication: Authentication): string => {
  assert.ok(authentication.outcome === 'unavailable', codeOf(authentication))
  return authentication.cause instanceof Error ? authentication.cause.message : 'no error'
}

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

describe('a token of a service account', () => {
  it('is sent to the API server, whose review yields the credential', async () => {
    await using site = await start({ audiences: ['countersign', 'other'] })
    const token = await key.token(claimsOf({ sub: NAME }))
    const result = await show(site.authenticator, token)
    assert.ok(result.outcome === 'authenticated', JSON.stringify(result))
    const { digest, ...credential } = result.credential
    assert.match(digest, /^[\w-]{16}$/)
    assert.deepEqual(credential, {
      method: 'bearer',
      user: NAME,
      uid: 'u-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:team-a'],
      extra: { 'authentication.kubernetes.io/pod-name': ['web-0'] },
      expires: (NOW + 300) * 1_000,
      presented: { proven: true, iss: ISSUER, aud: ['kubernetes'] },
    })
    const [request, ...more] = site.scripted.requests
    assert.deepEqual(more, [])
    assert.equal(request?.method, 'POST')
    assert.equal(request.path, PATH)
    assert.equal(request.headers.authorization, 'Bearer own-token-1')
    assert.equal(request.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(request.body), {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token, audiences: ['countersign', 'other'] },
    })
  })

  it('is reviewed without audiences when none are configured', async () => {
    await using site = await start()
    await show(site.authenticator, 'opaque')
    const spec: unknown = JSON.parse(site.scripted.requests[0]?.body ?? '').spec
    assert.deepEqual(spec, { token: 'opaque' })
  })

  it('is sent to a server behind a path', async () => {
    await using outer = await start()
    await using site = await start({
      server: `${outer.scripted.origin}/clusters/a/`,
      ca: outer.authority.ca,
    })
    assert.equal(await outcomeOf(site.authenticator, 'opaque'), 'authenticated')
    assert.equal(outer.scripted.requests[0]?.path, `/clusters/a${PATH}`)
  })

  it('is rejected when the API server does not accept it, or reviews another audience', async () => {
    await using site = await start({ audiences: ['countersign'] })
    const { authenticator, scripted } = site
    scripted.answer = () => ({ status: 201, body: INACTIVE })
    assert.deepEqual(await show(authenticator, 'opaque'), {
      outcome: 'rejected',
      code: 'token-inactive',
      challenge: 'Bearer realm="Countersign", error="invalid_token"',
    })
    scripted.answer = () => ({ status: 201, body: GOOD.replace('"countersign"', '"other"') })
    assert.equal(await outcomeOf(authenticator, 'opaque2'), 'token-audience')
  })

  it('expires at its own exp, whatever the API server says', async () => {
    await using site = await start({ cacheTtl: '1h' })
    const { authenticator, clock, scripted } = site
    const token = await key.token()
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    clock.advance(299_999)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    assert.equal(scripted.requests.length, 1)
    clock.advance(1)
    assert.equal(await outcomeOf(authenticator, token), 'token-expired')
    const forged = `${encode('{"alg":"none"}')}.${encode('{"exp":"never"}')}.eA`
    const result = await show(authenticator, forged)
    assert.ok(result.outcome === 'authenticated' && result.credential.expires === undefined)
  })

  it('is reviewed once when a hundred requests present it, and cached for a while', async () => {
    await using site = await start({ cacheTtl: '30s' })
    const { authenticator, scripted, clock } = site
    const { promise, resolve } = Promise.withResolvers<void>()
    scripted.answer = () => ({ body: GOOD, after: promise })
    const presented = Array.from({ length: 100 }, () => outcomeOf(authenticator, 'same'))
    resolve()
    assert.deepEqual(new Set(await Promise.all(presented)), new Set(['authenticated']))
    assert.equal(scripted.requests.length, 1)
    scripted.answer = () => ({ body: INACTIVE })
    clock.advance(29_999)
    assert.equal(await outcomeOf(authenticator, 'same'), 'authenticated')
    clock.advance(1)
    assert.equal(await outcomeOf(authenticator, 'same'), 'token-inactive')
  })

  it('of another issuer is not sent when issuers are configured', async () => {
    await using site = await start({ issuers: ['https://kubernetes.default.svc', ISSUER] })
    const { authenticator, scripted } = site
    const broken = `${(await key.token()).split('.').slice(0, 2).join('.')}.`
    const foreign = await key.token(claimsOf({ iss: `${ISSUER}x` }))
    const listed = await key.token(claimsOf({ iss: [ISSUER] }))
    for (const token of ['opaque', broken, foreign, listed]) {
      assert.equal(await outcomeOf(authenticator, token), 'not-applicable')
    }
    assert.equal(scripted.requests.length, 0)
    assert.equal(await outcomeOf(authenticator, await key.token()), 'authenticated')
  })
})

describe('an API server that answers', () => {
  const HOSTILE = [
    { name: 'authenticated as a text', body: GOOD.replace('true', '"true"'), cause: /nonsense/ },
    {
      name: 'authenticated twice',
      body: GOOD.replace('"authenticated":true', '"authenticated":false,"authenticated":true'),
      cause: /no JSON object/,
    },
    {
      name: 'another kind',
      body: GOOD.replace('TokenReview', 'Status'),
      cause: /nonsense: it is not a TokenReview/,
    },
    { name: 'no user', body: review({ authenticated: true }), cause: /nonsense: it names no user/ },
    { name: 'more than is taken', body: `${GOOD}${' '.repeat(70_000)}`, cause: /more than 65536/ },
    {
      name: '401',
      status: 401,
      body: GOOD,
      cause: /refuses our own credentials \(401\): .*system:auth-delegator/,
    },
    {
      name: '403',
      status: 403,
      body: GOOD,
      cause: /refuses our own credentials \(403\): .*system:auth-delegator/,
    },
    { name: '500', status: 500, body: GOOD, cause: /answered 500/ },
    { name: '404', status: 404, body: GOOD, cause: /answered 404/ },
    { name: '307', status: 307, body: GOOD, cause: /answered 307/ },
  ]
  for (const { name, cause, ...answer } of HOSTILE) {
    it(`hostile: does not authenticate after an answer with ${name}`, async () => {
      await using site = await start()
      site.scripted.answer = () => answer
      assert.match(causeOf(await show(site.authenticator, 'opaque')), cause)
    })
  }

  it('opens the circuit while it fails, which the metrics show', async () => {
    await using site = await start({ failureThreshold: 2, coolDown: '5s' })
    const { authenticator, scripted, clock, built } = site
    const [dependency, ...more] = built.dependencies
    assert.deepEqual(more, [])
    assert.equal(dependency?.kind, 'token-review')
    assert.equal(dependency.name, scripted.origin)
    scripted.answer = () => ({ status: 503 })
    await show(authenticator, 'a')
    assert.equal(dependency.isUp(), true)
    await show(authenticator, 'b')
    assert.equal(dependency.isUp(), false)
    assert.match(causeOf(await show(authenticator, 'c')), /circuit breaker is open/)
    scripted.answer = () => ({ body: GOOD })
    clock.advance(5_000)
    assert.equal(await outcomeOf(authenticator, 'd'), 'authenticated')
    assert.equal(dependency.isUp(), true)
  })
})

describe("Countersign's own token", () => {
  it('is read again after a while, without a reload', async () => {
    await using site = await start({ cacheTtl: '0s' })
    const { authenticator, scripted, clock, built, tokenFile } = site
    const presentedTo = async (): Promise<string | undefined> => {
      assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
      return scripted.requests.at(-1)?.headers.authorization
    }
    assert.ok(!built.files.includes(tokenFile) && built.files.length > 0)
    assert.equal(await presentedTo(), 'Bearer own-token-1')
    await writeFile(`${tokenFile}.new`, 'own-token-2')
    await rename(`${tokenFile}.new`, tokenFile)
    clock.advance(9_999)
    assert.equal(await presentedTo(), 'Bearer own-token-1')
    clock.advance(1)
    assert.equal(await presentedTo(), 'Bearer own-token-2')
    // Missing for a moment, as while a volume is replaced.
    await rm(tokenFile)
    clock.advance(10_000)
    assert.equal(await presentedTo(), 'Bearer own-token-2')
  })

  it('is read again at once when the API server refuses it', async () => {
    await using site = await start({ cacheTtl: '0s' })
    const { authenticator, scripted, tokenFile } = site
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
    await writeFile(tokenFile, 'own-token-2')
    scripted.answer = ({ headers }) =>
      headers.authorization === 'Bearer own-token-2' ? { body: GOOD } : { status: 401 }
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'unavailable')
    assert.equal(await outcomeOf(authenticator, 'opaque'), 'authenticated')
  })

  it('is not needed with a client certificate', async () => {
    await using stack = new AsyncDisposableStack()
    await using other = await start()
    const { authority } = other
    const identity = await authority.issue({
      commonName: 'm',
      names: ['127.0.0.1'],
      usage: 'server',
    })
    const own = await authority.issue({ commonName: 'countersign', usage: 'client' })
    const mutual = stack.use(
      await startTokenServer(identity, () => ({ body: GOOD }), { clientCa: authority.ca }),
    )
    const client = { certificate: own.certificate, key: `file:${own.key}` }
    const ca = authority.ca
    const built = stack.use(
      await buildFrom(
        join(authority.folder, 'other.yaml'),
        JSON.stringify({ tokenReview: { server: mutual.origin, ca, client } }),
      ),
    )
    assert.ok(built.link !== undefined, built.problems.join())
    assert.equal(await outcomeOf(built.link.authenticator, 'opaque'), 'authenticated')
    assert.equal(mutual.requests[0]?.client, 'countersign')
    assert.equal(mutual.requests[0].headers.authorization, undefined)
  })
})
