// The entries of a CRL (RFC 5280 §5.1.2.6), of which there may be a million: read in slices, and
// without an object for each, which would fill the heap and block the event loop for its collection.

import { Slices } from '../../runtime/slices.ts'
import { DerCursor, malformed, readInteger, readOnly, TAG } from '../../x509/der.ts'
import { decodeExtensions, type Extension } from '../../x509/extensions.ts'
import { valueOf } from '../issued.ts'
import { SerialIndex } from './serial-index.ts'

/** The certificates that a CRL lists. */
export interface CrlEntries {
  readonly revoked: SerialIndex
  /** In a delta: no longer on hold, or expired (RFC 5280 §5.3.1, removeFromCRL). */
  readonly removed: SerialIndex
}

// An INTEGER of one byte and a UTCTime in a SEQUENCE.
const SHORTEST_ENTRY = 20
// Some 20 µs of them, between two looks at the clock.
const BATCH = 100
const SLICE_MS = 1

/**
 * Reads the entries of a CRL in slices.
 *
 * @param list the content of revokedCertificates, which the result refers to
 * @returns rejects with CountersignError `malformed-certificate`
 */
export const readEntries = async (list: Buffer, isDelta: boolean): Promise<CrlEntries> => {
  const most = Math.ceil(list.length / SHORTEST_ENTRY)
  const revoked = new Uint32Array(most)
  const removed = new Uint32Array(isDelta ? most : 0)
  let revokedCount = 0
  let removedCount = 0
  const reader = new EntryReader(list)
  const slices = new Slices(SLICE_MS)
  for (let count = 1; reader.more; count++) {
    const at = reader.next()
    if (!reader.isRemoval) revoked[revokedCount++] = at
    else if (isDelta) removed[removedCount++] = at
    else throw malformed('removeFromCRL in a complete CRL') // RFC 5280 §5.3.1: only in deltas
    if (count % BATCH === 0) await slices.pause()
  }
  return {
    revoked: await SerialIndex.of(list, revoked.subarray(0, revokedCount)),
    removed: await SerialIndex.of(list, removed.subarray(0, removedCount)),
  }
}

/** Goes over the entries. */
class EntryReader {
  readonly #list: Buffer
  readonly #cursor: DerCursor
  readonly #removals: RemovalReader
  /** Whether the last entry says removeFromCRL. */
  isRemoval = false

  constructor(list: Buffer) {
    this.#list = list
    this.#cursor = new DerCursor(list)
    this.#removals = new RemovalReader(list)
  }

  /** Whether an entry is left. */
  get more(): boolean {
    return this.#cursor.at < this.#list.length
  }

  /** Reads the next entry; gives where its serial number's INTEGER begins. */
  next(): number {
    const cursor = this.#cursor
    const end = cursor.expect(TAG.sequence, this.#list.length)
    const serial = cursor.at
    const serialEnd = cursor.expect(TAG.integer, end)
    checkInteger(this.#list, cursor.at, serialEnd)
    cursor.at = serialEnd
    cursor.at = cursor.enter(end) // since when does not matter: it is revoked now
    if (cursor.tag !== TAG.utcTime && cursor.tag !== TAG.generalizedTime) {
      throw malformed('no revocation date')
    }
    this.isRemoval = cursor.at < end && this.#readRemoval(end)
    if (cursor.at !== end) throw malformed('something follows the last element')
    return serial
  }

  #readRemoval(end: number): boolean {
    const start = this.#cursor.at
    this.#cursor.at = this.#cursor.enter(end)
    return this.#removals.read(start, this.#cursor.at)
  }
}

/** As {@link readInteger}, which makes a view of each only where something is wrong. */
const checkInteger = (bytes: Buffer, start: number, end: number): void => {
  const first = bytes[start] ?? 0
  if (end === start || (end - start > 1 && (first === 0x00 || first === 0xff))) {
    readInteger(bytes.subarray(start, end))
  }
}

const REASON_CODE = '2.5.29.21'
const ENUMERATED = 0x0a
const REMOVE_FROM_CRL = 8

// The ten reasons, and some. Entries with an invalidityDate are all different.
const MAX_KNOWN = 16

/**
 * Reads whether the extensions of an entry say removeFromCRL. Nearly all entries of a list have one
 * of a handful of reasons, and reading them is most of the work: equal ones are read once.
 */
class RemovalReader {
  readonly #list: Buffer
  readonly #known: { readonly at: number; readonly length: number; readonly isRemoval: boolean }[] =
    []

  constructor(list: Buffer) {
    this.#list = list
  }

  /** @param start where the SEQUENCE of extensions begins */
  read(start: number, end: number): boolean {
    for (const { at, length, isRemoval } of this.#known) {
      if (length === end - start && this.#areEqual(at, start, length)) return isRemoval
    }
    const isRemoval = readIsRemoval(decodeExtensions(this.#list.subarray(start, end)))
    if (this.#known.length < MAX_KNOWN) {
      this.#known.push({ at: start, length: end - start, isRemoval })
    }
    return isRemoval
  }

  /** From the end, where reasons differ. */
  #areEqual(one: number, other: number, length: number): boolean {
    for (let index = length - 1; index >= 0; index--) {
      if (this.#list[one + index] !== this.#list[other + index]) return false
    }
    return true
  }
}

const readIsRemoval = (extensions: readonly Extension[]): boolean => {
  // Among them certificateIssuer, which only indirect CRLs have. RFC 5280 §5.3: the whole CRL must
  // not be used then.
  if (extensions.some(({ oid, critical }) => critical && oid !== REASON_CODE)) {
    throw malformed('a CRL entry with a critical extension that is not understood')
  }
  const value = valueOf(extensions, REASON_CODE)
  if (value === undefined) return false
  const reason = readOnly(value, ENUMERATED)
  return reason.length === 1 && reason[0] === REMOVE_FROM_CRL
}
