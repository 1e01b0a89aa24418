// The revocations in a store that has other writers: numbered entries, and the head, which names the latest. They are
// sealed; an entry that does not open is treated as absent.

import type { DerivedKeys } from './derived-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { RecordStore } from './record-store.ts'

/** The head. */
export interface Head {
  readonly sequence: number
  /** Everything that was written until then is revoked; milliseconds since the epoch. */
  readonly floor: number
}

/** Names that were revoked together. */
export interface Entry {
  readonly sequence: number
  /** Names as numbers (`markOf`). */
  readonly names: readonly number[]
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The store, and how its content is hidden. */
export interface RevocationEntriesOptions {
  readonly records: RecordStore
  readonly seal: RecordSeal
  readonly keys: DerivedKeys
}

// Every process reads many times as often (`following`). One that was stopped for longer misses an entry.
const ENTRY_MS = 600_000
const A_CENTURY = 100 * 365 * 86_400_000

const AT_ONCE = 100

/** The head and the entries of a store, as seen by one process. */
export class RevocationEntries {
  readonly #options: RevocationEntriesOptions
  /** The head as last read or written here. */
  #text: string | undefined
  #latest = 0

  constructor(options: RevocationEntriesOptions) {
    this.#options = options
  }

  /** Whether there was a head at the last read, even one that does not open. */
  get hasHead(): boolean {
    return this.#text !== undefined
  }

  /** The number in the head at the last read; 0 for none. */
  get latest(): number {
    return this.#latest
  }

  async readHead(): Promise<Head | undefined> {
    const { records, seal } = this.#options
    const record = await records.get(this.#place)
    this.#text = record?.text
    this.#latest = 0
    const opened = record && seal.open(this.#place, record.text)
    if (opened === undefined) return undefined
    const head: Head = JSON.parse(opened) // written by `writeHead`
    this.#latest = head.sequence
    return head
  }

  /** Writes the head, unless it has changed since it was read; returns whether it did. */
  async writeHead(head: Head): Promise<boolean> {
    const { records, seal } = this.#options
    const text = seal.seal(this.#place, JSON.stringify(head))
    const record = { text, kind: 'decisive', lifetime: A_CENTURY } as const
    const done = await (this.#text === undefined
      ? records.add(this.#place, record)
      : records.replace(this.#place, this.#text, record))
    if (!done) return false
    this.#text = text
    this.#latest = head.sequence
    return true
  }

  /** The entries of these numbers; `undefined` for an absent one. */
  async read(sequences: readonly number[]): Promise<readonly (Entry | undefined)[]> {
    const entries: (Entry | undefined)[] = []
    for (let first = 0; first < sequences.length; first += AT_ONCE) {
      const some = sequences.slice(first, first + AT_ONCE)
      entries.push(...(await Promise.all(some.map(async (sequence) => await this.#read(sequence)))))
    }
    return entries
  }

  async #read(sequence: number): Promise<Entry | undefined> {
    const { records, seal } = this.#options
    const place = this.#placeOf(sequence)
    const record = await records.get(place)
    const opened = record && seal.open(place, record.text)
    if (opened === undefined) return undefined
    const [at = 0, ...names]: readonly number[] = JSON.parse(opened) // written by `add`
    return { sequence, names, at }
  }

  /** Adds an entry if its number is free; returns whether it did. */
  async add({ sequence, names, at }: Entry): Promise<boolean> {
    const { records, seal } = this.#options
    const place = this.#placeOf(sequence)
    const text = seal.seal(place, JSON.stringify([at, ...names]))
    return await records.add(place, { text, kind: 'decisive', lifetime: ENTRY_MS })
  }

  get #place(): string {
    return this.#options.keys.of('revocations')
  }

  #placeOf(sequence: number): string {
    return this.#options.keys.of('revocations', String(sequence))
  }
}
