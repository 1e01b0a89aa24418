// Seals texts for a store that has other readers. A sealed text opens only in the place that it was sealed for; one
// that does not open is treated as absent, whatever the reason.

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { deriveKey, type StateKey, type StateSecret } from './state-secret.ts'

// A sealed text is the base64url of: this byte, the key's id, the nonce, the ciphertext, the tag.
const FORMAT = 1
const ID_AT = 1
const NONCE_AT = 5
const SEALED_AT = 17
const TAG_BYTES = 16
const ALGORITHM = 'aes-256-gcm'

/**
 * Seals and opens with a keyring: AES-256-GCM with random nonces (NIST SP 800-38D), under a separate key for every
 * place, so that no key seals so many texts that nonces could repeat (§8.3).
 */
export class RecordSeal {
  readonly #sealing: StateKey
  /** By the id of each key, the key from which the keys of places are derived. */
  readonly #byId: ReadonlyMap<string, KeyObject>

  /** @param secret the first key seals, all open */
  constructor(secret: StateSecret) {
    this.#sealing = secret[0]
    this.#byId = new Map(secret.map((key) => [key.id, deriveKey(key.secret, 'values')]))
  }

  /** The ids of its keys. */
  get ids(): readonly string[] {
    return [...this.#byId.keys()]
  }

  /**
   * Seals a text of well-formed Unicode.
   *
   * @param place where it will be stored
   * @param id of the sealing key; default: the first
   */
  seal(place: string, text: string, id = this.#sealing.id): string {
    const header = Buffer.concat([Buffer.of(FORMAT), Buffer.from(id, 'hex'), randomBytes(12)])
    const cipher = createCipheriv(ALGORITHM, this.#keyOf(place, id), header.subarray(NONCE_AT))
    cipher.setAAD(associated(header, place))
    const sealed = [header, cipher.update(text, 'utf8'), cipher.final()]
    return Buffer.concat([...sealed, cipher.getAuthTag()]).toString('base64url')
  }

  /** The text that was sealed for this place by a key of the ring; `undefined` for anything else. */
  open(place: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url')
    const id = idIn(bytes)
    if (id === undefined || !this.#byId.has(id)) return undefined
    const header = bytes.subarray(0, SEALED_AT)
    const end = bytes.length - TAG_BYTES
    const decipher = createDecipheriv(
      ALGORITHM,
      this.#keyOf(place, id),
      header.subarray(NONCE_AT),
      { authTagLength: TAG_BYTES },
    ).setAAD(associated(header, place))
    decipher.setAuthTag(bytes.subarray(end))
    try {
      const opened = [decipher.update(bytes.subarray(SEALED_AT, end)), decipher.final()]
      return Buffer.concat(opened).toString('utf8')
    } catch {
      return undefined
    }
  }

  /** RFC 5869 §2.3: the first block of the expansion with the place as info. */
  #keyOf(place: string, id: string): Buffer {
    const secret = this.#byId.get(id)
    if (secret === undefined) throw new TypeError('no such key in the ring')
    return createHmac('sha256', secret).update(`${place}\u0001`).digest()
  }
}

/** The id of the sealing key, if the bytes have the form of a sealed text. */
const idIn = (bytes: Buffer): string | undefined =>
  bytes[0] === FORMAT && bytes.length >= SEALED_AT + TAG_BYTES
    ? bytes.toString('hex', ID_AT, NONCE_AT)
    : undefined

const associated = (header: Buffer, place: string): Buffer =>
  Buffer.concat([header.subarray(0, NONCE_AT), Buffer.from(place)])
