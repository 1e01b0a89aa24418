// How an audit log ends that is to be continued: its last record, and an incomplete line that a crash left.

import { createHash } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  type Stats,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readChainFields, type ChainFields } from './chain.ts'
import type { CutLine } from './events/log-schema.ts'

/** The end of a file. */
export interface LogEnd {
  /** The last record that has a place in a chain. */
  readonly last: ChainFields | undefined
  /** The incomplete line at the end. */
  readonly cut: CutLine | undefined
}

const LINE_FEED = 0x0a
const CHUNK_BYTES = 65_536
// Some lines of the longest kind. A record further from the end is not found.
const TAIL_BYTES = 2_097_152

/** Reads the end of an open file. A pipe or a device has none. */
export const readLogEnd = (descriptor: number): LogEnd => {
  const status = fstatSync(descriptor)
  if (!status.isFile() || status.size === 0) return { last: undefined, cut: undefined }
  const whole = endOfLastLine(descriptor, status.size)
  const tail = readAt(descriptor, Math.max(0, whole - TAIL_BYTES), whole)
  return { last: lastRecord(tail), cut: cutBetween(descriptor, whole, status.size) }
}

/** The incomplete line at the end of an open file, without its last record: checks wait meanwhile. */
export const readCut = (descriptor: number): CutLine | undefined => {
  const status = fstatSync(descriptor)
  if (!status.isFile()) return undefined
  return cutBetween(descriptor, endOfLastLine(descriptor, status.size), status.size)
}

const cutBetween = (descriptor: number, whole: number, size: number): CutLine | undefined =>
  whole === size ? undefined : { bytes: size - whole, hash: hashOf(descriptor, whole, size) }

/**
 * The last record of the newest file that was rotated away from this path: `audit.jsonl.1`, `audit.jsonl-20261128`. Packed files are
 * left out.
 */
export const lastRecordBefore = (path: string): ChainFields | undefined => {
  const name = basename(path)
  const rotated = readdirSync(dirname(path))
    .filter((other) => other.startsWith(name) && ROTATED.test(other.slice(name.length)))
    .map((other) => ({ file: join(dirname(path), other), status: statusOf(dirname(path), other) }))
    .filter(({ status }) => status?.isFile() === true && status.size > 0)
    .toSorted((one, other) => (other.status?.mtimeMs ?? 0) - (one.status?.mtimeMs ?? 0))
  const [newest] = rotated
  return newest && lastRecordOf(newest.file)
}

const ROTATED = /^[.-]\d[\dTZ.-]*$/

const statusOf = (folder: string, name: string): Stats | undefined =>
  statSync(join(folder, name), { throwIfNoEntry: false })

const lastRecordOf = (file: string): ChainFields | undefined => {
  const descriptor = openSync(file, 'r')
  try {
    return readLogEnd(descriptor).last
  } finally {
    closeSync(descriptor)
  }
}

const TIME = /^\{"log":"audit","time":"([^"]{1,40})"/
const BEGINNING = 80

/** The time of the first record of an open file, in milliseconds since the epoch; `undefined` where it has none. */
export const firstTime = (descriptor: number): number | undefined => {
  const status = fstatSync(descriptor)
  if (!status.isFile()) return undefined
  const beginning = readAt(descriptor, 0, Math.min(status.size, BEGINNING)).toString('latin1')
  const time = Date.parse(TIME.exec(beginning)?.[1] ?? '')
  return Number.isNaN(time) ? undefined : time
}

/** Where the last line that has its line feed ends. */
const endOfLastLine = (descriptor: number, size: number): number => {
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const start = Math.max(0, end - CHUNK_BYTES)
    const at = readAt(descriptor, start, end).lastIndexOf(LINE_FEED)
    if (at !== -1) return start + at + 1
  }
  return 0
}

const lastRecord = (tail: Buffer): ChainFields | undefined => {
  for (let end = tail.length - 1; end > 0;) {
    const start = tail.lastIndexOf(LINE_FEED, end - 1) + 1
    const read = readChainFields(tail.subarray(start, end))
    if (read !== undefined) return read.fields
    end = start - 1
  }
  return undefined
}

const hashOf = (descriptor: number, start: number, end: number): string => {
  const digest = createHash('sha256')
  for (let at = start; at < end; at += CHUNK_BYTES) {
    digest.update(readAt(descriptor, at, Math.min(end, at + CHUNK_BYTES)))
  }
  return digest.digest('base64url')
}

const readAt = (descriptor: number, start: number, end: number): Buffer => {
  const bytes = Buffer.allocUnsafe(end - start)
  let read = 0
  while (read < bytes.length) {
    const more = readSync(descriptor, bytes, read, bytes.length - read, start + read)
    if (more === 0) break // it was truncated meanwhile
    read += more
  }
  return bytes.subarray(0, read)
}

/** How many lines got out whole, and where the last of them ends. */
export const wholeLines = (
  bytes: Buffer,
  start: number,
  written: number,
): { readonly lines: number; readonly end: number } => {
  let lines = 0
  let end = Math.min(start, written)
  for (;;) {
    const next = bytes.indexOf(LINE_FEED, end) + 1
    if (next === 0 || next > written) return { lines, end }
    lines += 1
    end = next
  }
}
