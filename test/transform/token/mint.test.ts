// Tokens of our own: what they say, for how long, and when the same one is given again.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../../src/identity/identity.ts'
import { TokenCache } from '../../../src/transform/token/token-cache.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { identityOf } from '../../fakes/identity.ts'
import { madeKey, signingKeysOf } from '../../fakes/signing-keys.ts'
import { ISSUER, KEYS, Minting, readSigned } from './minting.ts'

const MINUTE = 60_000
const NOW = new FakeClock().now()
const SECOND = NOW / 1_000

describe('a minted ID token', () => {
  it('has subject, audience, and a lifetime of ten minutes', async () => {
    const { header, claims } = await new Minting().read({
      groups: ['dev', 'ops'],
      authenticatedAt: NOW - 5_400,
    })
    const { jti, ...said } = claims
    assert.deepEqual(said, {
      iss: ISSUER,
      sub: 'alice',
      aud: 'kubernetes',
      groups: ['dev', 'ops'],
      amr: ['pwd'],
      auth_time: SECOND - 6,
      iat: SECOND,
      exp: SECOND + 600,
    })
    assert.match(String(jti), /^[0-9a-f-]{36}$/)
    assert.equal(header['typ'], 'JWT')
    assert.equal(header['alg'], 'ES256')
  })

  it('has no groups where there are none, and several audiences where configured', async () => {
    const { claims } = await new Minting({ audience: ['a', 'b'] }).read()
    assert.ok(!('groups' in claims))
    assert.deepEqual(claims['aud'], ['a', 'b'])
  })

  for (const algorithm of ['ES256', 'RS256', 'EdDSA']) {
    it(`is signed with ${algorithm} where that is configured`, async () => {
      const { header } = await new Minting({ algorithm }).read()
      assert.equal(header['alg'], algorithm)
    })
  }
})

describe('a minted access token', () => {
  it('has the claims of RFC 9068', async () => {
    const parts = { kind: 'access_token', clientId: 'edge', claims: { scope: 'claims.scope' } }
    const { header, claims } = await new Minting(parts).read({
      method: 'bearer',
      claims: { scope: 'read write' },
    })
    assert.equal(header['typ'], 'at+jwt')
    for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']) {
      assert.ok(name in claims, name) // §2.2: required
    }
    assert.equal(claims['client_id'], 'edge')
    assert.equal(claims['scope'], 'read write')
  })
})

describe('the authentication of the caller in a token', () => {
  interface Case {
    readonly name: string
    readonly input: Partial<Identity>
    readonly want: Readonly<Record<string, unknown>>
  }
  const CASES: readonly Case[] = [
    {
      name: 'by a password',
      input: { method: 'basic', authenticatedAt: NOW - MINUTE },
      want: { amr: ['pwd'], auth_time: SECOND - 60 },
    },
    {
      name: 'by a certificate',
      input: { method: 'certificate', authenticatedAt: NOW },
      want: { amr: ['pop'], auth_time: SECOND },
    },
    {
      name: 'by a token with amr',
      input: {
        method: 'bearer',
        claims: { amr: ['pwd', 'otp'], acr: 'urn:x:silver', auth_time: SECOND - 3_600 },
      },
      want: { amr: ['pwd', 'otp'], acr: 'urn:x:silver', auth_time: SECOND - 3_600 },
    },
    { name: 'by a token without amr', input: { method: 'bearer', claims: {} }, want: {} },
    {
      name: 'by a token with a malformed amr',
      input: { method: 'bearer', claims: { amr: 'pwd', acr: 7, auth_time: 'yesterday' } },
      want: {},
    },
    {
      name: 'by an API key, which is not a user’s authentication',
      input: { method: 'api-key' },
      want: {},
    },
    { name: 'of an anonymous client', input: { method: 'anonymous' }, want: {} },
    {
      name: 'by several credentials',
      input: { method: 'certificate', methods: ['pop', 'pwd', 'mfa'], authenticatedAt: NOW },
      want: { amr: ['pop', 'pwd', 'mfa'], auth_time: SECOND },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`is in amr, acr and auth_time: ${name}`, async () => {
      const { claims } = await new Minting().read(input)
      const said = Object.entries(claims).filter(([claim]) =>
        ['amr', 'acr', 'auth_time'].includes(claim),
      )
      assert.deepEqual(Object.fromEntries(said), want)
    })
  }
})

describe('the lifetime of a minted token', () => {
  const CASES = [
    { name: 'as configured', parts: { lifetime: '5m' }, expires: undefined, want: 300 },
    { name: 'not beyond the credential', parts: {}, expires: NOW + 90_000, want: 90 },
    {
      name: 'not beyond the credential by a fraction of a second',
      parts: {},
      expires: NOW + 90_999,
      want: 90,
    },
    {
      name: 'as configured, where the credential lasts longer',
      parts: {},
      expires: NOW + 3_600_000,
      want: 600,
    },
  ]
  for (const { name, parts, expires, want } of CASES) {
    it(`is ${name}`, async () => {
      const { claims } = await new Minting(parts).read({ expires })
      assert.equal(Number(claims['exp']) - Number(claims['iat']), want)
    })
  }

  for (const left of [999, 0, -10_000]) {
    it(`is refused where the credential has ${left} ms left`, async () => {
      assert.equal(await new Minting().outcome({ expires: NOW + left }), 'credential-expired')
    })
  }
})

describe('a cached minted token', () => {
  it('is used for two thirds of its lifetime', async () => {
    const route = new Minting()
    const alice = identityOf()
    const first = await route.token(alice)
    route.clock.advance(400_000 - 1)
    assert.equal(await route.token(alice), first)
    route.clock.advance(1)
    assert.notEqual(await route.token(alice), first)
  })

  it('is used for an equal identity of another proof, without a signature', async () => {
    const route = new Minting()
    const first = await route.token(identityOf({ authenticatedAt: NOW }))
    const again = identityOf({ authenticatedAt: NOW + 5_000, digest: 'another' })
    assert.equal(await route.token(again), first)
    assert.deepEqual(route.cache.statistics().lookups.get('minted-token'), {
      hits: 1,
      joined: 0,
      misses: 1,
    })
  })

  it('is shared by two routes with the same settings', async () => {
    const cache = new TokenCache()
    const clock = new FakeClock()
    const keys = signingKeysOf(KEYS, clock)
    const one = new Minting({}, { cache, clock, keys })
    const other = new Minting({}, { cache, clock, keys })
    assert.equal(await one.token(), await other.token())
  })

  const OTHERS: readonly { readonly name: string; readonly input: Partial<Identity> }[] = [
    { name: 'user', input: { user: 'bob' } },
    { name: 'group', input: { groups: ['dev'] } },
    { name: 'order of groups', input: { groups: ['b', 'a'] } },
    { name: 'authentication method', input: { method: 'certificate' } },
    { name: 'end of the credential', input: { expires: NOW + MINUTE } },
    { name: 'time of authentication', input: { authenticatedAt: NOW - MINUTE } },
    {
      name: 'unknown time of authentication',
      input: { authenticatedAt: undefined },
    },
  ]
  for (const { name, input } of OTHERS) {
    it(`is not used with another ${name}`, async () => {
      const route = new Minting()
      const alice = { groups: ['a', 'b'], authenticatedAt: NOW }
      const first = await route.token(identityOf(alice))
      assert.notEqual(await route.token(identityOf({ ...alice, ...input })), first)
    })
  }

  it('is signed once for simultaneous checks', async () => {
    const route = new Minting()
    const tokens = await Promise.all(
      Array.from({ length: 100 }, () => route.token(identityOf({ groups: ['dev'] }))),
    )
    assert.equal(new Set(tokens).size, 1)
    assert.equal(route.cache.statistics().lookups.get('minted-token')?.misses, 1)
  })

  it('is removed when the cache is cleared', async () => {
    const route = new Minting()
    const first = await route.token(identityOf())
    route.cache.revoke()
    assert.notEqual(await route.token(identityOf()), first)
  })

  it('stays valid after its key was retired, and ends with its revocation', async () => {
    const clock = new FakeClock()
    const cache = new TokenCache()
    const [old, young] = [await madeKey('ES256'), await madeKey('ES256', NOW + MINUTE)]
    const both = signingKeysOf([old, young], clock)
    const first = await new Minting({}, { clock, cache, keys: both }).token()
    clock.advance(MINUTE)
    assert.equal(await new Minting({}, { clock, cache, keys: both }).token(), first)
    const revoked = signingKeysOf([young], clock) // as after a reload
    const next = await new Minting({}, { clock, cache, keys: revoked }).token()
    assert.notEqual(next, first)
    assert.equal(readSigned(next, revoked).header['kid'], young.entry.kid)
  })
})

describe('a token that cannot be minted', () => {
  it('is unavailable where no key signs yet', async () => {
    const clock = new FakeClock()
    const keys = signingKeysOf([await madeKey('ES256', NOW + MINUTE)], clock)
    assert.equal(await new Minting({}, { clock, keys }).outcome(), 'unavailable')
  })

  it('is not cached: the next check may get one', async () => {
    const clock = new FakeClock()
    const keys = signingKeysOf([await madeKey('ES256', NOW + MINUTE)], clock)
    const route = new Minting({}, { clock, keys })
    const alice = identityOf()
    assert.equal((await route.give(alice)).outcome, 'unavailable')
    clock.advance(MINUTE)
    assert.equal((await route.give(alice)).outcome, 'transformed')
  })
})

describe('a minted assertion', () => {
  it('is alone in its header, and in the audit log', async () => {
    const target = { kind: 'assertion', header: 'x-assertion', prefix: '' } as const
    const route = new Minting({}, { target })
    const transformation = await route.give(identityOf())
    assert.equal(transformation.outcome, 'transformed')
    const { setHeaders, tokenIds } = transformation.forwarding
    const [[name, token] = []] = setHeaders
    assert.equal(name, 'x-assertion')
    assert.deepEqual(tokenIds, [readSigned(token ?? '', route.keys).claims['jti']])
  })
})
