// Records of one chain that follow each other in one file.

import { createHash, hash, type Hash } from 'node:crypto'
import { NO_HASH, type ChainFields, type ChainHead } from '../../audit/chain.ts'
import type { LogPlace } from './finding.ts'
import type { Opening } from './opening.ts'

/** A record as it is read. */
export interface ChainedRecord extends LogPlace {
  readonly fields: ChainFields
  /** The bytes that its hash is about. */
  readonly body: Buffer
  /** Where it is the first of a file, or after a failure. */
  readonly opening: Opening | undefined
}

/** A record whose hash may be continued. */
interface RunEnd extends LogPlace {
  readonly sequence: number
  /** The hash that the line has. */
  readonly claimed: string
  /** The hash that it should have; as `claimed` where that is unknown. */
  readonly computed: string
  /** RFC 3339. */
  readonly time: string
}

/** Records without a gap. */
export class Run {
  readonly chain: string
  readonly first: LogPlace & { readonly sequence: number; readonly time: string }
  /** Of the first record, where it opens a file. */
  readonly opening: Opening | undefined
  /** Of the first record, where the record before has to be known for its hash. */
  readonly #unchecked: { readonly digest: Hash; readonly claimed: string } | undefined
  /** Whether the first record has its hash, by what it says itself about the record before. */
  readonly isFirstRight: boolean
  #last: RunEnd
  #beforeLast: RunEnd | undefined

  constructor(record: ChainedRecord) {
    const { fields, body, file, line, opening } = record
    this.chain = fields.chain
    this.opening = opening
    this.first = { file, line, sequence: fields.sequence, time: timeOf(body) }
    const before = fields.sequence === 1 ? NO_HASH : opening?.previous?.hash
    if (before === undefined) {
      this.#unchecked = { digest: createHash('sha256').update(body), claimed: fields.hash }
      this.isFirstRight = true
      this.#last = endOf(record, fields.hash)
    } else {
      const computed = recordHash(body, before)
      this.isFirstRight = computed === fields.hash
      this.#last = endOf(record, computed)
    }
  }

  /** The last record. */
  get last(): RunEnd {
    return this.#last
  }

  /** How many records. */
  get length(): number {
    return this.#last.sequence - this.first.sequence + 1
  }

  /** Adds the record that follows; returns whether its hash is right. */
  add(record: ChainedRecord): boolean {
    const { fields, body } = record
    const { claimed, computed } = this.#last
    this.#beforeLast = this.#last
    const own = recordHash(body, claimed)
    if (own === fields.hash || claimed === computed) {
      this.#last = endOf(record, own)
      return own === fields.hash
    }
    // The hash of the record before was changed, which was found there.
    const other = recordHash(body, computed)
    this.#last = endOf(record, other)
    return other === fields.hash
  }

  /** Forgets the last record; `false` where it is the only one. */
  removeLast(): boolean {
    if (this.#beforeLast === undefined) return false
    this.#last = this.#beforeLast
    this.#beforeLast = undefined
    return true
  }

  /** Whether the first record continues the last one of another run. */
  follows({ last }: Run): boolean {
    const hashes = [last.claimed, last.computed]
    if (this.#unchecked !== undefined) {
      const { digest, claimed } = this.#unchecked
      return hashes.some((before) => digest.copy().update(before).digest('base64url') === claimed)
    }
    return hashes.includes(this.opening?.previous?.hash ?? NO_HASH)
  }

  /** Whether both are the same records. */
  equals({ first, last }: Run): boolean {
    return (
      first.sequence === this.first.sequence &&
      last.sequence === this.#last.sequence &&
      last.claimed === this.#last.claimed
    )
  }
}

/** The hash of a record. */
const recordHash = (body: Buffer, before: ChainHead['hash']): string =>
  hash('sha256', Buffer.concat([body, Buffer.from(before, 'latin1')]), 'base64url')

const endOf = ({ fields, file, line, body }: ChainedRecord, computed: string): RunEnd => ({
  file,
  line,
  sequence: fields.sequence,
  claimed: fields.hash,
  computed,
  time: timeOf(body),
})

const TIME = /^\{"log":"audit","time":"([\d:.TZ-]+)"/

const timeOf = (body: Buffer): string => TIME.exec(body.toString('latin1', 0, 64))?.[1] ?? ''
