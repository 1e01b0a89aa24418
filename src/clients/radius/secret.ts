// The secret that a RADIUS client and its server share: it computes, and is never read or printed.

import { createHmac, hash } from 'node:crypto'
import { Redacted } from '../../runtime/redacted.ts'

/** A shared secret (RFC 2865 §3), in whatever bytes the server has it. */
export class SharedSecret extends Redacted {
  readonly #bytes: Buffer

  /** @throws RangeError for an empty secret, with which any host could forge replies */
  constructor(bytes: Uint8Array | string) {
    super()
    this.#bytes = Buffer.from(bytes)
    if (this.#bytes.length === 0) throw new RangeError('a RADIUS secret is empty')
  }

  /** MD5 over `before`, the secret, and `after`. */
  md5(before: Uint8Array, after: Uint8Array): Buffer {
    return hash('md5', Buffer.concat([before, this.#bytes, after]), 'buffer')
  }

  /** HMAC-MD5 under the secret. */
  hmac(data: Uint8Array): Buffer {
    return createHmac('md5', this.#bytes).update(data).digest()
  }
}
