// Cuts a byte stream into LDAP messages, and bounds how much of it is buffered.

import { BerError, measure } from './ber.ts'

const SEQUENCE = 0x30

/** The messages of one connection. */
export class MessageFramer {
  readonly #most: number
  #chunks: Buffer[] = []
  #held = 0
  #needed = 0

  /** @param most bytes of one message */
  constructor(most: number) {
    this.#most = most
  }

  /** Bytes of a message of which the rest has not come. */
  get held(): number {
    return this.#held
  }

  /**
   * Takes bytes, and gives the messages that they complete.
   *
   * @throws BerError when the stream is not LDAP, or a message is too large
   */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    // Joined only once the message is whole: a large one comes in many chunks.
    if (this.#held < this.#needed) return []
    let rest = Buffer.concat(this.#chunks, this.#held)
    const messages: Buffer[] = []
    let end = this.#endIn(rest)
    while (end !== undefined && end <= rest.length) {
      messages.push(rest.subarray(0, end))
      rest = rest.subarray(end)
      end = this.#endIn(rest)
    }
    this.#chunks = [rest]
    this.#held = rest.length
    this.#needed = end ?? 0
    return messages
  }

  #endIn(bytes: Buffer): number | undefined {
    if (bytes.length === 0) return undefined
    if (bytes[0] !== SEQUENCE) throw new BerError('not an LDAP message')
    const end = measure(bytes, 0)?.end
    if (end !== undefined && end > this.#most) {
      throw new BerError(`a message of ${end} bytes, more than ${this.#most}`)
    }
    return end
  }
}
