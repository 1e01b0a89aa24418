// Records that are to be written at once, as bytes, each with its place in the hash chain. A record is encoded when it comes: texts
// that waited for the end of the turn would survive collections of the heap, which cost as much as what survives.

import { CHAIN_BYTES, type Chain, type ChainHead } from './chain.ts'

// Some hundred events.
const USUAL_BYTES = 262_144
// No UTF-16 unit takes more as UTF-8.
const MOST_BYTES_OF_UNIT = 3
// A checkpoint, of some 500 bytes, and a line feed in front.
const RESERVED_BYTES = 2_048

/** The most bytes that a record takes, as `auditLine` gives it, with its place in the chain. */
const mostBytesOf = (record: string): number => record.length * MOST_BYTES_OF_UNIT + CHAIN_BYTES

/** The lines of one write. */
export class Batch {
  readonly #chain: Chain
  /** Used again and again; a batch with a longer record has bytes of its own. */
  #usual: Buffer | undefined
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** The end of the last line, which is written with the next one: one call for both. */
  #ending = ''
  #head: ChainHead | undefined
  #isOpen = false

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** Whether it has begun, and is not taken yet. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The bytes of its lines. */
  get length(): number {
    return this.#isOpen ? this.#end + this.#ending.length : 0
  }

  /** Whether a record surely fits. */
  hasRoomFor(record: string): boolean {
    return this.length + mostBytesOf(record) + RESERVED_BYTES <= this.#bytes.length
  }

  /**
   * Begins one.
   *
   * @param records there is room for these, which are not added yet
   * @param isMidLine whether the file ends in the middle of a line
   */
  begin(records: readonly string[], isMidLine: boolean): void {
    const most = records.reduce((sum, record) => sum + mostBytesOf(record), RESERVED_BYTES)
    this.#bytes =
      most > USUAL_BYTES
        ? Buffer.allocUnsafeSlow(most)
        : (this.#usual ??= Buffer.allocUnsafeSlow(USUAL_BYTES))
    this.#head = this.#chain.head
    this.#start = isMidLine ? this.#bytes.write('\n') : 0
    this.#end = this.#start
    this.#ending = ''
    this.#isOpen = true
  }

  /** Adds a record, for which there has to be room. */
  add(record: string): void {
    const chain = this.#chain
    const bytes = this.#bytes
    const start = this.#end + this.#ending.length
    const hashBytes = chain.hashBytes
    const end = this.#end + bytes.write(this.#ending + record + chain.place, this.#end)
    this.#ending = chain.add(bytes.subarray(start, end))
    this.#end = end - hashBytes
  }

  /** Ends it; its bytes are those of a later one when that begins. */
  take(): TakenBatch {
    this.#isOpen = false
    const bytes = this.#bytes
    const length = this.#end + bytes.write(this.#ending, this.#end, 'latin1')
    return { bytes, start: this.#start, length, head: this.#head }
  }
}

/** What is written. */
export interface TakenBatch {
  readonly bytes: Buffer
  /** Where the first line begins. */
  readonly start: number
  /** Where the last line ends; as `start` where there is none. */
  readonly length: number
  /** The record before the first one. */
  readonly head: ChainHead | undefined
}
