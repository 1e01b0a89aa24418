// Records in the memory of one process. Bounded: what was not used for longest goes first, as if its
// time were over; what is larger than all the room there is, is refused and not forgotten at once.

import type { Clock } from '../runtime/clock.ts'
import { CountersignError } from '../runtime/errors.ts'
import type { RecordStore, StoredRecord } from './record-store.ts'

/** How much room there is. */
export interface RecordLimits {
  readonly entries: number
  /** Of memory, about. */
  readonly bytes: number
}

// Some 30,000 sessions of 2 KB.
const LIMITS: RecordLimits = { entries: 100_000, bytes: 64 * 1024 * 1024 }

// Two bytes a character at most (V8), and what a Map and an object take besides (measured).
const CHARACTER = 2
const ENTRY = 200

// How many are looked at for each that is written: more than one, so that the ended become fewer.
const SWEEP = 2

interface Entry {
  readonly text: string
  /** By the monotonic clock, from when on it is as good as gone. */
  readonly ends: number
  readonly indexes: readonly string[]
  readonly bytes: number
}

/** A {@link RecordStore} that ends with the process. */
export class MemoryRecords implements RecordStore {
  readonly #clock: Clock
  readonly #limits: RecordLimits
  // A Map keeps the order of insertion: its first entry is the one that was not used for longest.
  readonly #entries = new Map<string, Entry>()
  readonly #indexes = new Map<string, Set<string>>()
  #bytes = 0
  #dropped = 0

  constructor(clock: Clock, limits = LIMITS) {
    this.#clock = clock
    this.#limits = limits
  }

  /** How many records there are, those included whose time is over. */
  get size(): number {
    return this.#entries.size
  }

  /** How many were dropped before their time, for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  async put(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<void> {
    this.#write(key, record, indexes)
  }

  async add(key: string, record: StoredRecord, indexes: readonly string[] = []): Promise<boolean> {
    if (this.#find(key) !== undefined) return false
    this.#write(key, record, indexes)
    return true
  }

  async replace(key: string, before: string, record: StoredRecord): Promise<boolean> {
    const entry = this.#find(key)
    if (entry?.text !== before) return false
    this.#write(key, record, entry.indexes)
    return true
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const entry = this.#find(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return this.#recordOf(entry)
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const entry = this.#find(key)
    this.#drop(key)
    return entry && this.#recordOf(entry)
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#drop(key)
  }

  async keysIn(index: string): Promise<readonly string[]> {
    return [...(this.#indexes.get(index) ?? [])].filter((key) => this.#find(key) !== undefined)
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#now() < entry.ends) return entry
    this.#drop(key)
    return undefined
  }

  #recordOf({ text, ends }: Entry): StoredRecord {
    return { text, lifetime: ends - this.#now() }
  }

  #write(key: string, { text, lifetime }: StoredRecord, indexes: readonly string[]): void {
    const characters = [key, text, ...indexes.flatMap((index) => [index, key])].reduce(
      (sum, { length }) => sum + length,
      0,
    )
    const bytes = ENTRY * (1 + indexes.length) + CHARACTER * characters
    if (bytes > this.#limits.bytes) {
      throw new CountersignError('overloaded', 'a record is larger than the memory for all of them')
    }
    this.#drop(key)
    this.#entries.set(key, { text, ends: this.#now() + lifetime, indexes, bytes })
    this.#bytes += bytes
    for (const index of indexes) {
      const keys = this.#indexes.get(index)
      if (keys === undefined) this.#indexes.set(index, new Set([key]))
      else keys.add(key)
    }
    for (let count = 0; count < SWEEP; count += 1) this.#sweep()
    while (this.#entries.size > this.#limits.entries || this.#bytes > this.#limits.bytes) {
      this.#makeRoom()
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    for (const index of entry.indexes) {
      const keys = this.#indexes.get(index)
      keys?.delete(key)
      if (keys?.size === 0) this.#indexes.delete(index)
    }
  }

  /** The one that was not used for longest goes, where its time is over. */
  #sweep(): void {
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#find(oldest)
  }

  #makeRoom(): void {
    const [oldest] = this.#entries.keys()
    if (oldest === undefined || this.#find(oldest) === undefined) return
    this.#dropped += 1
    this.#drop(oldest)
  }

  // Whole milliseconds, so that what is left is too.
  #now(): number {
    return Math.floor(this.#clock.monotonic())
  }
}
