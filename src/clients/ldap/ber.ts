// BER as LDAP restricts it (RFC 4511 §5.1): definite lengths, in any number of bytes, since Active
// Directory always takes five. Reads strictly: what does not fit is an error and not a default.

/** An element: its tag, and its content as a view. */
export interface BerElement {
  readonly tag: number
  readonly content: Buffer
}

/** Counts the elements of one message, and ends the reading where there are too many. */
export class ElementCount {
  readonly #most: number
  #read = 0

  constructor(most: number) {
    this.#most = most
  }

  /** How many there were. */
  get read(): number {
    return this.#read
  }

  /** @throws BerError when there have been too many */
  add(): void {
    this.#read += 1
    if (this.#read > this.#most) throw new BerError(`more than ${this.#most} elements`)
  }
}

/** Not BER, or not what it should be. */
export class BerError extends Error {
  override readonly name = 'BerError'
}

const LONG_FORM = 0x80
const MOST_LENGTH_BYTES = 4

/** Where an element ends and its content begins; `undefined` while too little of it is there. */
export const measure = (
  bytes: Buffer,
  start: number,
): { readonly content: number; readonly end: number } | undefined => {
  const first = bytes[start + 1]
  if (first === undefined) return undefined
  if (first < LONG_FORM) return { content: start + 2, end: start + 2 + first }
  const count = first - LONG_FORM
  if (count === 0 || count > MOST_LENGTH_BYTES) throw new BerError('a length of an unusual form')
  const content = start + 2 + count
  if (bytes.length < content) return undefined
  return { content, end: content + bytes.readUIntBE(start + 2, count) }
}

/**
 * The elements that fill the bytes, one after another.
 *
 * @throws BerError when they do not fill them, or `count` has enough
 */
export const elementsOf = (bytes: Buffer, count?: ElementCount): readonly BerElement[] => {
  const elements: BerElement[] = []
  let start = 0
  while (start < bytes.length) {
    const place = measure(bytes, start)
    if (place === undefined || place.end > bytes.length) throw new BerError('cut short')
    count?.add()
    elements.push({
      tag: bytes.readUInt8(start),
      content: bytes.subarray(place.content, place.end),
    })
    start = place.end
  }
  return elements
}

/** The content of an element that must be there, with this tag. */
export const contentOf = (element: BerElement | undefined, tag: number): Buffer => {
  if (element?.tag !== tag) throw new BerError(`no element of type ${tag} where one must be`)
  return element.content
}

/** A non-negative INTEGER or ENUMERATED of at most four bytes. */
export const numberOf = (element: BerElement | undefined, tag: number): number => {
  const content = contentOf(element, tag)
  if (content.length === 0 || content.length > 4) throw new BerError('a number of unusual length')
  return content.readUIntBE(0, content.length)
}
