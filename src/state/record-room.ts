// The room of one kind of record in memory: its entries in the order of writing, and how much more fits.

import type { Quota } from './quotas.ts'

/** An entry of a room. */
export interface RoomEntry {
  /** When it ends, in milliseconds of one clock. */
  readonly ends: number
  readonly bytes: number
}

// How many entries are examined for each one that is written: more than one, so that ended ones become fewer.
const SWEEP = 2

// Examining all entries, which a full room needs for each write, costs milliseconds.
const SWEEP_ALL_EVERY_MS = 1_000

/** Entries by key, oldest first. It evicts nothing itself: its owner removes the keys that it yields. */
export class RecordRoom<Entry extends RoomEntry> {
  readonly #quota: Quota
  // A Map keeps the order of insertion.
  readonly #entries = new Map<string, Entry>()
  #cursor: Iterator<[string, Entry]> = this.#entries.entries()
  #bytes = 0
  #sweptAllAt = Number.NEGATIVE_INFINITY

  constructor(quota: Quota) {
    this.#quota = quota
  }

  get size(): number {
    return this.#entries.size
  }

  /** The bytes of all entries, and how many there may be. */
  get usage(): { readonly bytes: number; readonly maxBytes: number } {
    return { bytes: this.#bytes, maxBytes: this.#quota.bytes }
  }

  /** The key that was written first. */
  get oldest(): string | undefined {
    const [oldest] = this.#entries.keys()
    return oldest
  }

  /** The present keys. */
  keys(): readonly string[] {
    return [...this.#entries.keys()]
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: Entry): void {
    this.delete(key)
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }

  /** Whether an entry fits, in place of the present one of its key. */
  fits(key: string, { bytes }: RoomEntry): boolean {
    const before = this.#entries.get(key)
    const entries = this.#entries.size + (before === undefined ? 1 : 0)
    const total = this.#bytes - (before?.bytes ?? 0) + bytes
    return entries <= this.#quota.entries && total <= this.#quota.bytes
  }

  /** Whether an entry would fit into the empty room. */
  couldFit({ bytes }: RoomEntry): boolean {
    return this.#quota.entries >= 1 && bytes <= this.#quota.bytes
  }

  /** Which of the next few entries have ended. Each call continues from the last, and restarts after the end. */
  sweep(now: number): readonly string[] {
    const ended: string[] = []
    for (let count = 0; count < SWEEP; count += 1) {
      const next = this.#cursor.next()
      if (next.done === true) {
        this.#cursor = this.#entries.entries()
        break
      }
      const [key, { ends }] = next.value
      if (ends <= now) ended.push(key)
    }
    return ended
  }

  /** Which of all entries have ended; none if it was called a moment ago. */
  sweepAll(now: number): readonly string[] {
    if (now - this.#sweptAllAt < SWEEP_ALL_EVERY_MS) return []
    this.#sweptAllAt = now
    return [...this.#entries].filter(([, { ends }]) => ends <= now).map(([key]) => key)
  }
}
