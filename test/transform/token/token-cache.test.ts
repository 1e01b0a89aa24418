// The cache of tokens: one for all requests that need it, none that does not fit, and bounded.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenCache, type HeldToken } from '../../../src/transform/token/token-cache.ts'

const held = (token: string): HeldToken => ({ token, id: undefined, until: 0, expires: undefined })
const always = (): boolean => true

const counted = (token = 't') => {
  let made = 0
  return {
    make: async (): Promise<HeldToken> => {
      made += 1
      return await Promise.resolve(held(`${token}${made}`))
    },
    get made() {
      return made
    },
  }
}

describe('the token cache', () => {
  it('gets a token once for simultaneous and later checks', async () => {
    const cache = new TokenCache()
    const source = counted()
    const all = await Promise.all(
      Array.from({ length: 10 }, () => cache.tokenOf('k', 'key', always, source.make)),
    )
    assert.deepEqual(new Set(all.map(({ token }) => token)), new Set(['t1']))
    assert.equal((await cache.tokenOf('k', 'key', always, source.make)).token, 't1')
    assert.equal(source.made, 1)
    const counts = cache.statistics().lookups.get('k')
    assert.deepEqual(counts, { hits: 1, joined: 9, misses: 1 })
  })

  it('gets another where the cached one does not fit', async () => {
    const cache = new TokenCache()
    const source = counted()
    await cache.tokenOf('k', 'key', always, source.make)
    const next = await cache.tokenOf('k', 'key', ({ token }) => token !== 't1', source.make)
    assert.equal(next.token, 't2')
    assert.equal((await cache.tokenOf('k', 'key', always, source.make)).token, 't2')
  })

  it('gets another where the one in progress does not fit', async () => {
    const cache = new TokenCache()
    const source = counted()
    const [first, second] = await Promise.all([
      cache.tokenOf('k', 'key', always, source.make),
      cache.tokenOf('k', 'key', ({ token }) => token === 't2', source.make),
    ])
    assert.deepEqual([first.token, second.token], ['t1', 't2'])
  })

  it('reports a failure to all waiting checks, and does not cache it', async () => {
    const cache = new TokenCache()
    const failing = async (): Promise<HeldToken> => await Promise.reject(new Error('down'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 3 }, () => cache.tokenOf('k', 'key', always, failing)),
    )
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
    assert.equal((await cache.tokenOf('k', 'key', always, counted().make)).token, 't1')
  })

  it('can be cleared, also of what is in progress', async () => {
    const cache = new TokenCache()
    const gate = Promise.withResolvers<HeldToken>()
    const early = cache.tokenOf('k', 'key', always, () => gate.promise)
    cache.revoke()
    const late = cache.tokenOf('k', 'key', always, counted('new').make)
    gate.resolve(held('old'))
    assert.equal((await early).token, 'old')
    assert.equal((await late).token, 'new1')
    assert.equal((await cache.tokenOf('k', 'key', always, counted('other').make)).token, 'new1')
  })

  it('is bounded in number and bytes, and counts evictions', async () => {
    const cache = new TokenCache()
    const large = 'x'.repeat(1_024 * 1_024)
    for (let index = 0; index < 40; index += 1) {
      await cache.tokenOf(
        'k',
        `key ${index}`,
        always,
        async () => await Promise.resolve(held(large)),
      )
    }
    const { entries, bytes, evictions } = cache.statistics()
    assert.ok(bytes <= 32 * 1_024 * 1_024)
    assert.deepEqual({ entries, evictions }, { entries: 32, evictions: 8 })
  })
})
