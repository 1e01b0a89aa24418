// One header line as received. Its value stays in the message that it came in until it is read: a view of
// each of some twenty values would cost more than reading the message.

import type { ByteSearch } from './byte-search.ts'
import { headerName, type HeaderName } from './header-name.ts'

/**
 * A header line. It keeps the whole message that it came in, the client's credential included, so nothing may keep it
 * longer than the check takes.
 */
export class HeaderLine {
  /** The name, and what follows from it. */
  readonly about: HeaderName
  readonly #message: Buffer
  readonly #start: number
  readonly #end: number

  /** @param message with the value from `start` to `end` */
  constructor(about: HeaderName, message: Buffer, start: number, end: number) {
    this.about = about
    this.#message = message
    this.#start = start
    this.#end = end
  }

  /** A line that came in no message. */
  static of(name: string, value: Buffer): HeaderLine {
    return new HeaderLine(headerName(name), value, 0, value.length)
  }

  /** As received. */
  get name(): string {
    return this.about.name
  }

  /** The bytes of the value. A view into the message, not a copy. */
  get value(): Buffer {
    return this.#message.subarray(this.#start, this.#end)
  }

  /** The number of bytes of the value. */
  get length(): number {
    return this.#end - this.#start
  }

  /** Whether the value begins with these bytes. */
  startsWith(bytes: Uint8Array): boolean {
    const message = this.#message
    const start = this.#start
    if (bytes.length > this.length) return false
    for (let at = 0; at < bytes.length; at++) if (message[start + at] !== bytes[at]) return false
    return true
  }

  /** Whether a text is in the value. */
  has(text: ByteSearch): boolean {
    return text.isIn(this.#message, this.#start, this.#end)
  }

  /** Copies the value from its byte `from` on, whole or as much as there is room for; gives how many bytes those are. */
  copyTo(target: Uint8Array, at: number, from: number): number {
    return this.#message.copy(target, at, this.#start + from, this.#end)
  }

  /** The value with a character for each byte, the first 256 of Unicode (`latin1`). */
  get text(): string {
    return this.#message.toString('latin1', this.#start, this.#end)
  }
}
