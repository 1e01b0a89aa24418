// What stands between us and a store that others can read: names become keyed hashes, texts are sealed.
// What does not open is as if it were not there: whoever can write it could as well remove it.

import type { OpaqueKeys } from './opaque-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { NewRecord, RecordStore, StoredRecord } from './record-store.ts'

/** What sealing needs. */
export interface SealingOptions {
  readonly seal: RecordSeal
  /** Makes the names of records and sets. */
  readonly keys: OpaqueKeys
  /** Told of each record that does not open. */
  readonly onUnopened: () => void
}

/** A record of ours: under which key, which the store does not know, and what it says. */
type Contents = readonly [key: string, text: string]

/** A {@link RecordStore} that shows the store behind it neither keys nor texts nor names of sets. */
export class SealedRecords implements RecordStore {
  readonly #inner: RecordStore
  readonly #options: SealingOptions

  constructor(inner: RecordStore, options: SealingOptions) {
    this.#inner = inner
    this.#options = options
  }

  async put(key: string, record: NewRecord, indexes?: readonly string[]): Promise<void> {
    const place = this.#placeOf(key)
    const sealed = { ...this.#seal(place, key, record), kind: record.kind }
    await this.#inner.put(place, sealed, this.#setsOf(indexes))
  }

  async add(key: string, record: NewRecord, indexes?: readonly string[]): Promise<boolean> {
    const place = this.#placeOf(key)
    const sealed = { ...this.#seal(place, key, record), kind: record.kind }
    return await this.#inner.add(place, sealed, this.#setsOf(indexes))
  }

  async replace(key: string, before: string, record: StoredRecord): Promise<boolean> {
    const place = this.#placeOf(key)
    // Equal texts are sealed differently, so what is compared in the store is what was read.
    const found = await this.#inner.get(place)
    if (found === undefined || this.#open(place, found.text)?.[1] !== before) return false
    return await this.#inner.replace(place, found.text, this.#seal(place, key, record))
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const place = this.#placeOf(key)
    return this.#recordOf(place, await this.#inner.get(place))
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    const place = this.#placeOf(key)
    return this.#recordOf(place, await this.#inner.take(place))
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#inner.remove(keys.map((key) => this.#placeOf(key)))
  }

  async keysIn(index: string): Promise<readonly string[]> {
    const places = await this.#inner.keysIn(this.#setOf(index))
    const found = await Promise.all(
      places.map(async (place) => {
        const record = await this.#inner.get(place)
        return record && this.#open(place, record.text)
      }),
    )
    return found.flatMap((contents) => (contents === undefined ? [] : [contents[0]]))
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

  #seal(place: string, key: string, { text, lifetime }: StoredRecord): StoredRecord {
    // JSON also because a text of ours may have lone surrogates, which UTF-8 has not.
    const contents: Contents = [key, text]
    return { text: this.#options.seal.seal(place, JSON.stringify(contents)), lifetime }
  }

  #recordOf(place: string, record: StoredRecord | undefined): StoredRecord | undefined {
    const contents = record && this.#open(place, record.text)
    return contents && record && { text: contents[1], lifetime: record.lifetime }
  }

  #open(place: string, sealed: string): Contents | undefined {
    const opened = this.#options.seal.open(place, sealed)
    if (opened === undefined) {
      this.#options.onUnopened()
      return undefined
    }
    // Sealed by us, so it is what we wrote.
    const contents: Contents = JSON.parse(opened)
    return contents
  }
}
