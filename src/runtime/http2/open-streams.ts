// The open streams of a connection, by their identifier.
//
// A Map would do, except for garbage collection: each insertion of a stream and each removal moves a Map towards its next
// table, and a table that has been replaced refers to the one after it. Once one of them is in the old generation, all
// that follow it, and the streams in them, get there too, and stay until the next collection of the whole heap: 40 MB
// after some 100,000 requests. This table is replaced only when it is too small.

import type { Http2Stream } from './stream.ts'

// Must be a power of two.
const INITIAL_SLOTS = 256

/** A table of streams with linear probing (Knuth, "The Art of Computer Programming", volume 3, §6.4, algorithms L and R). */
export class OpenStreams {
  #slots: (Http2Stream | undefined)[] = emptySlots(INITIAL_SLOTS)
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** The stream with this identifier. */
  get(id: number): Http2Stream | undefined {
    return this.#slots[this.#slotOf(id)]
  }

  /** Adds a stream, whose identifier no other one has. */
  add(stream: Http2Stream): void {
    this.#size += 1
    if (this.#size * 2 > this.#slots.length) this.#grow()
    this.#slots[this.#slotOf(stream.id)] = stream
  }

  /** Removes the stream with this identifier, if there is one. */
  delete(id: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let free = this.#slotOf(id)
    if (slots[free] === undefined) return
    this.#size -= 1
    // Streams behind it move up, unless that would place them before their own slot: a search ends at an empty slot.
    let at = free
    for (;;) {
      at = (at + 1) & mask
      const next = slots[at]
      if (next === undefined) break
      const distance = (at - homeOf(next.id)) & mask
      if (distance >= ((at - free) & mask)) {
        slots[free] = next
        free = at
      }
    }
    slots[free] = undefined
  }

  /** All of them, as they are now. */
  all(): readonly Http2Stream[] {
    return this.#slots.filter((stream) => stream !== undefined)
  }

  /** Where the stream is, or else the empty slot where it belongs. */
  #slotOf(id: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = homeOf(id) & mask
    for (let there = slots[at]; there !== undefined && there.id !== id; there = slots[at]) {
      at = (at + 1) & mask
    }
    return at
  }

  #grow(): void {
    const streams = this.all()
    this.#slots = emptySlots(this.#slots.length * 2)
    for (const stream of streams) this.#slots[this.#slotOf(stream.id)] = stream
  }
}

/** Identifiers of a client are odd and consecutive (RFC 9113 §5.1.1), so their slots are, too. */
const homeOf = (id: number): number => id >>> 1

const emptySlots = (count: number): (Http2Stream | undefined)[] =>
  Array.from({ length: count }, () => undefined)
