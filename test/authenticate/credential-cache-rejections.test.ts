// Rejections are cached for some seconds when the caller wants that, separate from verified credentials; a revocation
// removes both.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { CredentialCache, LONGEST_REJECTION } from '../../src/authenticate/credential-cache.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'

const BOTH = { proof: 60_000, rejection: 60_000 }
const REJECTED: Authentication = { outcome: 'rejected', code: 'token-signature', user: 'eve' }
const PROVEN: Authentication = { outcome: 'authenticated', credential: credentialOf() }

const setUp = () => {
  const clock = new FakeClock()
  const cache = new CredentialCache(clock)
  const key = cache.keyOf('g1', 'token')
  let proofs = 0
  const proofOf = (result: Authentication) => () => {
    proofs += 1
    return Promise.resolve(result)
  }
  return { clock, cache, key, proofOf, proofs: () => proofs }
}

describe('a cached rejection', () => {
  it('lasts some seconds at most, whatever lifetime is requested', async () => {
    const { clock, cache, key, proofOf, proofs } = setUp()
    assert.equal(await cache.getOrVerify(key, BOTH, proofOf(REJECTED)), REJECTED)
    clock.advance(LONGEST_REJECTION - 1)
    assert.equal(await cache.getOrVerify(key, BOTH, proofOf(PROVEN)), REJECTED)
    assert.equal(proofs(), 1)
    clock.advance(1)
    assert.equal(await cache.getOrVerify(key, BOTH, proofOf(PROVEN)), PROVEN)
  })

  it('is not prolonged by a lookup', async () => {
    const { clock, cache, key, proofOf, proofs } = setUp()
    for (let seconds = 0; seconds <= 5; seconds += 1) {
      await cache.getOrVerify(key, BOTH, proofOf(REJECTED))
      clock.advance(1_000)
    }
    assert.equal(proofs(), 2)
  })

  it('lasts the requested lifetime when that is shorter', async () => {
    const { clock, cache, key, proofOf, proofs } = setUp()
    const lifetimes = { proof: 60_000, rejection: 10 }
    await cache.getOrVerify(key, lifetimes, proofOf(REJECTED))
    clock.advance(10)
    await cache.getOrVerify(key, lifetimes, proofOf(REJECTED))
    assert.equal(proofs(), 2)
  })

  for (const lifetimes of [60_000, { proof: 60_000, rejection: 0 }]) {
    it(`is not kept with ${JSON.stringify(lifetimes)}: a password may be changed`, async () => {
      const { cache, key, proofOf } = setUp()
      await cache.getOrVerify(key, lifetimes, proofOf(REJECTED))
      assert.equal(cache.statistics().rejections.entries, 0)
      assert.equal(await cache.getOrVerify(key, lifetimes, proofOf(PROVEN)), PROVEN)
    })
  }

  it('does not apply to the same credential under another generation', async () => {
    const { cache, key, proofOf } = setUp()
    await cache.getOrVerify(key, BOTH, proofOf(REJECTED))
    const next = cache.keyOf('g2', 'token')
    assert.equal(await cache.getOrVerify(next, BOTH, proofOf(PROVEN)), PROVEN)
  })

  it('is not returned by get', async () => {
    const { cache, key, proofOf } = setUp()
    await cache.getOrVerify(key, BOTH, proofOf(REJECTED))
    assert.equal(cache.get(key), undefined)
  })
})

describe('an outcome that says nothing of the credential', () => {
  const OUTCOMES: readonly Authentication[] = [
    { outcome: 'unavailable', cause: new Error('down') },
    { outcome: 'not-applicable' },
  ]
  for (const outcome of OUTCOMES) {
    it(`is not cached: ${outcome.outcome}`, async () => {
      const { cache, key, proofOf } = setUp()
      await cache.getOrVerify(key, BOTH, proofOf(outcome))
      assert.equal(await cache.getOrVerify(key, BOTH, proofOf(PROVEN)), PROVEN)
    })
  }
})

describe('a flood of wrong credentials', () => {
  const flood = async (cache: CredentialCache, user: string): Promise<void> => {
    for (let index = 0; index < 12_000; index += 1) {
      const wrong: Authentication = { outcome: 'rejected', code: 'token-signature', user }
      await cache.getOrVerify(cache.keyOf('g', String(index)), BOTH, () => Promise.resolve(wrong))
    }
  }

  it('evicts no verified credential, and is bounded in number', async () => {
    const { cache, key, proofOf } = setUp()
    await cache.getOrVerify(key, BOTH, proofOf(PROVEN))
    await flood(cache, 'eve')
    assert.equal(cache.get(key)?.user, 'alice')
    const { proofs, rejections } = cache.statistics()
    assert.deepEqual(
      { entries: rejections.entries, evictions: rejections.evictions },
      { entries: 10_000, evictions: 2_000 },
    )
    assert.deepEqual(
      { entries: proofs.entries, evictions: proofs.evictions },
      { entries: 1, evictions: 0 },
    )
  })

  it('with long names is bounded in bytes', async () => {
    const { cache } = setUp()
    await flood(cache, 'e'.repeat(8_000))
    const { entries, bytes } = cache.statistics().rejections
    assert.ok(entries < 600 && entries > 400, String(entries))
    assert.ok(bytes <= 4 * 1_024 * 1_024, String(bytes))
  })
})

describe('a revocation', () => {
  it('removes verified credentials and rejections', async () => {
    const { cache, key, proofOf } = setUp()
    const other = cache.keyOf('g1', 'other')
    await cache.getOrVerify(key, BOTH, proofOf(PROVEN))
    await cache.getOrVerify(other, BOTH, proofOf(REJECTED))
    cache.revoke()
    assert.equal(cache.get(key), undefined)
    assert.equal(await cache.getOrVerify(key, BOTH, proofOf(REJECTED)), REJECTED)
    assert.equal(await cache.getOrVerify(other, BOTH, proofOf(PROVEN)), PROVEN)
    assert.equal(cache.statistics().revocations, 1)
  })

  for (const outcome of [PROVEN, REJECTED]) {
    it(`keeps a verification under way out of the cache, and later requests do not join it (${outcome.outcome})`, async () => {
      const { cache, key, proofOf } = setUp()
      const { promise, resolve } = Promise.withResolvers<Authentication>()
      const before = cache.getOrVerify(key, BOTH, () => promise)
      cache.revoke()
      const later: Authentication = { outcome: 'unavailable', cause: undefined }
      assert.equal(await cache.getOrVerify(key, BOTH, proofOf(later)), later)
      resolve(outcome)
      assert.equal(await before, outcome) // this request began before the revocation
      assert.equal(await cache.getOrVerify(key, BOTH, proofOf(later)), later)
    })
  }

  it('does not affect a verification that began after it', async () => {
    const { cache, key, proofOf, proofs } = setUp()
    const old = Promise.withResolvers<Authentication>()
    const next = Promise.withResolvers<Authentication>()
    const before = cache.getOrVerify(key, BOTH, () => old.promise)
    cache.revoke()
    const after = cache.getOrVerify(key, BOTH, () => next.promise)
    old.resolve(REJECTED)
    await before
    const joined = cache.getOrVerify(key, BOTH, proofOf(REJECTED))
    next.resolve(PROVEN)
    assert.deepEqual([await after, await joined], [PROVEN, PROVEN])
    assert.equal(cache.get(key)?.user, 'alice')
    assert.equal(proofs(), 0)
  })

  it('applies to every authenticator', async () => {
    const { cache, key, proofOf } = setUp()
    await cache.scopeOf('staff').getOrVerify(key, BOTH, proofOf(PROVEN))
    cache.scopeOf('tokens').revoke()
    assert.equal(cache.scopeOf('staff').get(key), undefined)
  })
})
