// The memory of tokens: one for many who want it, none that does not fit, and bounded.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TokenMemory, type HeldToken } from '../../../src/transform/token/token-memory.ts'

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
    const memory = new TokenMemory()
    const source = counted()
    const all = await Promise.all(
      Array.from({ length: 10 }, () => memory.tokenOf('k', 'key', always, source.make)),
    )
    assert.deepEqual(new Set(all.map(({ token }) => token)), new Set(['t1']))
    assert.equal((await memory.tokenOf('k', 'key', always, source.make)).token, 't1')
    assert.equal(source.made, 1)
    const counts = memory.statistics().lookups.get('k')
    assert.deepEqual(counts, { hits: 1, joined: 9, misses: 1 })
  })

  it('gets another where the cached one does not fit', async () => {
    const memory = new TokenMemory()
    const source = counted()
    await memory.tokenOf('k', 'key', always, source.make)
    const next = await memory.tokenOf('k', 'key', ({ token }) => token !== 't1', source.make)
    assert.equal(next.token, 't2')
    assert.equal((await memory.tokenOf('k', 'key', always, source.make)).token, 't2')
  })

  it('gets another where the one in progress does not fit', async () => {
    const memory = new TokenMemory()
    const source = counted()
    const [first, second] = await Promise.all([
      memory.tokenOf('k', 'key', always, source.make),
      memory.tokenOf('k', 'key', ({ token }) => token === 't2', source.make),
    ])
    assert.deepEqual([first.token, second.token], ['t1', 't2'])
  })

  it('reports a failure to all waiting checks, and does not cache it', async () => {
    const memory = new TokenMemory()
    const failing = async (): Promise<HeldToken> => await Promise.reject(new Error('down'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 3 }, () => memory.tokenOf('k', 'key', always, failing)),
    )
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
    assert.equal((await memory.tokenOf('k', 'key', always, counted().make)).token, 't1')
  })

  it('can be cleared, also of what is in progress', async () => {
    const memory = new TokenMemory()
    const gate = Promise.withResolvers<HeldToken>()
    const early = memory.tokenOf('k', 'key', always, () => gate.promise)
    memory.revoke()
    const late = memory.tokenOf('k', 'key', always, counted('new').make)
    gate.resolve(held('old'))
    assert.equal((await early).token, 'old')
    assert.equal((await late).token, 'new1')
    assert.equal((await memory.tokenOf('k', 'key', always, counted('other').make)).token, 'new1')
  })

  it('is bounded in number and bytes, and counts evictions', async () => {
    const memory = new TokenMemory()
    const large = 'x'.repeat(1_024 * 1_024)
    for (let index = 0; index < 40; index += 1) {
      await memory.tokenOf(
        'k',
        `key ${index}`,
        always,
        async () => await Promise.resolve(held(large)),
      )
    }
    const { entries, bytes, evictions } = memory.statistics()
    assert.ok(bytes <= 32 * 1_024 * 1_024)
    assert.deepEqual({ entries, evictions }, { entries: 32, evictions: 8 })
  })
})
