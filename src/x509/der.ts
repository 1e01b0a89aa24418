// DER (X.690), as much of it as certificates need. The reader takes one encoding of a value and no
// other: every reader must read a certificate the same way.

import { CountersignError } from '../runtime/errors.ts'

/** Universal tags (X.680 §8.4), constructed where the type is. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag of a context-specific type, `[number]`. */
export const context = (number: number, form: 'primitive' | 'constructed'): number =>
  (form === 'constructed' ? 0xa0 : 0x80) | number

/** An element: its tag, its length, and the contents one after another. */
export const element = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const length = contents.reduce((sum, { byteLength }) => sum + byteLength, 0)
  return Buffer.concat([header(tag, length), ...contents])
}

const header = (tag: number, length: number): Buffer => {
  if (length < 0x80) return Buffer.from([tag, length])
  if (length < 0x100) return Buffer.from([tag, 0x81, length])
  if (length < 0x1_0000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff])
  return Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff])
}

/** A SEQUENCE of elements. */
export const sequence = (...elements: readonly Uint8Array[]): Buffer =>
  element(TAG.sequence, ...elements)

/** A non-negative INTEGER, from its bytes, most significant first. */
export const unsigned = (bytes: Uint8Array): Buffer => {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const least = bytes.subarray(start)
  const negative = ((least[0] ?? 0) & 0x80) !== 0
  return element(TAG.integer, ...(negative ? [Buffer.of(0)] : []), least)
}

/** A BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Buffer => element(TAG.bitString, Buffer.of(0), bytes)

/**
 * Seconds since the epoch as RFC 5280 §4.1.2.5 has it: UTCTime from 1950 to 2049, and
 * GeneralizedTime for years that its two digits cannot express.
 */
export const time = (seconds: number): Buffer => {
  const text = timeText(seconds)
  const year = Number(text.slice(0, 4))
  return year >= 1_950 && year < 2_050
    ? element(TAG.utcTime, Buffer.from(text.slice(2)))
    : element(TAG.generalizedTime, Buffer.from(text))
}

/** `YYYYMMDDhhmmssZ`. */
const timeText = (seconds: number): string =>
  new Date(seconds * 1_000).toISOString().replaceAll(/[-:T]|\.\d+/g, '')

/** What was read: views, not copies. */
export interface Element {
  readonly tag: number
  readonly content: Buffer
  /** Tag, length and content. */
  readonly whole: Buffer
}

/** The error of everything that reads DER. */
export const malformed = (what: string): CountersignError =>
  new CountersignError('malformed-certificate', `malformed certificate: ${what}`)

/**
 * Reads consecutive elements.
 *
 * Every method throws CountersignError `malformed-certificate` for what is not DER: indefinite or
 * needlessly long lengths, tags of more than one byte (no certificate has one), content cut short.
 */
export class DerReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Whether an element is left. */
  get more(): boolean {
    return this.#at < this.#bytes.length
  }

  /** The tag of the next element; `undefined` at the end. */
  get tag(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** The next element, whatever it is. */
  next(): Element {
    const start = this.#at
    const tag = this.#byte()
    if ((tag & 0x1f) === 0x1f) throw malformed('a tag of more than one byte')
    const length = this.#length()
    const from = this.#at
    const end = from + length
    if (end > this.#bytes.length) throw malformed('an element is cut short')
    this.#at = end
    return {
      tag,
      content: this.#bytes.subarray(from, end),
      whole: this.#bytes.subarray(start, end),
    }
  }

  /** The content of the next element, which must have the tag. */
  expect(tag: number): Buffer {
    const { tag: found, content } = this.next()
    if (found !== tag) throw malformed(`tag ${hex(found)} where ${hex(tag)} belongs`)
    return content
  }

  /** A reader of the next element, which must be constructed and have the tag. */
  enter(tag: number): DerReader {
    return new DerReader(this.expect(tag))
  }

  /** Throws if further bytes follow. */
  end(): void {
    if (this.more) throw malformed('something follows the last element')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw malformed('an element is cut short')
    this.#at += 1
    return byte
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > 3) throw malformed('a length that DER does not have')
    let length = 0
    for (let index = 0; index < count; index++) length = (length << 8) | this.#byte()
    if (length < 0x80 || length >> (8 * (count - 1)) === 0) throw malformed('a length not minimal')
    return length
  }
}

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, '0')}`

/** Reads the one element that `bytes` hold, with the tag. */
export const readOnly = (bytes: Uint8Array, tag: number): Buffer => {
  const reader = new DerReader(bytes)
  const content = reader.expect(tag)
  reader.end()
  return content
}

/** The content of an INTEGER, unchanged: DER contains no superfluous byte. */
export const readInteger = (content: Buffer): Buffer => {
  const [first, second = 0] = content
  const sign = second & 0x80
  const spare = content.length > 1 && (first === 0x00 ? sign === 0 : first === 0xff && sign !== 0)
  if (first === undefined || spare) throw malformed('an INTEGER not minimal')
  return content
}

/** A BOOLEAN's content; DER has `false` never where it is the default, and 0xff for `true`. */
export const readTrue = (content: Buffer): true => {
  if (content.length !== 1 || content[0] !== 0xff) throw malformed('a BOOLEAN that is not TRUE')
  return true
}

/** A time's content → seconds since the epoch (RFC 5280 §4.1.2.5: always in seconds and in Z). */
export const readTime = ({ tag, content }: Element): number => {
  const text = content.toString('latin1')
  const parts = (
    tag === TAG.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text)
  if (parts === null || (tag !== TAG.utcTime && tag !== TAG.generalizedTime)) {
    throw malformed('a time that RFC 5280 does not have')
  }
  const [year = 0, month = 0, day, hour, minute, second] = parts.slice(1).map(Number)
  const century = tag === TAG.utcTime ? (year < 50 ? 2_000 : 1_900) : 0
  const seconds = Date.UTC(century + year, month - 1, day, hour, minute, second) / 1_000
  // Date.UTC would make 2 March of 30 February, and a year of the last century of the year 50.
  if (!timeText(seconds).endsWith(text)) throw malformed('a time that no calendar has')
  return seconds
}
