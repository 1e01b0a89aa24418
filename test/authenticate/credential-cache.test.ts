// The credential cache: what is cached, for how long, and for which requests.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { CredentialCache } from '../../src/authenticate/credential-cache.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'

const MINUTE = 60_000

const setUp = () => {
  const clock = new FakeClock()
  const cache = new CredentialCache(clock)
  const key = cache.keyOf('g1', 'alice:secret')
  return { clock, cache, key }
}

/** A verification that yields this user, so that a test sees which verification was used. */
const proof =
  (user: string, expires?: number): (() => Promise<Authentication>) =>
  () =>
    Promise.resolve({ outcome: 'authenticated', credential: credentialOf({ user, expires }) })

const userOf = (authentication: Authentication): string =>
  authentication.outcome === 'authenticated'
    ? authentication.credential.user
    : authentication.outcome

describe('a cached credential', () => {
  it('lasts its lifetime and no longer', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('first'))
    clock.advance(MINUTE - 1)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'first')
    clock.advance(1)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not prolonged by a lookup', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('first'))
    for (let seconds = 0; seconds < 60; seconds += 10) {
      assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'first')
      clock.advance(10_000)
    }
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not kept with a lifetime of 0', async () => {
    const { cache, key } = setUp()
    await cache.getOrVerify(key, 0, proof('first'))
    assert.equal(userOf(await cache.getOrVerify(key, 0, proof('second'))), 'second')
  })

  it('expires with the credential when that expires first', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('first', clock.now() + 1_000))
    clock.advance(999)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'first')
    clock.advance(1)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('is not kept when the credential has expired', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('first', clock.now() - 1))
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('lasts its lifetime when the credential expires later', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('first', clock.now() + 10 * MINUTE))
    clock.advance(MINUTE)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('lasts from when its verification ended, not from when it was requested', async () => {
    const { clock, cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, async () => {
      clock.advance(MINUTE)
      return await proof('slow')()
    })
    clock.advance(MINUTE - 1)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'slow')
  })

  it('is the very object that was verified', async () => {
    const { cache, key } = setUp()
    const first = await cache.getOrVerify(key, MINUTE, proof('first'))
    const again = await cache.getOrVerify(key, MINUTE, proof('second'))
    assert.ok(first.outcome === 'authenticated' && again.outcome === 'authenticated')
    assert.equal(first.credential, again.credential)
  })
})

const broken = (): never => {
  throw new Error('bug')
}

describe('an outcome without a credential', () => {
  const OUTCOMES: readonly Authentication[] = [
    { outcome: 'rejected', code: 'credential-wrong' },
    { outcome: 'unavailable', cause: new Error('down') },
    { outcome: 'not-applicable' },
  ]
  for (const outcome of OUTCOMES) {
    it(`is shared by concurrent requests, and not cached: ${outcome.outcome}`, async () => {
      const { cache, key } = setUp()
      const { promise, resolve } = Promise.withResolvers<Authentication>()
      const waiting = [
        cache.getOrVerify(key, MINUTE, () => promise),
        cache.getOrVerify(key, MINUTE, proof('second')),
      ]
      resolve(outcome)
      assert.deepEqual(await Promise.all(waiting.map(async (one) => await one)), [outcome, outcome])
      assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('third'))), 'third')
    })
  }

  it('is shared by concurrent requests, and not cached: an exception', async () => {
    const { cache, key } = setUp()
    const { promise, reject } = Promise.withResolvers<Authentication>()
    const waiting = [
      cache.getOrVerify(key, MINUTE, () => promise),
      cache.getOrVerify(key, MINUTE, proof('second')),
    ]
    reject(new Error('bug'))
    const settled = await Promise.allSettled(waiting.map(async (one) => await one))
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('third'))), 'third')
  })

  it('is not cached: a synchronous exception', async () => {
    const { cache, key } = setUp()
    assert.throws(() => cache.getOrVerify(key, MINUTE, broken), /bug/)
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('next'))), 'next')
  })
})

describe('equal credentials of concurrent requests', () => {
  it('are verified once', async () => {
    const { cache, key } = setUp()
    const results = await Promise.all(
      Array.from(
        { length: 50 },
        async (_, index) => await cache.getOrVerify(key, 0, proof(`caller ${index}`)),
      ),
    )
    assert.deepEqual(new Set(results.map(userOf)), new Set(['caller 0']))
  })

  it('do not wait for another credential', async () => {
    const { cache, key } = setUp()
    const { promise, resolve } = Promise.withResolvers<Authentication>()
    const slow = cache.getOrVerify(key, MINUTE, () => promise)
    const other = cache.keyOf('g1', 'bob:secret')
    assert.equal(userOf(await cache.getOrVerify(other, MINUTE, proof('bob'))), 'bob')
    resolve(await proof('alice')())
    assert.equal(userOf(await slow), 'alice')
  })
})

describe('the key of a credential', () => {
  it('is the same for the same credential in the same generation', () => {
    const { cache, key } = setUp()
    assert.equal(cache.keyOf('g1', 'alice:secret'), key)
  })

  it('differs by credential and by generation', () => {
    const { cache, key } = setUp()
    const others = [
      cache.keyOf('g2', 'alice:secret'),
      cache.keyOf('g1', 'alice:secret2'),
      cache.keyOf('g1', 'bob:secret'),
      cache.keyOf('', 'g1alice:secret'),
    ]
    assert.equal(new Set([key, ...others]).size, 5)
  })

  it('differs between processes', () => {
    assert.notEqual(setUp().key, setUp().key)
  })

  it('does not contain the credential', () => {
    assert.doesNotMatch(setUp().key, /alice|secret/)
  })

  it('of an earlier generation finds nothing in the next', async () => {
    const { cache, key } = setUp()
    await cache.getOrVerify(key, MINUTE, proof('before'))
    const next = cache.keyOf('g2', 'alice:secret')
    assert.equal(userOf(await cache.getOrVerify(next, MINUTE, proof('after'))), 'after')
  })
})

describe('the credential cache', () => {
  it('evicts the oldest credential when it is full', async () => {
    const { cache, key } = setUp()
    cache.resize(1_000_000)
    await cache.getOrVerify(key, MINUTE, proof('first'))
    await Promise.all(
      Array.from(
        { length: 10_000 },
        async (_, index) =>
          await cache.getOrVerify(cache.keyOf('g1', `user${index}:x`), MINUTE, proof('other')),
      ),
    )
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'second')
  })

  it('keeps a credential that is used while 10,000 further ones are used once', async () => {
    const { cache, key } = setUp()
    cache.resize(1_000_000)
    await cache.getOrVerify(key, MINUTE, proof('first'))
    assert.ok(cache.get(key) !== undefined)
    for (let index = 0; index < 10_000; index++) {
      await cache.getOrVerify(cache.keyOf('g1', `user${index}:x`), MINUTE, proof('other'))
    }
    assert.equal(userOf(await cache.getOrVerify(key, MINUTE, proof('second'))), 'first')
  })

  it('says when a credential is evicted before it expires', async () => {
    let evicted = 0
    const cache = new CredentialCache(new FakeClock(), { onEvicted: () => (evicted += 1) })
    const scope = cache.scopeOf('staff')
    for (let index = 0; index < 100; index++) {
      await scope.getOrVerify(cache.keyOf('g1', `user${index}:x`), MINUTE, proof('other'))
    }
    assert.equal(evicted, 0)
    cache.resize(10_000)
    assert.ok(evicted > 50 && evicted < 100, `${evicted}`)
    const { proofs, maxBytes } = cache.statistics()
    assert.equal(proofs.evictions, evicted)
    assert.ok(proofs.bytes <= maxBytes)
  })
})

describe('a cached credential in the last fifth of its time', () => {
  const due = async () => {
    const site = setUp()
    const { clock, cache, key } = site
    await cache.getOrVerify(key, MINUTE, proof('first'))
    clock.advance(0.8 * MINUTE - 1)
    assert.equal(cache.find(key)?.isDue, false)
    clock.advance(1)
    assert.equal(cache.find(key)?.isDue, true)
    return site
  }

  it('is prolonged, and stays the same, when it is verified again', async () => {
    const { clock, cache, key } = await due()
    const before = cache.get(key)
    cache.renew(key, MINUTE, proof('first'))
    await turn()
    assert.equal(cache.find(key)?.isDue, false)
    clock.advance(MINUTE - 1)
    assert.equal(cache.get(key), before)
    clock.advance(1)
    assert.equal(cache.get(key), undefined)
  })

  it('is verified once for all who use it meanwhile', async () => {
    const { cache, key } = await due()
    let proofs = 0
    const slow = async (): Promise<Authentication> => {
      proofs += 1
      await turn()
      return await proof('first')()
    }
    for (let use = 0; use < 5; use++) cache.renew(key, MINUTE, slow)
    await turn()
    await turn()
    assert.equal(proofs, 1)
  })

  it('is verified after the request that found it, and is not counted as a miss', async () => {
    const { cache, key } = await due()
    const scope = cache.scopeOf('staff')
    await scope.getOrVerify(cache.keyOf('g1', 'bob'), MINUTE, proof('bob'))
    let proofs = 0
    scope.renew(key, MINUTE, () => {
      proofs += 1
      return proof('first')()
    })
    assert.equal(proofs, 0)
    await turn()
    assert.equal(proofs, 1)
    assert.equal(cache.statistics().lookups.get('staff')?.misses, 1)
  })

  it('is removed when it is rejected now', async () => {
    const { cache, key } = await due()
    cache.renew(key, MINUTE, () =>
      Promise.resolve({ outcome: 'rejected', code: 'token-signature' }),
    )
    await turn()
    assert.equal(cache.get(key), undefined)
  })

  it('stays until its time is over when it cannot be verified', async () => {
    const { clock, cache, key } = await due()
    cache.renew(key, MINUTE, () => Promise.reject(new Error('no answer')))
    cache.renew(cache.keyOf('g1', 'other'), MINUTE, () =>
      Promise.resolve({ outcome: 'unavailable', cause: 'no answer' }),
    )
    await turn()
    assert.ok(cache.get(key) !== undefined)
    clock.advance(0.2 * MINUTE)
    assert.equal(cache.get(key), undefined)
  })

  it('does not come back when all were revoked meanwhile', async () => {
    const { cache, key } = await due()
    cache.renew(key, MINUTE, proof('first'))
    cache.revoke()
    await turn()
    assert.equal(cache.get(key), undefined)
  })

  it('is not verified while the limit of renewals is reached', async () => {
    const { cache, key } = await due()
    const never = (): Promise<Authentication> => new Promise(() => undefined)
    for (let other = 0; other < 100; other++) {
      cache.renew(cache.keyOf('g1', `other-${other}`), MINUTE, never)
    }
    cache.renew(key, MINUTE, () => assert.fail('verified'))
    await turn()
    assert.equal(cache.find(key)?.isDue, true)
  })
})
