// The keys that verify bearer tokens: when newer ones are fetched, and that a verified token remains cached only while
// its key is published.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import type { KeyRenewal } from '../../../src/authenticate/bearer/key-set.ts'
import type { Condition } from '../../../src/expression/cel.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { bearerWith, conditionOf, outcomeOf, show } from './asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { ChangingKeys, DOWN, renewed } from './changing-keys.ts'
import { claimsOf, keySetOf, makeKey, type IssuerKey } from './issuing.ts'

const MINUTE = 60_000

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

describe('the keys of a token', () => {
  const CASES = [
    { name: 'known', held: ['k1'], next: DOWN, want: 'authenticated', requests: 0 },
    {
      name: 'unknown, and the issuer has published them since',
      held: ['k2'],
      next: 'k1',
      want: 'authenticated',
    },
    {
      name: 'unknown, and the issuer has not published them',
      held: ['k2'],
      next: 'same',
      want: 'token-key-unknown',
    },
    { name: 'unknown, and the issuer is down', held: ['k2'], next: DOWN, want: 'unavailable' },
    {
      name: 'not fetched yet, and the fetch succeeds',
      held: [],
      next: 'k1',
      want: 'authenticated',
    },
    { name: 'not fetched yet, and the issuer is down', held: [], next: DOWN, want: 'unavailable' },
    {
      name: 'not fetched yet, and the fetch yields nothing new',
      held: [],
      next: 'same',
      want: 'unavailable',
    },
    {
      name: 'other ones of the same kid, and newer ones are published',
      held: ['x1'],
      next: 'k1',
      want: 'authenticated',
    },
    { name: 'other ones of the same kid', held: ['x1'], next: 'same', want: 'token-signature' },
    {
      name: 'other ones of the same kid, and the issuer is down',
      held: ['x1'],
      next: DOWN,
      want: 'token-signature',
    },
  ] as const
  for (const { name, held, next, want, ...more } of CASES) {
    it(`are ${name}: ${want}`, async () => {
      const named = { k1: key, k2: await makeKey('ES256', 'k2'), x1: await makeKey('ES256', 'k1') }
      const keys = new ChangingKeys(...held.map((one) => named[one]))
      if (next === 'k1') keys.next = renewed(key)
      else if (next !== 'same') keys.next = next
      assert.equal(await outcomeOf(bearerWith(keys), await key.token()), want)
      assert.equal(keys.requests, 'requests' in more ? more.requests : 1)
    })
  }

  it('are not fetched when the token is refused for another reason', async () => {
    const keys = new ChangingKeys(await makeKey('ES256', 'k2'))
    const token = await key.token(claimsOf({ aud: 'other' }))
    assert.equal(await outcomeOf(bearerWith(keys), token), 'token-audience')
    assert.equal(keys.requests, 0)
  })
})

describe('what is remembered of a token', () => {
  it('needs no key while it lasts', async () => {
    const clock = new FakeClock()
    const authenticator = bearerWith(keySetOf(key), { clock })
    const token = await key.token()
    const first = await show(authenticator, token)
    const second = await show(authenticator, token)
    assert.ok(first.outcome === 'authenticated' && second.outcome === 'authenticated')
    assert.equal(first.credential, second.credential)
    clock.advance(MINUTE)
    const third = await show(authenticator, token)
    assert.ok(third.outcome === 'authenticated' && third.credential !== first.credential)
  })

  it('ends with the token', async () => {
    const clock = new FakeClock()
    const authenticator = bearerWith(keySetOf(key), { clock, cacheTtl: 60 * MINUTE })
    const token = await key.token()
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    clock.advance(300_000 - 1)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    clock.advance(1)
    assert.equal(await outcomeOf(authenticator, token), 'token-expired')
  })

  it('ends when its key is removed, and does not come back with an older state', async () => {
    const other = await makeKey('ES256', 'k2')
    const keys = new ChangingKeys(other)
    const authenticator = bearerWith(keys)
    const token = await key.token()
    keys.next = renewed(key, other)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    keys.next = { outcome: 'same' }
    assert.equal(await outcomeOf(authenticator, token), 'token-key-unknown')
    keys.change(key, other)
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    keys.change(other)
    assert.equal(await outcomeOf(authenticator, token), 'token-key-unknown')
    keys.change()
    assert.equal(await outcomeOf(authenticator, token), 'unavailable')
  })

  it('is kept when keys come back as they were', async () => {
    const keys = new ChangingKeys(key)
    const authenticator = bearerWith(keys)
    const token = await key.token()
    const first = await show(authenticator, token)
    keys.change(key)
    const second = await show(authenticator, token)
    assert.ok(first.outcome === 'authenticated' && second.outcome === 'authenticated')
    assert.equal(first.credential, second.credential)
  })

  it('ends with every option that it rests on', async () => {
    const clock = new FakeClock()
    const shared = { clock, cache: new CredentialCache(clock) }
    const token = await key.token(claimsOf({ aud: ['kubernetes', 'second'] }))
    const keys = keySetOf(key)
    assert.equal(await outcomeOf(bearerWith(keys, shared), token), 'authenticated')
    const CHANGES = [
      { change: { audiences: ['third'] }, want: 'token-audience' },
      { change: { issuer: 'https://other' }, want: 'not-applicable' },
      { change: { kind: 'access' }, want: 'token-type' },
      { change: { algorithms: ['RS256'] }, want: 'token-algorithm' },
      { change: { require: conditionOf('claims.sub == "bob"') }, want: 'token-claims' },
    ] as const
    for (const { change, want } of CHANGES) {
      assert.equal(await outcomeOf(bearerWith(keys, { ...shared, ...change }), token), want)
    }
  })

  it('has the same fingerprint under other keys, and another for another token', async () => {
    const keys = new ChangingKeys(key)
    const authenticator = bearerWith(keys)
    const fingerprint = async (token: string): Promise<string> => {
      const result = await show(authenticator, token)
      return result.outcome === 'authenticated' ? result.credential.digest : ''
    }
    const token = await key.token()
    const first = await fingerprint(token)
    keys.change(key, await makeKey('ES256', 'k2'))
    assert.equal(await fingerprint(token), first)
    assert.notEqual(await fingerprint(await key.token()), first) // ES256 is randomised
  })
})

describe('several requests with one token', () => {
  it('verify the token once', async () => {
    let requests = 0
    const require: Condition = {
      source: 'x',
      evaluate: () => (requests += 1) > 0,
      explain: () => '',
    }
    const authenticator = bearerWith(keySetOf(key), { require })
    const token = await key.token()
    const all = await Promise.all(Array.from({ length: 100 }, () => show(authenticator, token)))
    assert.equal(all.filter(({ outcome }) => outcome === 'authenticated').length, 100)
    assert.equal(requests, 1)
  })

  it('continue when one of them is cancelled', async () => {
    const keys = new ChangingKeys()
    const gate = Promise.withResolvers<KeyRenewal>()
    keys.newer = () => gate.promise
    const authenticator = bearerWith(keys)
    const token = await key.token()
    const leaving = new AbortController()
    const first = show(authenticator, token, {}, leaving.signal)
    const second = show(authenticator, token)
    leaving.abort(new Error('gone'))
    await assert.rejects(first, /gone/)
    gate.resolve(renewed(key))
    assert.equal(codeOf(await second), 'authenticated')
  })

  it('are rejected when they were cancelled before any verification', async () => {
    const requests = show(bearerWith(keySetOf(key)), await key.token(), {}, AbortSignal.abort())
    await assert.rejects(requests, { name: 'AbortError' })
  })
})
