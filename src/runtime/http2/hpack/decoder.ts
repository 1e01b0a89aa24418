// Decodes the header blocks of one connection (RFC 7541 §6).

import { HeaderField } from '../header-field.ts'
import { DynamicTable } from './dynamic-table.ts'
import { HpackError } from './error.ts'
import { decodeHuffman } from './huffman.ts'
import { STATIC_TABLE } from './static-table.ts'

/** Bounds of an {@link HpackDecoder}. */
export interface HpackLimits {
  /** The size of the dynamic table, in octets: SETTINGS_HEADER_TABLE_SIZE. */
  readonly tableSize: number
  /** The size of a header list, in octets of RFC 9113 §6.5.2: SETTINGS_MAX_HEADER_LIST_SIZE. */
  readonly listSize: number
}

/** The fields of a block; undefined when the list is larger than its bound. */
export type HeaderList = readonly HeaderField[] | undefined

// RFC 7541 §5.1: an implementation sets a limit. No index, length or size comes near.
const MAX_INTEGER_SHIFT = 21

/**
 * Decodes blocks in the order in which they were received. After an error the state is undefined:
 * the connection ends (RFC 9113 §4.3).
 */
export class HpackDecoder {
  readonly #table: DynamicTable
  readonly #limits: HpackLimits
  #block: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  constructor(limits: HpackLimits) {
    this.#limits = limits
    this.#table = new DynamicTable(limits.tableSize)
  }

  /** How often the dynamic table has changed: in between, equal blocks are equal lists. */
  get changes(): number {
    return this.#table.changes
  }

  /**
   * Decodes the block from `start` to `end`. A list that is too large is decoded to its end all the
   * same, since later blocks build on the table, but not kept.
   *
   * @throws HpackError
   */
  decode(block: Buffer, start: number, end: number): HeaderList {
    this.#block = block
    this.#at = start
    this.#end = end
    const fields: HeaderField[] = []
    let size = 0
    this.#sizeUpdates()
    while (this.#at < end) {
      const field = this.#field()
      size += field.size
      if (size <= this.#limits.listSize) fields.push(field)
    }
    return size <= this.#limits.listSize ? fields : undefined
  }

  /** §4.2, §6.3: changes of the table's size are at the beginning of a block. */
  #sizeUpdates(): void {
    while (this.#at < this.#end && (this.#peek() & 0xe0) === 0x20) {
      const size = this.#integer(5)
      if (size > this.#limits.tableSize) throw new HpackError('the table size exceeds the setting')
      this.#table.resize(size)
    }
  }

  #field(): HeaderField {
    const first = this.#peek()
    if ((first & 0x80) !== 0) return this.#indexed(this.#integer(7)) // §6.1
    if ((first & 0xc0) === 0x40) {
      const field = this.#literal(6) // §6.2.1: with incremental indexing
      this.#table.add(field)
      return field
    }
    if ((first & 0xe0) === 0x20) throw new HpackError('a table size update after a field')
    return this.#literal(4) // §6.2.2, §6.2.3: without indexing, never indexed
  }

  #indexed(index: number): HeaderField {
    const field =
      index <= STATIC_TABLE.length
        ? STATIC_TABLE[index - 1]
        : this.#table.get(index - STATIC_TABLE.length - 1)
    if (field === undefined) throw new HpackError('an index without an entry') // §2.3.3
    return field
  }

  #literal(prefix: number): HeaderField {
    const index = this.#integer(prefix)
    const name = index === 0 ? this.#string() : this.#indexed(index).name
    return new HeaderField(name, this.#string())
  }

  /** §5.2. */
  #string(): string {
    const isHuffman = (this.#peek() & 0x80) !== 0
    const length = this.#integer(7)
    const start = this.#at
    const end = start + length
    if (end > this.#end) throw new HpackError('a string that exceeds the block')
    this.#at = end
    return isHuffman
      ? decodeHuffman(this.#block, start, end)
      : this.#block.toString('latin1', start, end)
  }

  /** §5.1: an integer whose first bits are the low ones of the next octet. */
  #integer(prefix: number): number {
    const most = (1 << prefix) - 1
    let value = this.#peek() & most
    this.#at += 1
    if (value < most) return value
    for (let shift = 0; shift <= MAX_INTEGER_SHIFT; shift += 7) {
      const octet = this.#peek()
      this.#at += 1
      value += (octet & 0x7f) << shift
      if ((octet & 0x80) === 0) return value
    }
    throw new HpackError('an integer that is too large')
  }

  #peek(): number {
    if (this.#at >= this.#end) throw new HpackError('a block that is cut short')
    return this.#block[this.#at] ?? 0
  }
}
