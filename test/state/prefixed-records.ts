// Records as the tests write and read them.

import assert from 'node:assert/strict'
import type { RecordKind, RecordStore, StoredRecord } from '../../src/state/record-store.ts'

/** Milliseconds that no test waits for. */
export const LONG = 60_000
/** Long enough for one more call on a busy machine, where time passes. */
export const MEDIUM = 3_000
/** Waited for. Nothing is asserted within it, since a busy machine takes longer. */
export const SHORT = 300

/** A store with keys of its own, so that tests can share the backend. */
export class Prefixed {
  readonly #store: RecordStore
  readonly #prefix: string

  constructor(store: RecordStore, prefix: string) {
    this.#store = store
    this.#prefix = prefix
  }

  async put(
    key: string,
    text: string,
    lifetime = LONG,
    indexes?: readonly string[],
    kind: RecordKind = 'login',
  ) {
    await this.#store.put(this.#prefix + key, { text, kind, lifetime }, this.#all(indexes))
  }

  async add(
    key: string,
    text: string,
    lifetime = LONG,
    indexes?: readonly string[],
    kind: RecordKind = 'login',
  ) {
    return await this.#store.add(this.#prefix + key, { text, kind, lifetime }, this.#all(indexes))
  }

  async replace(key: string, before: string, text: string, lifetime = LONG): Promise<boolean> {
    return await this.#store.replace(this.#prefix + key, before, { text, lifetime })
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    return await this.#store.get(this.#prefix + key)
  }

  async textOf(key: string): Promise<string | undefined> {
    return (await this.get(key))?.text
  }

  async take(key: string): Promise<string | undefined> {
    return (await this.#store.take(this.#prefix + key))?.text
  }

  async remove(...keys: readonly string[]): Promise<void> {
    await this.#store.remove(keys.map((key) => this.#prefix + key))
  }

  async keysIn(index: string): Promise<readonly string[]> {
    const keys = await this.#store.keysIn(this.#prefix + index)
    assert.ok(keys.every((key) => key.startsWith(this.#prefix)))
    return keys.map((key) => key.slice(this.#prefix.length)).toSorted()
  }

  async countIn(index: string): Promise<number | undefined> {
    return await this.#store.countIn(this.#prefix + index)
  }

  #all(names: readonly string[] | undefined): readonly string[] | undefined {
    return names?.map((name) => this.#prefix + name)
  }
}
