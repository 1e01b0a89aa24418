// A cache bounded by bytes that a scan cannot empty: entries that were used again are kept apart from those that were used
// once (a segmented LRU; Karedla, Love and Wherry, "Caching strategies to improve disk system performance", 1994). A hit
// writes to its entry alone: what is to be evicted is put in order when there has to be room (second chance; Corbató, "A
// paging experiment with the Multics system", 1968).

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

/** How many entries that were used are passed over for one that is evicted: bounds the work of one eviction. */
const MOST_SPARED = 64

interface Entry<V> {
  readonly key: string
  value: V
  bytes: number
  segment: Segment<V>
  /** Whether it was used since it came to the front of its segment. */
  isUsed: boolean
  before: Entry<V> | undefined
  behind: Entry<V> | undefined
}

/** Entries in a row: the one that is evicted next is the last. */
class Segment<V> {
  bytes = 0
  #first: Entry<V> | undefined
  #last: Entry<V> | undefined

  get last(): Entry<V> | undefined {
    return this.#last
  }

  add(entry: Entry<V>): void {
    entry.segment = this
    entry.isUsed = false
    entry.before = undefined
    entry.behind = this.#first
    if (this.#first === undefined) this.#last = entry
    else this.#first.before = entry
    this.#first = entry
    this.bytes += entry.bytes
  }

  remove(entry: Entry<V>): void {
    const { before, behind } = entry
    if (before === undefined) this.#first = behind
    else before.behind = behind
    if (behind === undefined) this.#last = before
    else behind.before = before
    this.bytes -= entry.bytes
    // A removed entry in the old generation of the heap would keep its neighbours, and those theirs, until it is collected.
    entry.before = undefined
    entry.behind = undefined
  }
}

/** A cache of values by text. */
export class SegmentedCache<V extends object> {
  readonly #options: SegmentedCacheOptions<V>
  #maxBytes: number
  readonly #entries = new Map<string, Entry<V>>()
  #once = new Segment<V>()
  #reused = new Segment<V>()

  constructor(options: SegmentedCacheOptions<V>) {
    this.#options = options
    this.#maxBytes = options.maxBytes
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.size
  }

  /** The bytes of all entries. */
  get bytes(): number {
    return this.#once.bytes + this.#reused.bytes
  }

  /** The value, which counts as used. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.segment === this.#reused) entry.isUsed = true
    else {
      this.#once.remove(entry)
      this.#reused.add(entry)
    }
    return entry.value
  }

  /** Sets the value. One that is larger than the cache is not kept. */
  set(key: string, value: V): void {
    const bytes = this.#options.bytesOf(value)
    const known = this.#entries.get(key)
    if (bytes > this.#maxBytes) {
      this.delete(key)
      return this.#options.onEvicted(value)
    }
    if (known === undefined) {
      const segment = this.#once
      const none = undefined
      const entry = { key, value, bytes, segment, isUsed: false, before: none, behind: none }
      this.#entries.set(key, entry)
      segment.add(entry)
    } else {
      const { segment } = known
      segment.remove(known)
      known.value = value
      known.bytes = bytes
      segment.add(known)
    }
    this.#makeRoom()
  }

  /** Removes the value. */
  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#remove(entry)
  }

  /** Removes all values. */
  clear(): void {
    this.#entries.clear()
    this.#once = new Segment()
    this.#reused = new Segment()
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
      const isOnce = this.#reused.bytes === 0 || this.#once.bytes > this.#maxBytes * ONCE_PART
      const evicted = this.#leastUsed(isOnce ? this.#once : this.#reused)
      if (evicted === undefined) return
      this.#remove(evicted)
      this.#options.onEvicted(evicted.value)
    }
  }

  #leastUsed(segment: Segment<V>): Entry<V> | undefined {
    for (let spared = 0; spared < MOST_SPARED; spared++) {
      const { last } = segment
      if (last === undefined || !last.isUsed) return last
      segment.remove(last)
      segment.add(last)
    }
    return segment.last
  }

  #remove(entry: Entry<V>): void {
    this.#entries.delete(entry.key)
    entry.segment.remove(entry)
  }
}
