// Keys of stores: keyed hashes, since a store (its file, its backup, its monitor) has other readers than
// us, and neither user names nor guesses at passwords are theirs to read.

import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'

/** Makes keys. Processes that share a store share the secret. */
export class OpaqueKeys {
  // As a KeyObject: from bytes, Node would make one for every HMAC, at five times the cost.
  #secret: KeyObject

  /** @param secret default: one of this process alone */
  constructor(secret: Uint8Array = randomBytes(32)) {
    this.#secret = createSecretKey(secret)
  }

  /** From now on makes the keys of another secret: that of a store which was out of reach before. */
  adopt(secret: Uint8Array): void {
    this.#secret = createSecretKey(secret)
  }

  /** The key of these parts, in this order; other parts have another. */
  of(...parts: readonly string[]): string {
    return createHmac('sha256', this.#secret).update(JSON.stringify(parts)).digest('base64url')
  }
}
