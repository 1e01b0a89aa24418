// Writes protobuf back to front: the length of a nested message is then known when its prefix is
// due, with no second pass and no list of operations. protobufjs' Writer takes more than twice as
// long.

const INITIAL_BYTES = 16_384

// Below this a loop beats the two calls into native code that any other string needs.
const SHORT = 64

/**
 * A writer of one message after another. What comes last in the message is written first: the last
 * field before the first, the last entry of a list before the rest.
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  #start = INITIAL_BYTES

  /** Starts a message and forgets what a failure may have left half written. */
  begin(): void {
    this.#start = this.#buffer.length
  }

  /** Ends the message; gives a copy of it that is the caller's own. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#start))
  }

  /** How much has been written; taken before the content of a nested message, for `close`. */
  get written(): number {
    return this.#buffer.length - this.#start
  }

  /**
   * What has been written since `written` was `since`, to be kept: a character for each byte. A small Buffer would retain
   * the 64 KB that Node cuts it from, most of which nothing uses any more.
   */
  copy(since: number): string {
    return this.#buffer.toString('latin1', this.#start, this.#buffer.length - since)
  }

  /** Bytes that {@link copy} gave. */
  bytes(written: string): void {
    this.#reserve(written.length)
    this.#start -= written.length
    this.#buffer.write(written, this.#start, 'latin1')
  }

  /** Puts the prefix before a nested message, which began when `written` was `since`. */
  close(tag: number, since: number): void {
    this.varint(tag, this.written - since)
  }

  /** A field that is a varint, or the tag and length of one that is not. */
  varint(tag: number, value: number): void {
    this.#varint(value)
    this.#varint(tag)
  }

  /** A `string` field, written even when empty: entries of a list and of a oneof need that. */
  text(tag: number, value: string): void {
    const since = this.written
    if (value.length > SHORT || !this.#ascii(value)) {
      const length = Buffer.byteLength(value)
      this.#reserve(length)
      this.#start -= length
      this.#buffer.write(value, this.#start, length)
    }
    this.close(tag, since)
  }

  /** Writes a short string if it is ASCII, else writes nothing. */
  #ascii(value: string): boolean {
    this.#reserve(value.length)
    let at = this.#start
    for (let index = value.length - 1; index >= 0; index--) {
      const unit = value.charCodeAt(index)
      if (unit > 0x7f) return false
      this.#buffer[--at] = unit
    }
    this.#start = at
    return true
  }

  #varint(value: number): void {
    this.#reserve(5)
    let rest = value >>> 0
    const length =
      rest < 0x80 ? 1 : rest < 0x4000 ? 2 : rest < 0x20_0000 ? 3 : rest < 0x1000_0000 ? 4 : 5
    this.#start -= length
    let at = this.#start
    for (; rest > 0x7f; rest >>>= 7) this.#buffer[at++] = (rest & 0x7f) | 0x80
    this.#buffer[at] = rest
  }

  #reserve(bytes: number): void {
    if (this.#start >= bytes) return
    const { written } = this
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, written + bytes))
    this.#start = larger.length - written
    this.#buffer.copy(larger, this.#start, this.#buffer.length - written)
    this.#buffer = larger
  }
}
