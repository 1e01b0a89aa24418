// Reads protobuf as strictly as Envoy's own parser where protobufjs is lenient: a message that runs
// past its end, a cut string and text that is not UTF-8 are errors here, never a best effort.

import { isUtf8 } from 'node:buffer'

import protobuf from 'protobufjs/minimal.js'

/** Takes one field of a message: reads its value, or skips it. */
export type FieldReader<T> = (tag: number, reader: WireReader, into: T) => void

/** A reader over one received message. Every method throws on malformed input. */
export class WireReader extends protobuf.Reader {
  /** The message. */
  readonly received: Buffer

  constructor(bytes: Uint8Array) {
    super(bytes)
    this.received = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** A tag, a length or another varint of 32 bits; nearly all take one byte. */
  override uint32(): number {
    const byte = this.received[this.pos] ?? 0x80
    if (byte > 0x7f) return super.uint32()
    this.pos += 1
    return byte
  }

  /** Reads every field of the outermost message. */
  fields<T>(into: T, field: FieldReader<T>): void {
    this.#until(this.len, into, field)
  }

  /** Reads every field of a message that is itself a field. */
  message<T>(into: T, field: FieldReader<T>): void {
    this.#until(this.endOfField(), into, field)
  }

  /** A `string`, which protobuf requires to be UTF-8 (protobuf.dev, "Proto3 scalar types"). */
  text(): string {
    const start = this.start()
    return decodeText(this.received, start, this.pos)
  }

  /** A `string` that likely came before, such as a host: costs a third of `text`. */
  familiarText(): string {
    return this.familiar(TEXTS)
  }

  /** The same, with what follows from it. */
  familiar<T>(table: Familiar<T>): T {
    const start = this.start()
    return table.of(this.received, start, this.pos)
  }

  /** Passes over a `string`, checked to be UTF-8; gives where its bytes start. They end at `pos`. */
  textStart(): number {
    const start = this.start()
    const { received, pos } = this
    const isGood = pos - start <= LONGEST_LOOP && isAscii(received, start, pos)
    if (!isGood && !isUtf8(received.subarray(start, pos))) throw notUtf8()
    return start
  }

  /** Passes over a `bytes` field; gives where its bytes start. They end at `pos`. */
  start(): number {
    const end = this.endOfField()
    const start = this.pos
    this.pos = end
    return start
  }

  /** Skips a field that is not used, or one whose wire type is not the declared one. */
  ignore(tag: number): void {
    if (tag >>> 3 === 0) throw new Error('malformed protobuf: field number 0')
    this.skipType(tag & 7)
  }

  #until<T>(end: number, into: T, field: FieldReader<T>): void {
    while (this.pos < end) field(this.uint32(), this, into)
    this.requireEnd(end)
  }

  /** A field that crosses the end of its message would be read twice, with two meanings. */
  requireEnd(end: number): void {
    if (this.pos !== end) throw new RangeError('malformed protobuf: a field outruns its message')
  }

  /** Reads a length; gives the position where that many bytes end. */
  endOfField(): number {
    const length = this.uint32()
    const end = this.pos + length
    if (end > this.len) throw new RangeError('malformed protobuf: cut short')
    return end
  }
}

const notUtf8 = () => new TypeError('malformed protobuf: a string is not UTF-8')

function decodeText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  // Node puts U+FFFD for what is not UTF-8, so only text that has one needs a second look.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) throw notUtf8()
  return text
}

// A longer text takes less in native code, a call of which costs as much.
const LONGEST_LOOP = 64

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] ?? 0) > 0x7f) return false
  return true
}

// One slot per hash and no chains: hostile texts can only make their own requests slower.
const LONGEST_FAMILIAR = 48
const SLOTS = 1024

interface Known<T> {
  /** Of a text that is UTF-8. */
  readonly bytes: Uint8Array
  readonly described: T
}

/**
 * Texts that repeat, such as header names, with what follows from them: making a string is the most expensive step of
 * decoding.
 */
export class Familiar<T> {
  readonly #describe: (text: string) => T
  readonly #slots: Known<T>[]

  /** @param describe what follows from a text; pure */
  constructor(describe: (text: string) => T) {
    this.#describe = describe
    const empty = { bytes: new Uint8Array(), described: describe('') }
    this.#slots = Array.from({ length: SLOTS }, () => empty)
  }

  /** What follows from the text that the bytes are, which has to be UTF-8. */
  of(bytes: Buffer, start: number, end: number): T {
    const length = end - start
    if (length > LONGEST_FAMILIAR) return this.#describe(decodeText(bytes, start, end))
    const slot = slotOf(bytes, start, length)
    const known = this.#slots[slot]
    if (known !== undefined && isSame(known.bytes, bytes, start, length)) return known.described
    const described = this.#describe(decodeText(bytes, start, end))
    this.#slots[slot] = { bytes: new Uint8Array(bytes.subarray(start, end)), described }
    return described
  }
}

/** By some of the bytes: where two usual texts have one slot, both are decoded each time. */
const slotOf = (bytes: Buffer, start: number, length: number): number => {
  if (length === 0) return 0
  const last = start + length - 1
  let hash = Math.imul(length, 31) + (bytes[start] ?? 0)
  hash = Math.imul(hash, 31) + (bytes[last] ?? 0)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 1)] ?? 0)
  hash = Math.imul(hash, 31) + (bytes[start + ((length * 3) >>> 2)] ?? 0)
  hash = Math.imul(hash, 31) + (bytes[start + (length >>> 2)] ?? 0)
  return (hash ^ (hash >>> 10)) & (SLOTS - 1)
}

const isSame = (known: Uint8Array, bytes: Buffer, start: number, length: number): boolean => {
  if (known.length !== length) return false
  for (let at = 0; at < length; at++) if (known[at] !== bytes[start + at]) return false
  return true
}

const TEXTS = new Familiar((text) => text)
