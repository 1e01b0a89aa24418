// Puts header blocks together (RFC 9113 §4.3, §6.10) and reads them.

import { ConnectionError, ERROR } from './frames.ts'
import { HpackDecoder, type HeaderList } from './hpack/decoder.ts'
import { HpackError } from './hpack/error.ts'
import type { Http2Limits } from './limits.ts'
import { requestHead, type RequestHead } from './request-head.ts'

/** A head with what the application made of it. */
interface PreparedHead<Prepared> {
  readonly head: RequestHead
  readonly prepared: Prepared
}

/** What a block is; undefined for the list that is too large. */
export type BlockReading<Prepared> = PreparedHead<Prepared> | 'malformed' | 'too-large'

interface Remembered<Prepared> extends PreparedHead<Prepared> {
  readonly block: Buffer
  /** The state of the dynamic table in which the block has this meaning. */
  readonly changes: number
}

// An Envoy's calls of one method are one block, as soon as its fields are in the dynamic table.
const REMEMBERED_BLOCKS = 4
const LONGEST_REMEMBERED = 512

/** Decodes the blocks of one connection; equal ones of a client that repeats itself are decoded once. */
export class HeaderBlocks<Prepared> {
  readonly #decoder: HpackDecoder
  readonly #limits: Http2Limits
  readonly #prepare: (head: RequestHead) => Prepared
  readonly #remembered: Remembered<Prepared>[] = []
  #next = 0
  #parts: Buffer[] = []
  #bytes = 0

  /** @param prepare what the application prepares for a head, for all requests that have it */
  constructor(limits: Http2Limits, prepare: (head: RequestHead) => Prepared) {
    this.#limits = limits
    this.#prepare = prepare
    this.#decoder = new HpackDecoder({
      tableSize: limits.headerTableSize,
      listSize: limits.maxHeaderListSize,
    })
  }

  /**
   * Keeps a part of a block that is not complete.
   *
   * @throws ConnectionError when the block is too long: without decoding it, the connection's state of
   *   compression is lost (RFC 9113 §10.5.1)
   */
  keep(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start
    if (
      this.#bytes > this.#limits.maxHeaderBlockBytes ||
      this.#parts.length > this.#limits.maxContinuations
    ) {
      throw new ConnectionError(ERROR.enhanceYourCalm, 'a header block is too long')
    }
    this.#parts.push(Buffer.copyBytesFrom(bytes, start, end - start))
  }

  /** The whole block, of which {@link keep} had all parts; the next one begins. */
  takeKept(): Buffer {
    const block = Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    return block
  }

  /**
   * Reads the block of a request from `start` to `end`.
   *
   * @throws ConnectionError
   */
  request(bytes: Buffer, start: number, end: number): BlockReading<Prepared> {
    for (const entry of this.#remembered) {
      if (entry.changes === this.#decoder.changes && isEqual(entry.block, bytes, start, end)) {
        return entry
      }
    }
    const { changes } = this.#decoder
    const fields = this.fields(bytes, start, end)
    if (fields === undefined) return 'too-large'
    const head = requestHead(fields)
    if (head === undefined) return 'malformed'
    const prepared = this.#prepare(head)
    const isRepeatable = changes === this.#decoder.changes && end - start <= LONGEST_REMEMBERED
    if (isRepeatable) {
      const block = Buffer.from(bytes.subarray(start, end))
      this.#remembered[this.#next] = { block, changes, head, prepared }
      this.#next = (this.#next + 1) % REMEMBERED_BLOCKS
    }
    return { head, prepared }
  }

  /**
   * Decodes any block.
   *
   * @throws ConnectionError
   */
  fields(bytes: Buffer, start: number, end: number): HeaderList {
    try {
      return this.#decoder.decode(bytes, start, end)
    } catch (cause) {
      if (!(cause instanceof HpackError)) throw cause
      throw new ConnectionError(ERROR.compression, cause.message) // §4.3
    }
  }
}

const isEqual = (block: Buffer, bytes: Buffer, start: number, end: number): boolean => {
  if (block.length !== end - start) return false
  for (let at = 0; at < block.length; at++) if (block[at] !== bytes[start + at]) return false
  return true
}
