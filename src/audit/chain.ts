// The hash chain of the audit log: each record ends with the id of its chain, its sequence number, and a hash over itself
// and the hash of the record before. A record that is changed, removed, inserted or moved breaks the chain.

import { hash, randomBytes } from 'node:crypto'

/** A record of a chain: its number, counted from 1, and its hash. */
export interface ChainHead {
  readonly sequence: number
  /** SHA-256, base64url. */
  readonly hash: string
}

/** What a record says about its place in a chain. */
export interface ChainFields extends ChainHead {
  /** The id of the chain. */
  readonly chain: string
}

// 72 random bits: two chains never have one id.
const ID_BYTES = 9
const HASH_LENGTH = 43
// `"}` and a line feed, after the hash.
const AFTER_HASH = 3

/** The most bytes that the fields of the chain add to a line. */
export const CHAIN_BYTES = 112

const FIELDS = /,"chain":"([\w-]{12})","seq":([1-9]\d{0,15}),"hash":"([\w-]{43})"\}$/

/**
 * The fields of the chain at the end of a line, and how many of its bytes the hash is about; `undefined` where it has none.
 *
 * @param line without its line feed
 */
export const readChainFields = (
  line: Buffer,
): { readonly fields: ChainFields; readonly hashed: number } | undefined => {
  const end = line.toString('latin1', Math.max(0, line.length - CHAIN_BYTES))
  const [, chain, sequence, text] = FIELDS.exec(end) ?? []
  if (chain === undefined || sequence === undefined || text === undefined) return undefined
  const hashed = line.length - ',"hash":""}'.length - HASH_LENGTH
  return { fields: { chain, sequence: Number(sequence), hash: text }, hashed }
}

/** The hash of what precedes the first record. */
export const NO_HASH = ''

// V8 remembers the text of a number that it has made, where collections of the young generation find it alive: the texts of all
// sequence numbers would get into the old generation, five times of what else gets there from checks.
const THOUSAND = 1_000
const THREE_DIGITS = Array.from({ length: THOUSAND }, (_, rest) => `${rest}`.padStart(3, '0'))

/** The end of a chain, to which records are added. */
export class Chain {
  readonly id: string
  readonly #beforeSequence: string
  /** Of the next record, except the last three digits of its number. */
  #thousands = { number: 0, text: '' }
  #sequence: number
  #hash: string

  /** @param end the last record of the chain to continue. Default: a new chain begins */
  constructor(end?: ChainFields) {
    this.id = end?.chain ?? randomBytes(ID_BYTES).toString('base64url')
    this.#beforeSequence = `,"chain":"${this.id}","seq":`
    this.#sequence = end?.sequence ?? 0
    this.#hash = end?.hash ?? NO_HASH
  }

  /** The last record; `undefined` before the first. */
  get head(): ChainHead | undefined {
    return this.#sequence === 0 ? undefined : { sequence: this.#sequence, hash: this.#hash }
  }

  /**
   * What follows a record where it is hashed: its place, and the hash of the record before. Its end, of {@link add}, takes the place
   * of that hash ({@link hashBytes}).
   */
  get place(): string {
    const next = this.#sequence + 1
    const rest = next % THOUSAND
    const thousands = (next - rest) / THOUSAND
    if (thousands === 0) return this.#beforeSequence + next + this.#hash
    if (this.#thousands.number !== thousands) {
      this.#thousands = { number: thousands, text: this.#beforeSequence + thousands }
    }
    return this.#thousands.text + (THREE_DIGITS[rest] ?? '') + this.#hash
  }

  /** How many bytes at the end of {@link place} are not written. */
  get hashBytes(): number {
    return this.#hash.length
  }

  /**
   * Adds a record.
   *
   * @param hashed the record without its closing brace, and {@link place}
   * @returns the end of its line, which follows the number of the record: its hash, the brace, and a line feed
   */
  add(hashed: Buffer): string {
    this.#sequence += 1
    this.#hash = hash('sha256', hashed, 'base64url')
    return `,"hash":"${this.#hash}"}\n`
  }

  /**
   * Forgets the records that were not written.
   *
   * @param head as {@link Chain.head} was before them
   * @param bytes the lines that were added since
   * @param written where the last of those that were written ends
   * @param count how many were written
   */
  rewind(head: ChainHead | undefined, bytes: Buffer, written: number, count: number): void {
    this.#sequence = (head?.sequence ?? 0) + count
    this.#hash =
      count === 0
        ? (head?.hash ?? NO_HASH)
        : bytes.toString('latin1', written - AFTER_HASH - HASH_LENGTH, written - AFTER_HASH)
  }
}
