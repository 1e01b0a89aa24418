// The bounded memory, by whatever is put into it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OpaqueKeys } from '../../src/state/opaque-keys.ts'
import { Shelves } from '../../src/state/shelves.ts'

/** The same numbers every time. */
const numbers = (seed: number): ((below: number) => number) => {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const SHELVES = 4

describe('shelves', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`never hold more than they may, nor lose what they have room for (seed ${seed})`, () => {
      const below = numbers(seed)
      const limit = 2 * SHELVES + below(60)
      const share = Math.floor(limit / (SHELVES + 1))
      const shelves = new Shelves<{ expires: number; worth: number }>({
        limit,
        shelves: SHELVES,
        worthOf: ({ worth }) => worth,
      })
      const latest: string[][] = Array.from({ length: SHELVES }, () => [])
      for (let now = 0; now < 5_000; now += 1) {
        const worth = below(10) === 0 ? below(SHELVES) : below(2)
        const key = `${worth} ${below(500)}`
        shelves.put(key, { expires: Number.POSITIVE_INFINITY, worth }, now)
        assert.ok(shelves.size <= limit)
        const mine = [...(latest[worth] ?? []).filter((other) => other !== key), key].slice(-share)
        latest[worth] = mine
        // The latest of each shelf, as many as its share, are there whatever happens on the others.
        for (const kept of latest.flat()) assert.ok(shelves.find(kept, now) !== undefined, kept)
      }
    })
  }

  it('know nothing whose time is over', () => {
    const shelves = new Shelves({ limit: 10, shelves: 1, worthOf: () => 0 })
    shelves.put('a', { expires: 5 }, 0)
    assert.ok(shelves.find('a', 4) !== undefined)
    assert.equal(shelves.find('a', 5), undefined)
    shelves.put('b', { expires: 5 }, 5)
    assert.equal(shelves.size, 0)
  })

  it('hold a key once, also when it is worth something else', () => {
    const shelves = new Shelves<{ expires: number; worth: number }>({
      limit: 10,
      shelves: 2,
      worthOf: ({ worth }) => worth,
    })
    shelves.put('a', { expires: 5, worth: 0 }, 0)
    shelves.put('a', { expires: 5, worth: 1 }, 0)
    assert.deepEqual([shelves.size, shelves.find('a', 0)?.worth], [1, 1])
  })

  it('cannot be too few', () => {
    assert.throws(() => new Shelves({ limit: 3, shelves: 2, worthOf: () => 0 }), RangeError)
  })
})

describe('opaque keys', () => {
  const keys = new OpaqueKeys(Buffer.alloc(32, 1))
  it('are the same for the same parts under the same secret, and for nothing else', () => {
    const same = new OpaqueKeys(Buffer.alloc(32, 1))
    assert.equal(keys.of('a', 'b'), same.of('a', 'b'))
    const all = [
      keys.of('a', 'b'),
      keys.of('ab'),
      keys.of('a', 'b', ''),
      keys.of('a","b'),
      keys.of('b', 'a'),
      new OpaqueKeys().of('a', 'b'),
      new OpaqueKeys().of('a', 'b'),
    ]
    assert.equal(new Set(all).size, all.length)
  })

  it('show nothing of what they stand for', () => {
    assert.match(keys.of('alice', 'secret'), /^[\w-]{43}$/)
  })
})
