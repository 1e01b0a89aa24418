// The bounded memory, by whatever is put into it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DerivedKeys } from '../../src/state/derived-keys.ts'
import { PriorityLru } from '../../src/state/priority-lru.ts'
import { randomFrom } from '../fakes/random.ts'

const SHELVES = 4

describe('levels', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`never hold more than they may, nor lose what they have room for (seed ${seed})`, () => {
      const below = randomFrom(seed)
      const limit = 2 * SHELVES + below(60)
      const share = Math.floor(limit / (SHELVES + 1))
      const levels = new PriorityLru<{ expires: number; worth: number }>({
        limit,
        levels: SHELVES,
        levelOf: ({ worth }) => worth,
      })
      const latest: string[][] = Array.from({ length: SHELVES }, () => [])
      for (let now = 0; now < 5_000; now += 1) {
        const worth = below(10) === 0 ? below(SHELVES) : below(2)
        const key = `${worth} ${below(500)}`
        levels.put(key, { expires: Number.POSITIVE_INFINITY, worth }, now)
        assert.ok(levels.size <= limit)
        const mine = [...(latest[worth] ?? []).filter((other) => other !== key), key].slice(-share)
        latest[worth] = mine
        // The latest of each level, as many as its share, are there whatever happens on the other levels.
        for (const kept of latest.flat()) assert.ok(levels.find(kept, now) !== undefined, kept)
      }
    })
  }

  it('know nothing whose time is over', () => {
    const levels = new PriorityLru({ limit: 10, levels: 1, levelOf: () => 0 })
    levels.put('a', { expires: 5 }, 0)
    assert.ok(levels.find('a', 4) !== undefined)
    assert.equal(levels.find('a', 5), undefined)
    levels.put('b', { expires: 5 }, 5)
    assert.equal(levels.size, 0)
  })

  it('hold a key once, also when it is worth something else', () => {
    const levels = new PriorityLru<{ expires: number; worth: number }>({
      limit: 10,
      levels: 2,
      levelOf: ({ worth }) => worth,
    })
    levels.put('a', { expires: 5, worth: 0 }, 0)
    levels.put('a', { expires: 5, worth: 1 }, 0)
    assert.deepEqual([levels.size, levels.find('a', 0)?.worth], [1, 1])
  })

  it('cannot be too few', () => {
    assert.throws(() => new PriorityLru({ limit: 3, levels: 2, levelOf: () => 0 }), RangeError)
  })
})

describe('opaque keys', () => {
  const keys = new DerivedKeys(Buffer.alloc(32, 1))
  it('are the same for the same parts under the same secret, and for nothing else', () => {
    const same = new DerivedKeys(Buffer.alloc(32, 1))
    assert.equal(keys.of('a', 'b'), same.of('a', 'b'))
    const all = [
      keys.of('a', 'b'),
      keys.of('ab'),
      keys.of('a', 'b', ''),
      keys.of('a","b'),
      keys.of('b', 'a'),
      new DerivedKeys().of('a', 'b'),
      new DerivedKeys().of('a', 'b'),
    ]
    assert.equal(new Set(all).size, all.length)
  })

  it('show nothing of the records that they name', () => {
    assert.match(keys.of('alice', 'secret'), /^[\w-]{43}$/)
  })
})
