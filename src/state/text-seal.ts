// Seals texts that a browser stores, in a cookie or a URL. A sealed text opens only for the place that it was sealed
// for; its expiry has to be part of the text.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { DerivedKeys } from './derived-keys.ts'

const SALT_BYTES = 16
const SALT_LENGTH = 22

const CIPHER = 'aes-256-gcm'
const TAG_BYTES = 16
// Each text has a key of its own, derived from its salt and its place.
const IV = Buffer.alloc(12)

/** Seals and opens texts of one purpose: AES-256-GCM (NIST SP 800-38D). Nothing is stored. */
export class TextSeal {
  readonly #keys: DerivedKeys
  readonly #purpose: string

  /**
   * @param keys of the state, so that replicas and restarts that share it open each other's texts
   * @param purpose a text that is sealed for one purpose does not open for another
   */
  constructor(keys: DerivedKeys, purpose: string) {
    this.#keys = keys
    this.#purpose = purpose
  }

  /**
   * Seals a text of well-formed Unicode.
   *
   * @param place what it belongs to, such as a host or an id
   * @returns base64url: four characters for three bytes, and 44 more
   */
  seal(place: string, text: string): string {
    const salt = randomBytes(SALT_BYTES).toString('base64url')
    const cipher = createCipheriv(CIPHER, this.#keyOf(salt, place), IV)
    const sealed = [cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return salt + Buffer.concat(sealed).toString('base64url')
  }

  /** The text that was sealed for this place; `undefined` for anything else. */
  open(place: string, sealed: string): string | undefined {
    const body = sealed.slice(SALT_LENGTH)
    const bytes = Buffer.from(body, 'base64url')
    // RFC 4648 §3.5: the last character has unused bits, so that several spellings would open.
    if (bytes.length < TAG_BYTES || bytes.toString('base64url') !== body) return undefined
    const decipher = createDecipheriv(CIPHER, this.#keyOf(sealed.slice(0, SALT_LENGTH), place), IV)
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      const text = decipher.update(bytes.subarray(0, -TAG_BYTES))
      return Buffer.concat([text, decipher.final()]).toString('utf8')
    } catch {
      return undefined // its tag differs
    }
  }

  #keyOf(salt: string, place: string): Buffer {
    return Buffer.from(this.#keys.of(this.#purpose, salt, place), 'base64url')
  }
}
