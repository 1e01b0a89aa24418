// Keys of stores: keyed hashes, since a store (its file, its backup, its monitor) has other readers, who must not
// learn user names or guess passwords.

import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

/** Makes keys. Processes that share a store share the secret. */
export class DerivedKeys {
  // A KeyObject, since Node would make one of the bytes for every HMAC, at five times the cost.
  #secret: KeyObject

  /** @param secret default: a random one of this process */
  constructor(secret: Uint8Array = randomBytes(32)) {
    this.#secret = createSecretKey(secret)
  }

  /** Makes the keys of another secret from now on: that of a store which was unavailable before. */
  adopt(secret: Uint8Array): void {
    this.#secret = createSecretKey(secret)
  }

  /** The key of these parts, in this order; other parts have another key. */
  of(...parts: readonly string[]): string {
    return createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest('base64url')
  }
}
