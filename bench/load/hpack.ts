// HPACK (RFC 7541) as far as a client needs it that has set SETTINGS_HEADER_TABLE_SIZE to 0: no dynamic
// table in either direction. Written for the bench alone, so that it does not share an error with the server.

/** A header field of a block, and where its representation is in the block. */
export interface Field {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Encodes fields as literals without indexing and without Huffman coding (§6.2.2). */
export const encodeFields = (fields: readonly (readonly [name: string, value: string])[]): Buffer =>
  Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)] as const),
  )

const literal = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes])
}

/** §5.1, with zeros in front of the prefix. */
const encodeInteger = (value: number, prefix: number): Buffer => {
  const most = 2 ** prefix - 1
  if (value < most) return Buffer.of(value)
  const bytes = [most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.of(...bytes, rest)
}

/** Decodes a block; throws where it is malformed or refers to a dynamic table. */
export const decodeFields = (block: Buffer): readonly Field[] => {
  const reader = new Reader(block)
  const fields: Field[] = []
  while (reader.at < block.length) {
    const start = reader.at
    const first = block[start] ?? 0
    if (first >= 0x80) {
      const [name, value] = staticEntry(reader.integer(7)) // §6.1
      fields.push({ name, value, start, end: reader.at })
    } else if (first >= 0x20 && first < 0x40) {
      reader.integer(5) // §6.3: the size of a table that is empty
    } else {
      // §6.2.1 adds to the dynamic table, which holds nothing; §6.2.2 and §6.2.3 do not.
      const index = reader.integer(first >= 0x40 ? 6 : 4)
      const name = index === 0 ? reader.text() : staticEntry(index)[0]
      fields.push({ name, value: reader.text(), start, end: reader.at })
    }
  }
  return fields
}

class Reader {
  at = 0
  readonly #block: Buffer

  constructor(block: Buffer) {
    this.#block = block
  }

  #byte(): number {
    const byte = this.#block[this.at++]
    if (byte === undefined) throw new Error('HPACK: the block ends within a field')
    return byte
  }

  /** §5.1 */
  integer(prefix: number): number {
    const most = 2 ** prefix - 1
    let value = this.#byte() & most
    if (value < most) return value
    for (let factor = 1; factor <= 2 ** 21; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
    throw new Error('HPACK: an integer that is too large')
  }

  /** §5.2 */
  text(): string {
    const isHuffman = (this.#block[this.at] ?? 0) >= 128
    const length = this.integer(7)
    const bytes = this.#block.subarray(this.at, this.at + length)
    if (bytes.length < length) throw new Error('HPACK: the block ends within a string')
    this.at += length
    return isHuffman ? decodeHuffman(bytes) : bytes.toString('latin1')
  }
}

const staticEntry = (index: number): readonly [name: string, value: string] => {
  const entry = STATIC_TABLE[index - 1]
  if (entry === undefined) throw new Error(`HPACK: no entry ${index} in the static table`)
  const [name = '', value = ''] = entry.split('=')
  return [name, value]
}

// Appendix A.
const STATIC_TABLE = (
  ':authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https ' +
  ':status=200 :status=204 :status=206 :status=304 :status=400 :status=404 :status=500 ' +
  'accept-charset accept-encoding=gzip,_deflate accept-language accept-ranges accept ' +
  'access-control-allow-origin age allow authorization cache-control content-disposition ' +
  'content-encoding content-language content-length content-location content-range content-type ' +
  'cookie date etag expect expires from host if-match if-modified-since if-none-match if-range ' +
  'if-unmodified-since last-modified link location max-forwards proxy-authenticate ' +
  'proxy-authorization range referer refresh retry-after server set-cookie ' +
  'strict-transport-security transfer-encoding user-agent vary via www-authenticate'
)
  .split(' ')
  .map((entry) => entry.replace('_', ' '))

// Appendix B: the length of the code of each octet, in base 36. The code is canonical: those of one length
// follow each other in the order of the octets.
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq'

/** The octet of each code, by `LENGTH:CODE`. */
const makeCodes = (): ReadonlyMap<number, number> => {
  const lengths = CODE_LENGTHS.split('').map((digit, octet) => ({
    octet,
    length: parseInt(digit, 36),
  }))
  const codes = new Map<number, number>()
  let code = 0
  let previous = 0
  for (const { octet, length } of lengths.toSorted((a, b) => a.length - b.length)) {
    code *= 2 ** (length - previous)
    previous = length
    codes.set(codeKey(length, code), octet)
    code += 1
  }
  return codes
}

const LONGEST_CODE = 30

/** Lengths differ in the high digits, so that no two codes have one key. */
const codeKey = (length: number, code: number): number => length * 2 ** LONGEST_CODE + code

const CODES = makeCodes()

const decodeHuffman = (bytes: Buffer): string => {
  let text = ''
  let code = 0
  let length = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      length += 1
      const octet = CODES.get(codeKey(length, code))
      if (octet !== undefined) {
        text += String.fromCharCode(octet)
        code = 0
        length = 0
      } else if (length > LONGEST_CODE) {
        throw new Error('HPACK: a Huffman code that does not exist')
      }
    }
  }
  // §5.2: padding is shorter than an octet, and made of the first bits of EOS, which are 1.
  if (length > 7 || code !== 2 ** length - 1) throw new Error('HPACK: wrong padding')
  return text
}
