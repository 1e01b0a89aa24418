import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SegmentedCache } from '../../src/runtime/segmented-cache.ts'

interface Sized {
  readonly bytes: number
}

const setUp = (maxBytes: number) => {
  const evicted: Sized[] = []
  const cache = new SegmentedCache<Sized>({
    maxBytes,
    bytesOf: ({ bytes }) => bytes,
    onEvicted: (value) => evicted.push(value),
  })
  return { cache, evicted }
}

const ONE: Sized = { bytes: 1 }

describe('a segmented cache', () => {
  it('never exceeds its limit of bytes', () => {
    const { cache, evicted } = setUp(100)
    for (let n = 0; n < 1_000; n++) {
      cache.set(`k${n}`, { bytes: 1 + (n % 7) })
      cache.get(`k${n - (n % 3)}`)
      assert.ok(cache.bytes <= 100, `${cache.bytes}`)
    }
    assert.equal(cache.size + evicted.length, 1_000)
  })

  it('keeps entries that were used again during a scan of entries used once', () => {
    const { cache } = setUp(100)
    for (let n = 0; n < 50; n++) {
      cache.set(`used-${n}`, ONE)
      cache.get(`used-${n}`)
    }
    for (let n = 0; n < 10_000; n++) cache.set(`once-${n}`, ONE)
    for (let n = 0; n < 50; n++) assert.equal(cache.get(`used-${n}`), ONE)
  })

  it('has room for entries that were used once, where few were used again', () => {
    const { cache, evicted } = setUp(100)
    for (let n = 0; n < 100; n++) cache.set(`once-${n}`, ONE)
    assert.deepEqual([cache.size, evicted.length], [100, 0])
  })

  it('evicts what was not used for the longest time', () => {
    const { cache } = setUp(100)
    for (let n = 0; n < 200; n++) {
      cache.set(`k${n}`, ONE)
      cache.get(`k${n}`)
    }
    assert.equal(cache.get('k0'), undefined)
    assert.equal(cache.get('k199'), ONE)
  })

  it('replaces a value in its place', () => {
    const { cache } = setUp(100)
    const other = { bytes: 2 }
    cache.set('a', ONE)
    cache.get('a')
    cache.set('a', other)
    assert.deepEqual([cache.get('a'), cache.size, cache.bytes], [other, 1, 2])
    cache.delete('a')
    assert.deepEqual([cache.get('a'), cache.size], [undefined, 0])
  })

  it('keeps no value that is larger than the cache', () => {
    const { cache } = setUp(100)
    cache.set('huge', { bytes: 1_000 })
    assert.equal(cache.get('huge'), undefined)
    assert.equal(cache.bytes, 0)
  })

  it('keeps what was used last when its limit is lowered', () => {
    const { cache, evicted } = setUp(1_000)
    for (let n = 0; n < 100; n++) {
      cache.set(`k${n}`, ONE)
      cache.get(`k${n}`)
    }
    cache.resize(10)
    assert.ok(cache.bytes <= 10)
    assert.equal(cache.get('k99'), ONE)
    assert.equal(cache.size + evicted.length, 100)
    cache.resize(1_000)
    assert.equal(cache.get('k99'), ONE)
  })

  it('is empty when it was cleared', () => {
    const { cache, evicted } = setUp(100)
    cache.set('a', ONE)
    cache.set('b', ONE)
    cache.get('b')
    cache.clear()
    assert.deepEqual([cache.size, cache.bytes, evicted], [0, 0, []])
  })
})
