// The names under which data is stored: made with a key that the store itself has, sealed, so that all processes that
// share it have the same key, whatever the order of their keyrings. A process that cannot open it has another secret,
// and is refused before any other operation.

import { CountersignError } from '../runtime/errors.ts'
import { DerivedKeys } from './derived-keys.ts'
import type { RecordSeal } from './record-seal.ts'
import type { RecordStore } from './record-store.ts'
import { deriveKey, type StateSecret } from './state-secret.ts'

/** The one record with a name in clear. */
const PLACE = 'countersign'

// It is written again whenever it is absent; stores have no unlimited lifetime.
const A_CENTURY = 100 * 365 * 86_400_000

// Of earlier keyrings; more than one rotation leaves behind.
const MOST_COPIES = 16

const OTHER_SECRET =
  'what is stored was sealed with another secret: put that one into the keyring behind the first, or begin with an empty store'

/** The key of names in a store. */
export class StoreNames {
  /** Makes names. Before the agreement with the store, by the key that an empty one would receive. */
  readonly keys: DerivedKeys
  readonly #seal: RecordSeal
  #secret: Buffer

  constructor(seal: RecordSeal, secret: StateSecret) {
    this.#seal = seal
    // Derived, not random: processes that begin at the same time with an empty store agree on it.
    this.#secret = deriveKey(secret[0].secret, 'names').export()
    this.keys = new DerivedKeys(this.#secret)
  }

  /**
   * Takes the key of the store, or stores the derived one, sealed with every key of the ring.
   *
   * @throws CountersignError `configuration-invalid` when the present one does not open; the rejection of the store
   */
  async agree(records: RecordStore): Promise<void> {
    for (;;) {
      if (await this.#tryToAgree(records)) return
    }
  }

  /** Whether no other process wrote in between. */
  async #tryToAgree(records: RecordStore): Promise<boolean> {
    const found = await records.get(PLACE)
    if (found === undefined) {
      const record = { text: this.#sealed([]), kind: 'decisive', lifetime: A_CENTURY } as const
      return await records.add(PLACE, record)
    }
    const copies = found.text.split(' ')
    const opened = copies.flatMap((copy) => this.#seal.open(PLACE, copy) ?? [])
    const [secret] = opened
    if (secret === undefined) throw new CountersignError('configuration-invalid', OTHER_SECRET)
    if (secret !== this.#text) {
      this.#secret = Buffer.from(secret, 'base64url')
      this.keys.adopt(this.#secret)
    }
    if (opened.length >= this.#seal.ids.length) return true
    const others = copies.filter((copy) => this.#seal.open(PLACE, copy) === undefined)
    const text = this.#sealed(others)
    return await records.replace(PLACE, found.text, { text, lifetime: A_CENTURY })
  }

  /** A copy for each key of the ring, followed by those of other rings, which may still be needed. */
  #sealed(others: readonly string[]): string {
    const ours = this.#seal.ids.map((id) => this.#seal.seal(PLACE, this.#text, id))
    return [...ours, ...others].slice(0, Math.max(MOST_COPIES, ours.length)).join(' ')
  }

  get #text(): string {
    return this.#secret.toString('base64url')
  }
}
