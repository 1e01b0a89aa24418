// Reads the records of an audit log after a position, over rotation and compression, and waits at the end for more. It notices
// where the log does not continue at the position.

import { open, stat, type FileHandle } from 'node:fs/promises'
import { NO_HASH, readChainFields, type ChainFields } from '../chain.ts'
import { logChunks } from '../log-chunks.ts'
import type { Position } from './position.ts'
import { LineSplitter } from './line-splitter.ts'
import { fileId, isGone, Segments, type Segment } from './segments.ts'

/** A record of the log. */
export interface LogRecord extends Position {
  /** The line, without its line feed. */
  readonly line: Buffer
}

/** What the log does not have any more. */
export interface Missing {
  readonly chain: string
  /** The numbers of the first and the last record. */
  readonly first: number
  readonly last: number
}

/** What a reader reports. It must not throw. */
export interface ReaderObserver {
  /** Records after the position were deleted before they were read. */
  missing(missing: Missing): void
  /** The record of the position is not in the log, or has another hash. Records from this one on are read again. */
  mismatch(position: Position, from: ChainFields): void
}

/** How much is read at once. */
export interface ReadLimits {
  readonly records: number
  readonly bytes: number
}

const READ_BYTES = 262_144

interface OpenSegment {
  readonly segment: Segment
  readonly lines: LineSplitter
  /** The next bytes; `undefined` at the end, for now. */
  read(): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

/** Reads one log from one position on. */
export class LogReader implements AsyncDisposable {
  readonly #path: string
  readonly #segments: Segments
  readonly #observer: ReaderObserver
  #position: Position | undefined
  #open: OpenSegment | undefined
  /** The hash of the record of the position is still to be compared. */
  #isUnproven: boolean
  /** The record of the position, as it is in the log. */
  #last: LogRecord | undefined
  #ready: LogRecord[] = []

  /**
   * @param path of the file that is written to
   * @param position the last record that is not wanted; without it, the log is read from its beginning
   */
  constructor(path: string, position: Position | undefined, observer: ReaderObserver) {
    this.#path = path
    this.#segments = new Segments(path)
    this.#position = position
    this.#observer = observer
    this.#isUnproven = position !== undefined && position.hash !== NO_HASH
  }

  /** The record of the position that it began with, once it was found. */
  get foundPosition(): LogRecord | undefined {
    return this.#last
  }

  /** Whether records were read that no batch had room for. */
  get hasMore(): boolean {
    return this.#ready.length > 0
  }

  /** The next records; none where there is nothing new. The bound on bytes does not hold for one record alone. */
  async next({ records, bytes }: ReadLimits): Promise<readonly LogRecord[]> {
    while (this.#ready.length < records && sizeOf(this.#ready) < bytes) {
      if (!(await this.#advance())) break
    }
    let size = 0
    const end = this.#ready.findIndex(
      ({ line }, index) => index >= records || ((size += line.length) > bytes && index > 0),
    )
    return this.#ready.splice(0, end === -1 ? this.#ready.length : end)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.close()
    this.#open = undefined
  }

  /** Reads a chunk, or goes to the next file. False where there is nothing new. */
  async #advance(): Promise<boolean> {
    const current = this.#open
    if (current === undefined) return await this.#openNext()
    const chunk = await current.read()
    if (chunk !== undefined) {
      for (const { bytes, end } of current.lines.split(chunk)) this.#take(current, bytes, end)
      return true
    }
    const isEnded = current.segment.isPacked || (await this.#isRotated(current.segment))
    if (!isEnded) return this.#isUnproven ? await this.#restart(current) : false
    // What was written between the last read and the renaming.
    const rest = current.segment.isPacked ? undefined : await current.read()
    if (rest !== undefined) {
      for (const { bytes, end } of current.lines.split(rest)) this.#take(current, bytes, end)
      return true
    }
    if (this.#isUnproven) return await this.#restart(current)
    return await this.#openNext(current)
  }

  async #isRotated({ id }: Segment): Promise<boolean> {
    try {
      return fileId(await stat(this.#path)) !== id
    } catch (cause) {
      if (isGone(cause)) return false // between renaming and opening
      throw cause
    }
  }

  #take({ segment }: OpenSegment, line: Buffer, end: number): void {
    const fields = readChainFields(line)?.fields
    if (fields === undefined) return // cut short, or of an older release
    const record = { ...fields, line, offset: end }
    const position = this.#position
    if (position?.chain === fields.chain) {
      if (fields.sequence < position.sequence) return
      if (fields.sequence === position.sequence) {
        if (!this.#isUnproven) return
        this.#isUnproven = false
        if (fields.hash === position.hash) this.#last = record
        else this.#mismatch(position, segment)
        return
      }
      if (this.#isUnproven) {
        this.#isUnproven = false
        if (segment.first.sequence <= position.sequence) this.#mismatch(position, segment)
      }
      if (this.#open === undefined) return // restarted
      const missing = fields.sequence - position.sequence - 1
      if (missing > 0) {
        const { chain, sequence } = position
        this.#observer.missing({ chain, first: sequence + 1, last: fields.sequence - 1 })
      }
    }
    // Another chain: the one of the position was removed.
    if (this.#isUnproven && position !== undefined) {
      this.#observer.mismatch(position, segment.first)
    }
    this.#isUnproven = false
    this.#position = record
    this.#ready.push(record)
  }

  /** The file with the position does not have its record: the file is read from its beginning. */
  #mismatch(position: Position, { first }: Segment): void {
    this.#observer.mismatch(position, first)
    const before = { chain: first.chain, sequence: first.sequence - 1, hash: '', offset: 0 }
    this.#position = before
    const current = this.#open
    this.#open = undefined
    void current?.close()
  }

  async #restart(current: OpenSegment): Promise<boolean> {
    const position = this.#position
    this.#isUnproven = false
    if (position === undefined) return false
    const { chain, sequence } = current.segment.first
    // The first record of the log, which comes after the position.
    if (chain === position.chain && sequence > position.sequence) return false
    this.#mismatch(position, current.segment)
    return true
  }

  async #openNext(current?: OpenSegment): Promise<boolean> {
    const next = this.#choose(await this.#segments.list(), current?.segment)
    if (next === undefined) return false
    try {
      const opened = next.isPacked ? openPacked(next) : await openPlain(next)
      if (opened === undefined) return true // it has another name by now
      await current?.close()
      this.#open = opened
    } catch (cause) {
      if (!isGone(cause)) throw cause
    }
    return true
  }

  #choose(segments: readonly Segment[], current: Segment | undefined): Segment | undefined {
    const others = segments.filter(({ first }) => first.hash !== current?.first.hash)
    const position = this.#position
    if (position === undefined) {
      return others.toSorted((one, other) => one.modified - other.modified)[0]
    }
    const ofChain = others.filter(({ first }) => first.chain === position.chain)
    const following = ofChain.filter(({ first }) => first.sequence > position.sequence)
    if (current === undefined) {
      const has = ofChain.findLast(({ first }) => first.sequence <= position.sequence + 1)
      if (has !== undefined) return has
    }
    if (following.length > 0) return following[0]
    // Another chain: the log was begun anew. Its files are newer than what was read.
    const newer = others.filter(
      ({ first, modified }) =>
        first.chain !== position.chain && modified >= (current?.modified ?? 0),
    )
    return newer.toSorted((one, other) => one.modified - other.modified)[0]
  }
}

const sizeOf = (records: readonly LogRecord[]): number =>
  records.reduce((sum, { line }) => sum + line.length, 0)

const openPlain = async (segment: Segment): Promise<OpenSegment | undefined> => {
  const handle: FileHandle = await open(segment.path)
  if (fileId(await handle.stat()) !== segment.id) {
    await handle.close()
    return undefined
  }
  let at = 0
  return {
    segment,
    lines: new LineSplitter(),
    async read() {
      const bytes = Buffer.allocUnsafe(READ_BYTES)
      const { bytesRead } = await handle.read(bytes, 0, READ_BYTES, at)
      at += bytesRead
      return bytesRead === 0 ? undefined : bytes.subarray(0, bytesRead)
    },
    close: async () => await handle.close(),
  }
}

const openPacked = (segment: Segment): OpenSegment => {
  const chunks = logChunks(segment.path)
  return {
    segment,
    lines: new LineSplitter(),
    async read() {
      const chunk = await chunks.next()
      return chunk.done === true ? undefined : chunk.value
    },
    async close() {
      await chunks.return()
    },
  }
}
