// The dynamic table of one direction of a connection (RFC 7541 §2.3.2, §4).

import type { HeaderField } from '../header-field.ts'

// RFC 7541 §4.1: no entry is smaller.
const SMALLEST_ENTRY = 32

/** Fields by their index, the newest first; bounded by their sizes. */
export class DynamicTable {
  /** A ring: the newest is at `#newest`, older ones before it. */
  readonly #ring: (HeaderField | undefined)[]
  #newest = -1
  #count = 0
  #size = 0
  #maxSize: number
  #changes = 0

  /** @param limit the largest size that {@link resize} may set, in octets; also the size at first */
  constructor(limit: number) {
    this.#maxSize = limit
    this.#ring = Array.from({ length: Math.max(1, Math.floor(limit / SMALLEST_ENTRY)) })
  }

  /** How often it has changed: equal numbers, equal tables. */
  get changes(): number {
    return this.#changes
  }

  /** The entry, the newest being 0; undefined where there is none. */
  get(index: number): HeaderField | undefined {
    if (index >= this.#count) return undefined
    const { length } = this.#ring
    return this.#ring[(this.#newest - index + length) % length]
  }

  /** Adds an entry and evicts the oldest ones (§4.4); one that is larger than the table empties it. */
  add(field: HeaderField): void {
    this.#changes += 1
    this.#evictDownTo(this.#maxSize - field.size)
    if (field.size > this.#maxSize) return
    this.#newest = (this.#newest + 1) % this.#ring.length
    this.#ring[this.#newest] = field
    this.#count += 1
    this.#size += field.size
  }

  /** Changes the largest size (§4.3); the caller checks that the limit allows it. */
  resize(maxSize: number): void {
    this.#changes += 1
    this.#maxSize = maxSize
    this.#evictDownTo(maxSize)
  }

  #evictDownTo(size: number): void {
    const { length } = this.#ring
    while (this.#count > 0 && this.#size > size) {
      const oldest = (this.#newest - this.#count + 1 + length) % length
      this.#size -= this.#ring[oldest]?.size ?? 0
      this.#ring[oldest] = undefined
      this.#count -= 1
    }
  }
}
