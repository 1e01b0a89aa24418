// Records in the memory of one process. Each kind has a quota of its own: see `RecordStore`.

import type { Clock } from '../runtime/clock.ts'
import { Slices } from '../runtime/slices.ts'
import { fullOf, MEMORY_QUOTAS, type KindUsage, type Quotas } from './quotas.ts'
import { RecordRoom } from './record-room.ts'
import {
  RECORD_KINDS,
  yields,
  type NewRecord,
  type RecordKind,
  type RevocableRecords,
  type StoredRecord,
} from './record-store.ts'

// At most two bytes a character (V8), and the overhead of a Map and an object (measured).
const CHARACTER = 2
const ENTRY = 200

// Some ten microseconds.
const COUNTED_AT_ONCE = 100

interface Entry {
  readonly text: string
  readonly kind: RecordKind
  /** When the record ends, by the monotonic clock. */
  readonly ends: number
  readonly indexes: readonly string[]
  readonly bytes: number
}

/** The options of {@link MemoryRecords}; the default is that of authz. */
export interface MemoryRecordsOptions {
  readonly quotas?: Quotas
  /** Called with each write that is refused because the quota is used up. */
  readonly onRefused?: (cause: unknown) => void
}

/**
 * {@link RevocableRecords} that end with the process. Earlier sign-outs are unknown, so everything from before its
 * start counts as revoked.
 */
export class MemoryRecords implements RevocableRecords {
  #floor: number
  readonly #clock: Clock
  readonly #onRefused: (cause: unknown) => void
  readonly #rooms: Readonly<Record<RecordKind, RecordRoom<Entry>>>
  readonly #indexes = new Map<string, Set<string>>()
  #dropped = 0

  constructor(clock: Clock, { quotas = MEMORY_QUOTAS, onRefused }: MemoryRecordsOptions = {}) {
    // Whole seconds, as in tokens (RFC 7519 §4.1.6): the first token that is issued is not revoked.
    this.#floor = Math.floor(clock.now() / 1_000) * 1_000 - 1
    this.#clock = clock
    this.#onRefused = onRefused ?? (() => undefined)
    this.#rooms = {
      anonymous: new RecordRoom(quotas.anonymous),
      login: new RecordRoom(quotas.login),
      decisive: new RecordRoom(quotas.decisive),
      used: new RecordRoom(quotas.used),
      public: new RecordRoom(quotas.public),
    }
  }

  get floor(): number {
    return this.#floor
  }

  /** How many records there are, including those that have ended. */
  get size(): number {
    return this.#all().reduce((sum, { size }) => sum + size, 0)
  }

  /** How much of its room each kind takes, with records that have ended. */
  get usage(): readonly KindUsage[] {
    return RECORD_KINDS.map((kind) => ({ kind, ...this.#rooms[kind].usage }))
  }

  /** How many records of clients without a login were evicted before their end. */
  get dropped(): number {
    return this.#dropped
  }

  async put(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<void> {
    this.#write(key, record, indexes)
  }

  async add(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<boolean> {
    if (this.#find(key) !== undefined) return false
    this.#write(key, record, indexes)
    return true
  }

  async replace(key: string, before: string, record: StoredRecord): Promise<boolean> {
    const entry = this.#find(key)
    if (entry?.text !== before) return false
    this.#write(key, { ...record, kind: entry.kind }, entry.indexes)
    return true
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const entry = this.#find(key)
    return entry && this.#recordOf(entry)
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

  async countIn(index: string): Promise<number> {
    return await new Slices().run(this.#counting(index))
  }

  /** A Map and a Set may change while they are iterated: the count is of one moment between. */
  *#counting(index: string): Generator<void, number> {
    let count = 0
    let examined = 0
    for (const key of this.#indexes.get(index) ?? []) {
      const entry = this.#stored(key)
      if (entry !== undefined && this.#now() < entry.ends) count += 1
      examined += 1
      if (examined % COUNTED_AT_ONCE === 0) yield
    }
    return count
  }

  async revoke(names: readonly string[]): Promise<void> {
    await this.remove(names)
  }

  async revokeAll(): Promise<void> {
    this.#floor = this.#clock.now()
    const { login, anonymous, public: open } = this.#rooms
    for (const key of [login, anonymous, open].flatMap((room) => room.keys())) this.#drop(key)
  }

  revokedAt(_name: string): number | undefined {
    return undefined
  }

  #all(): readonly RecordRoom<Entry>[] {
    return Object.values(this.#rooms)
  }

  #stored(key: string): Entry | undefined {
    const { login, anonymous, public: open, decisive, used } = this.#rooms
    const kept = login.get(key) ?? decisive.get(key) ?? used.get(key)
    return kept ?? anonymous.get(key) ?? open.get(key)
  }

  #find(key: string): Entry | undefined {
    const entry = this.#stored(key)
    if (entry === undefined || this.#now() < entry.ends) return entry
    this.#drop(key)
    return undefined
  }

  #recordOf({ text, ends }: Entry): StoredRecord {
    return { text, lifetime: ends - this.#now() }
  }

  #write(key: string, { text, kind, lifetime }: NewRecord, indexes: readonly string[]): void {
    const characters = [key, text, ...indexes.flatMap((index) => [index, key])].reduce(
      (sum, { length }) => sum + length,
      0,
    )
    const bytes = ENTRY * (1 + indexes.length) + CHARACTER * characters
    const entry: Entry = { text, kind, ends: this.#now() + lifetime, indexes, bytes }
    this.#makeRoom(key, entry)
    this.#drop(key)
    this.#rooms[kind].set(key, entry)
    for (const index of indexes) {
      const keys = this.#indexes.get(index)
      if (keys === undefined) this.#indexes.set(index, new Set([key]))
      else keys.add(key)
    }
  }

  /** @throws CountersignError `overloaded`, before any record that has not ended is changed */
  #makeRoom(key: string, entry: Entry): void {
    const now = this.#now()
    const room = this.#rooms[entry.kind]
    for (const ended of room.sweep(now)) this.#drop(ended)
    if (room.fits(key, entry)) return
    for (const ended of room.sweepAll(now)) this.#drop(ended)
    if (yields(entry.kind) && room.couldFit(entry)) {
      while (!room.fits(key, entry)) this.#dropOldest(room)
    }
    if (room.fits(key, entry)) return
    const refusal = fullOf(entry.kind)
    this.#onRefused(refusal)
    throw refusal
  }

  #dropOldest(room: RecordRoom<Entry>): void {
    const { oldest } = room
    if (oldest === undefined) return
    this.#dropped += 1
    this.#drop(oldest)
  }

  #drop(key: string): void {
    const entry = this.#stored(key)
    if (entry === undefined) return
    this.#rooms[entry.kind].delete(key)
    for (const index of entry.indexes) {
      const keys = this.#indexes.get(index)
      keys?.delete(key)
      if (keys?.size === 0) this.#indexes.delete(index)
    }
  }

  // Whole milliseconds, so that lifetimes are whole, too.
  #now(): number {
    return Math.floor(this.#clock.monotonic())
  }
}
