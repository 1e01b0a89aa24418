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
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(length, 0, bytes.length)
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  return Buffer.from([tag, 0x80 | significant.length, ...significant])
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
const timeText = (seconds: number): string => {
  const iso = new Date(seconds * 1_000).toISOString() // YYYY-MM-DDThh:mm:ss.sssZ
  const date = iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 10)
  return `${date}${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
}

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
 * Goes over elements by their positions, without a view of each: a list may have a million.
 *
 * It throws CountersignError `malformed-certificate` for what is not DER: indefinite or needlessly
 * long lengths, tags of more than one byte (no certificate has one), content cut short.
 */
export class DerCursor {
  readonly bytes: Buffer
  /** Where the next element begins. */
  at = 0
  /** The tag of the element that was entered last. */
  tag = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** Goes to the content of the next element, which ends at `limit` at the latest; gives its end. */
  enter(limit: number): number {
    this.tag = this.#byte(limit)
    if ((this.tag & 0x1f) === 0x1f) throw malformed('a tag of more than one byte')
    const end = this.#length(limit) + this.at
    if (end > limit) throw malformed('an element is cut short')
    return end
  }

  /** {@link enter} for an element that must have the tag. */
  expect(tag: number, limit: number): number {
    const end = this.enter(limit)
    if (this.tag !== tag) throw malformed(`tag ${hex(this.tag)} where ${hex(tag)} belongs`)
    return end
  }

  #byte(limit: number): number {
    const byte = this.at < limit ? this.bytes[this.at] : undefined
    if (byte === undefined) throw malformed('an element is cut short')
    this.at += 1
    return byte
  }

  #length(limit: number): number {
    const first = this.#byte(limit)
    if (first < 0x80) return first
    const count = first & 0x7f
    // X.690 §8.1.3.5 (c): all ones are reserved, and §10.1: DER has no indefinite form.
    if (count === 0 || count === 0x7f) throw malformed('a length that DER does not have')
    // Up to 126 bytes, which a number holds, if not exactly: what they count is not there anyway.
    let length = 0
    let isMinimal = true
    for (let index = 0; index < count; index++) {
      const byte = this.#byte(limit)
      if (index === 0 && byte === 0) isMinimal = false
      length = length * 0x100 + byte
    }
    if (length < 0x80 || !isMinimal) throw malformed('a length not minimal')
    return length
  }
}

/**
 * Reads consecutive elements.
 *
 * Every method throws CountersignError `malformed-certificate` for what is not DER, as
 * {@link DerCursor} does.
 */
export class DerReader {
  readonly #cursor: DerCursor

  constructor(bytes: Uint8Array) {
    this.#cursor = new DerCursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }

  /** Whether an element is left. */
  get more(): boolean {
    return this.#cursor.at < this.#cursor.bytes.length
  }

  /** The tag of the next element; `undefined` at the end. */
  get tag(): number | undefined {
    return this.#cursor.bytes[this.#cursor.at]
  }

  /** The next element, whatever it is. */
  next(): Element {
    const cursor = this.#cursor
    const start = cursor.at
    const end = cursor.enter(cursor.bytes.length)
    const content = cursor.bytes.subarray(cursor.at, end)
    cursor.at = end
    return { tag: cursor.tag, content, whole: cursor.bytes.subarray(start, end) }
  }

  /** The content of the next element, which must have the tag. */
  expect(tag: number): Buffer {
    const cursor = this.#cursor
    const end = cursor.expect(tag, cursor.bytes.length)
    const content = cursor.bytes.subarray(cursor.at, end)
    cursor.at = end
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
