// Serial numbers of a list, found in constant time: a hash table of positions in the list, four bytes
// each, half of them in use at most. The numbers themselves are compared, so none is found by chance.

import { Slices } from '../../runtime/slices.ts'
import { DerCursor, TAG } from '../../x509/der.ts'

// Some 20 µs of them, between two looks at the clock.
const BATCH = 100
const SLICE_MS = 1

/** A set of serial numbers. */
export class SerialIndex {
  readonly #list: Buffer
  /** Positions plus one, since 0 means a free slot. */
  readonly #table: Uint32Array
  readonly #cursor: DerCursor
  #size = 0

  private constructor(list: Buffer, slots: number) {
    this.#list = list
    this.#table = new Uint32Array(slots)
    this.#cursor = new DerCursor(list)
  }

  /**
   * Makes an index, in slices.
   *
   * @param list up to 4 GiB, kept
   * @param positions where INTEGERs of well-formed DER begin in the list
   */
  static async of(list: Buffer, positions: Uint32Array): Promise<SerialIndex> {
    const slots = 2 ** Math.ceil(Math.log2(2 * positions.length + 2))
    const index = new SerialIndex(list, slots)
    const slices = new Slices(SLICE_MS)
    for (let count = 0; count < positions.length; count++) {
      index.#add(positions[count] ?? 0)
      if (count % BATCH === 0) await slices.pause()
    }
    return index
  }

  /** How many different serial numbers there are. */
  get size(): number {
    return this.#size
  }

  /** @param serialNumber the content of an INTEGER */
  has(serialNumber: Buffer): boolean {
    const start = skipSign(serialNumber, 0, serialNumber.length)
    return this.#table[this.#slotOf(serialNumber, start, serialNumber.length)] !== 0
  }

  #add(position: number): void {
    this.#cursor.at = position
    const end = this.#cursor.expect(TAG.integer, this.#list.length)
    const slot = this.#slotOf(this.#list, skipSign(this.#list, this.#cursor.at, end), end)
    if (this.#table[slot] !== 0) return // the same number twice
    this.#table[slot] = position + 1
    this.#size += 1
  }

  /** The slot of a serial number, or the free one where it would be. */
  #slotOf(bytes: Buffer, start: number, end: number): number {
    const mask = this.#table.length - 1
    let slot = hashOf(bytes, start, end) & mask
    for (;;) {
      const entry = this.#table[slot] ?? 0
      if (entry === 0 || this.#isAt(entry - 1, bytes, start, end)) return slot
      slot = (slot + 1) & mask
    }
  }

  #isAt(position: number, bytes: Buffer, start: number, end: number): boolean {
    this.#cursor.at = position
    const itsEnd = this.#cursor.enter(this.#list.length)
    const itsStart = skipSign(this.#list, this.#cursor.at, itsEnd)
    if (itsEnd - itsStart !== end - start) return false
    for (let index = 0; index < end - start; index++) {
      if (this.#list[itsStart + index] !== bytes[start + index]) return false
    }
    return true
  }
}

/** Where the number begins after the zero that keeps an INTEGER from being negative. */
const skipSign = (bytes: Buffer, start: number, end: number): number =>
  end - start > 1 && bytes[start] === 0 ? start + 1 : start

/** FNV-1a, its bits mixed once more, since the low ones choose the slot. */
const hashOf = (bytes: Buffer, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
