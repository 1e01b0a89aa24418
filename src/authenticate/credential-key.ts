// The keys of cached credentials: keyed hashes, which do not reveal them.

import { hash, randomBytes } from 'node:crypto'
import type { HeaderLine } from '../request/header-line.ts'

/** The key of a credential, which does not reveal it: a character for each byte of a digest. */
export type CredentialKey = string

// Enough of the key to distinguish credentials in an audit log, too little to be the key.
const FINGERPRINT_BYTES = 12

/** The audit log's digest of the credential of a key. */
export const fingerprintOf = (key: CredentialKey): string =>
  Buffer.from(key.slice(0, FINGERPRINT_BYTES), 'latin1').toString('base64url')

// Longer credentials and generations are put together in a buffer of their own.
const SCRATCH_BYTES = 65_536
// No UTF-16 unit takes more as UTF-8.
const MOST_BYTES_OF_UNIT = 3

/** Makes keys. */
export class CredentialKeys {
  // Never leaves the process and ends with it, so that keys in a log cannot be tested against guesses. Hashed before the
  // credential, which is a MAC as long as no whole digest leaves the process (no length extension); an HMAC takes four times
  // as long.
  readonly #secret = randomBytes(32).toString('base64url')
  /** The secret, the last generation, and behind them a credential while it is hashed: a hash of bytes takes half as long. */
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES)
  #generation: string | undefined
  #prefixBytes = 0

  /**
   * The key of a credential.
   *
   * @param generation changes with everything that a verification depends on
   */
  keyOf(generation: string, credential: string): CredentialKey {
    if (this.#generation !== generation) this.#begin(generation)
    const from = this.#prefixBytes
    if (from + credential.length * MOST_BYTES_OF_UNIT > SCRATCH_BYTES) {
      return digest(Buffer.from(`${this.#prefixOf(generation)}${credential}`))
    }
    return this.#keyOfWritten(this.#scratch.write(credential, from))
  }

  /**
   * The same of the credential that is the value of a header line from its byte `start` on, as {@link CredentialKeys.keyOf}
   * gives it for the same bytes; `undefined` where it is too long for this.
   */
  keyOfValue(generation: string, line: HeaderLine, start: number): CredentialKey | undefined {
    if (this.#generation !== generation) this.#begin(generation)
    const from = this.#prefixBytes
    if (from + line.length > SCRATCH_BYTES) return undefined
    return this.#keyOfWritten(line.copyTo(this.#scratch, from, start))
  }

  /** @param length of the credential behind the prefix, which is overwritten afterwards */
  #keyOfWritten(length: number): CredentialKey {
    const from = this.#prefixBytes
    const key = digest(this.#scratch.subarray(0, from + length))
    this.#scratch.fill(0, from, from + length)
    return key
  }

  #begin(generation: string): void {
    const prefix = this.#prefixOf(generation)
    this.#generation = generation
    // One that does not fit leaves no room for a credential.
    const fits = prefix.length * MOST_BYTES_OF_UNIT <= SCRATCH_BYTES
    this.#prefixBytes = fits ? this.#scratch.write(prefix) : Number.POSITIVE_INFINITY
  }

  #prefixOf(generation: string): string {
    return `${this.#secret}${generation}\0`
  }
}

const digest = (bytes: Buffer): CredentialKey => hash('sha256', bytes, 'binary')
