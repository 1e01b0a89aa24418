// Seals records for a store that has other readers: names become keyed hashes, texts are sealed. A record that does
// not open, or was revoked, is treated as absent: a writer could remove it as well.

import type { DerivedKeys } from './derived-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { Clock } from '../runtime/clock.ts'
import type {
  NewRecord,
  RecordKind,
  RecordStore,
  RevocableRecords,
  StoredRecord,
} from './record-store.ts'
import type { RevocationJournal } from './revocation-journal.ts'

/** The options of sealing. */
export interface SealingOptions {
  readonly seal: RecordSeal
  /** Makes the names of records and sets. */
  readonly keys: DerivedKeys
  readonly journal: RevocationJournal
  readonly clock: Clock
  /** Called for each record that does not open. */
  readonly onUnopened: () => void
}

/**
 * A record: its key, which the store does not know, its text, when it was first written, in milliseconds since the
 * epoch, and its kind. Records of versions without revocations lack the last two.
 */
type Contents = readonly [
  key: string,
  text: string,
  written?: number,
  kind?: RecordKind | undefined,
]

/** {@link RevocableRecords} that disclose neither keys nor texts nor names of sets to their backend. */
export class SealedRecords implements RevocableRecords {
  readonly #inner: RecordStore
  readonly #options: SealingOptions

  constructor(inner: RecordStore, options: SealingOptions) {
    this.#inner = inner
    this.#options = options
  }

  async put(key: string, record: NewRecord, indexes?: readonly string[]): Promise<void> {
    const place = this.#placeOf(key)
    await this.#options.journal.fresh()
    const sealed = { ...this.#seal(place, key, record), kind: record.kind }
    await this.#inner.put(place, sealed, this.#setsOf(indexes))
  }

  async add(key: string, record: NewRecord, indexes?: readonly string[]): Promise<boolean> {
    const place = this.#placeOf(key)
    await this.#options.journal.fresh()
    const sealed = { ...this.#seal(place, key, record), kind: record.kind }
    return await this.#inner.add(place, sealed, this.#setsOf(indexes))
  }

  async replace(key: string, before: string, record: StoredRecord): Promise<boolean> {
    const place = this.#placeOf(key)
    await this.#options.journal.fresh()
    // Equal texts have different sealed forms, so the sealed form that was read is compared in the store.
    const found = await this.#inner.get(place)
    const contents = found && this.#open(place, found.text)
    if (found === undefined || contents?.[1] !== before) return false
    const [, , written, kind] = contents
    const sealed = this.#seal(place, key, { ...record, ...(kind && { kind }) }, written)
    return await this.#inner.replace(place, found.text, sealed)
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const place = this.#placeOf(key)
    await this.#options.journal.fresh()
    return this.#recordOf(place, await this.#inner.get(place))
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const place = this.#placeOf(key)
    await this.#options.journal.fresh()
    return this.#recordOf(place, await this.#inner.take(place))
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#inner.remove(keys.map((key) => this.#placeOf(key)))
  }

  async keysIn(index: string): Promise<readonly string[]> {
    await this.#options.journal.fresh()
    const places = await this.#inner.keysIn(this.#setOf(index))
    const found = await Promise.all(
      places.map(async (place) => {
        const record = await this.#inner.get(place)
        return record && this.#open(place, record.text)
      }),
    )
    return found.flatMap((contents) => (contents === undefined ? [] : [contents[0]]))
  }

  /** Records that another writer restored, or that a rollback revoked, count until they end: only reading them shows it. */
  async countIn(index: string): Promise<number | undefined> {
    return await this.#inner.countIn(this.#setOf(index))
  }

  async revoke(names: readonly string[]): Promise<void> {
    const places = names.map((name) => this.#placeOf(name))
    await this.#options.journal.revoke(places)
    await this.#inner.remove(places)
  }

  async revokeAll(): Promise<void> {
    await this.#options.journal.revokeAll()
  }

  revokedAt(name: string): number | undefined {
    return this.#options.journal.revokedAt(this.#placeOf(name))
  }

  get floor(): number {
    return this.#options.journal.floor
  }

  #placeOf(key: string): string {
    return this.#options.keys.of('record', key)
  }

  #setOf(index: string): string {
    return this.#options.keys.of('index', index)
  }

  #setsOf(indexes: readonly string[] = []): readonly string[] {
    return indexes.map((index) => this.#setOf(index))
  }

  #seal(
    place: string,
    key: string,
    { text, lifetime, kind }: StoredRecord & Partial<NewRecord>,
    written = this.#options.clock.now(),
  ): StoredRecord {
    // As JSON, also because a text may have lone surrogates, which UTF-8 cannot encode.
    const contents: Contents = [key, text, written, kind]
    return { text: this.#options.seal.seal(place, JSON.stringify(contents)), lifetime }
  }

  #recordOf(place: string, record: StoredRecord | undefined): StoredRecord | undefined {
    const contents = record && this.#open(place, record.text)
    return contents && record && { text: contents[1], lifetime: record.lifetime }
  }

  #isRevoked(place: string, [, , written = 0, kind]: Contents): boolean {
    const { journal } = this.#options
    // Records whose presence refuses a request are not revoked by the floor.
    const holds = kind === 'decisive' || kind === 'used' || written > journal.floor
    return !holds || journal.revokedAt(place) !== undefined
  }

  #open(place: string, sealed: string): Contents | undefined {
    const opened = this.#options.seal.open(place, sealed)
    if (opened === undefined) {
      this.#options.onUnopened()
      return undefined
    }
    // Sealed by this process or a replica, so the form is known.
    const contents: Contents = JSON.parse(opened)
    return this.#isRevoked(place, contents) ? undefined : contents
  }
}
