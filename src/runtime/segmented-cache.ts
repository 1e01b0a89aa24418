// A cache bounded by bytes that a scan cannot empty: entries that were used again are kept apart from those that were used
// once (a segmented LRU; Karedla, Love and Wherry, "Caching strategies to improve disk system performance", 1994).

import { LRUCache } from 'lru-cache'

/** What a {@link SegmentedCache} needs. */
export interface SegmentedCacheOptions<V extends object> {
  /** The most bytes of all entries. */
  readonly maxBytes: number
  /** The bytes of a value, at least 1. */
  readonly bytesOf: (value: V) => number
  /** Called with each value that is removed to make room. */
  readonly onEvicted: (value: V) => void
}

/** The part of the bytes that entries which were used once keep, however many were used again. */
const ONCE_PART = 0.2

/** A cache of values by text. */
export class SegmentedCache<V extends object> {
  readonly #options: SegmentedCacheOptions<V>
  #maxBytes: number
  readonly #once: LRUCache<string, V>
  readonly #reused: LRUCache<string, V>

  constructor(options: SegmentedCacheOptions<V>) {
    this.#options = options
    this.#maxBytes = options.maxBytes
    // Bounded below: both together have one limit.
    const segment = { maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: options.bytesOf }
    this.#once = new LRUCache(segment)
    this.#reused = new LRUCache(segment)
  }

  /** How many entries there are. */
  get size(): number {
    return this.#once.size + this.#reused.size
  }

  /** The bytes of all entries. */
  get bytes(): number {
    return this.#once.calculatedSize + this.#reused.calculatedSize
  }

  /** The value, which counts as used. */
  get(key: string): V | undefined {
    const reused = this.#reused.get(key)
    if (reused !== undefined) return reused
    const value = this.#once.peek(key)
    if (value === undefined) return undefined
    this.#once.delete(key)
    this.#reused.set(key, value)
    return value
  }

  /** Sets the value. One that is larger than the cache is not kept. */
  set(key: string, value: V): void {
    const segment = this.#reused.has(key) ? this.#reused : this.#once
    segment.set(key, value)
    this.#makeRoom()
  }

  /** Removes the value. */
  delete(key: string): void {
    this.#once.delete(key)
    this.#reused.delete(key)
  }

  /** Removes all values. */
  clear(): void {
    this.#once.clear()
    this.#reused.clear()
  }

  /** The most bytes of all entries. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Sets another limit; the entries that were used last are kept. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#makeRoom()
  }

  #makeRoom(): void {
    while (this.bytes > this.#maxBytes) {
      const once = this.#once.calculatedSize
      const isOnce = this.#reused.size === 0 || once > this.#maxBytes * ONCE_PART
      const evicted = (isOnce ? this.#once : this.#reused).pop()
      if (evicted !== undefined) this.#options.onEvicted(evicted)
    }
  }
}
