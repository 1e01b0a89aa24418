// Records in Redis: a hash for each, with its text and the names of its sets, and a sorted set for each index, with
// the end of each of its keys. The scripts derive the names of sets from records, so all keys must be on one server.

import { fullOf, REDIS_QUOTAS, type Quotas } from '../quotas.ts'
import {
  yields,
  type NewRecord,
  type RecordKind,
  type RecordStore,
  type StoredRecord,
} from '../record-store.ts'
import { CountersignError } from '../../runtime/errors.ts'
import { listOf, LONGEST_TEXT, numberOf, textOf } from './lua.ts'
import { ADD, COUNT, GET, KEYS_IN, PUT, REMOVE, REPLACE, TAKE } from './record-scripts.ts'
import type { Script, Sender } from './sender.ts'

/** A {@link RecordStore} that all processes of one server share. */
export class RedisRecords implements RecordStore {
  readonly #sender: Sender
  readonly #records: string
  readonly #sets: string
  readonly #rooms: string
  #dropped = 0

  /** @param prefix of all keys */
  constructor(sender: Sender, prefix: string, quotas: Quotas = REDIS_QUOTAS) {
    this.#sender = sender
    this.#records = `${prefix}record:`
    this.#sets = `${prefix}set:`
    this.#rooms = JSON.stringify(
      BOUNDED.map((kind) => ({
        kind,
        name: `${prefix}room:${kind}`,
        yields: yields(kind),
        ...quotas[kind],
      })),
    )
  }

  /** How many records of clients without a login this process evicted before their end. */
  get dropped(): number {
    return this.#dropped
  }

  async put(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<void> {
    await this.#write('put', PUT, key, record, { kind: record.kind, indexes })
  }

  async add(key: string, record: NewRecord, indexes: readonly string[] = []): Promise<boolean> {
    return await this.#write('add', ADD, key, record, { kind: record.kind, indexes })
  }

  async replace(key: string, before: string, record: StoredRecord): Promise<boolean> {
    return await this.#write('replace', REPLACE, key, record, { before })
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return recordOf(await this.#sender.run('get', GET, this.#keysOf(key)))
  }

  async take(key: string): Promise<StoredRecord | undefined> {
    return recordOf(await this.#sender.run('take', TAKE, this.#keysOf(key), [key]))
  }

  async remove(keys: readonly string[]): Promise<void> {
    const records = keys.map((key) => `${this.#records}${key}`)
    await this.#sender.run('remove', REMOVE, records, keys)
  }

  async keysIn(index: string): Promise<readonly string[]> {
    const set = `${this.#sets}${index}`
    return listOf(await this.#sender.run('keysIn', KEYS_IN, [set], [this.#records])).map(textOf)
  }

  /** An end in the set is that of its record: no other command is needed to know which have ended. */
  async countIn(index: string): Promise<number | undefined> {
    const reply = await this.#sender.tryToRun(COUNT, [`${this.#sets}${index}`])
    return reply.outcome === 'refused' ? undefined : numberOf(listOf(reply.value)[0])
  }

  /** Whether the record was written. */
  async #write(
    operation: string,
    script: Script,
    key: string,
    { text, lifetime }: StoredRecord,
    { kind, indexes, before = '' }: WriteOptions,
  ): Promise<boolean> {
    if (Buffer.byteLength(text) > LONGEST_TEXT) {
      throw new CountersignError('overloaded', `a record of more than ${LONGEST_TEXT} bytes`)
    }
    const args = [key, text, lifetime, this.#records, this.#rooms, kind ?? '', before]
    const reply = await this.#sender.run(operation, script, this.#keysOf(key, indexes), args)
    const [outcome, dropped] = listOf(reply)
    this.#dropped += numberOf(dropped)
    if (outcome === 'full') throw fullOf(kind ?? 'anonymous')
    return outcome === 'written'
  }

  #keysOf(key: string, indexes: readonly string[] = []): readonly string[] {
    return [`${this.#records}${key}`, ...indexes.map((index) => `${this.#sets}${index}`)]
  }
}

interface WriteOptions {
  /** Absent where the record keeps its kind. */
  readonly kind?: RecordKind
  readonly indexes?: readonly string[]
  readonly before?: string
}

// The kinds that unauthenticated clients cause. The server's own bound applies to the other kinds.
const BOUNDED = ['anonymous', 'public', 'used'] as const

const recordOf = (reply: unknown): StoredRecord | undefined => {
  if (reply === null) return undefined
  const [text, lifetime] = listOf(reply)
  return { text: textOf(text), lifetime: numberOf(lifetime) }
}
