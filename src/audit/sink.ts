// Where audit events go: JSON lines, handed to the kernel before the request is answered. A failed
// write rejects for its caller; nothing is queued and forgotten.

import { hash } from 'node:crypto'
import { hostname } from 'node:os'
import type { CountersignError } from '../runtime/errors.ts'
import { Chain, CHAIN_BYTES } from './chain.ts'
import type { AuditEvent } from './event.ts'
import type { CutLine, LogOpenedEvent } from './events/log-schema.ts'
import { auditLine } from './line.ts'
import { LogFile } from './log-file.ts'

/** Takes audit events. */
export interface AuditSink {
  /**
   * Writes one event; resolves when the kernel has it, or when it is counted in a summary that is to be written.
   *
   * Rejects with CountersignError `audit-unwritable` when the event did not get out whole.
   */
  write(event: AuditEvent): Promise<void>
}

/** Takes audit events of the request path, without a promise for each. */
export interface DecisionSink {
  /**
   * Writes one event at the end of the turn of the event loop.
   *
   * @param done called once, perhaps before this returns: with the failure where the event did not get out whole. It
   *   must not throw
   */
  record(event: AuditEvent, done: RecordDone): void
  /** Writes all events that wait, now. */
  flush(): void
}

/** Is called with the outcome of an event. */
export type RecordDone = (failure: CountersignError | undefined) => void

// Some hundred events that are written at once. No UTF-16 unit takes more bytes as UTF-8.
const SCRATCH_BYTES = 262_144
const MOST_BYTES_OF_UNIT = 3
const BEFORE_BRACE = '}\n'.length
const LINE_FEED = 0x0a
// Of incomplete lines that a disk left which was full again and again.
const MOST_CUTS = 100

/** How a sink is doing. */
export interface AuditStatistics {
  /** Events, since the start. */
  readonly written: number
  readonly lost: number
  /** Events that wait for their write now. */
  readonly waiting: number
  /** Whether the last write left any out. */
  readonly failing: boolean
  /** Refusals that were counted in summaries, where there is a limit to those written one by one. */
  readonly summarised?: number
}

interface Waiting {
  readonly line: string
  readonly done: RecordDone
}

/** Which process writes. */
export type LogWriter = LogOpenedEvent['writer']

/**
 * Appends events to a file, or to standard output. Events of one turn of the event loop share a
 * write: under load that is the greater part of what an event costs. Each line gets its place in the hash chain here.
 */
export class JsonLinesSink implements AuditSink, DecisionSink, Disposable {
  readonly #file: LogFile
  readonly #writer: LogWriter
  readonly #chain: Chain
  /** Why a `log-opened` is to be written before the next event. */
  #opening: LogOpenedEvent['cause'] | undefined = 'start'
  /** Incomplete lines that no record contains yet. */
  #cuts: readonly CutLine[] = []
  // A line that was cut short must not swallow the next one.
  #midLine = false
  #waiting: Waiting[] = []
  /** Where events are encoded; longer ones in a buffer of their own. */
  #scratch: Buffer | undefined
  #written = 0
  #lost = 0
  /** How many of the lost events are in a `log-opened`. */
  #lostRecorded = 0
  #failing = false

  /**
   * @param path default: standard output
   * @throws CountersignError `audit-unwritable` when the file cannot be opened, or another process writes to it
   */
  constructor(path?: string, writer: LogWriter = 'authz') {
    this.#file = new LogFile(path)
    this.#writer = writer
    const { last, cut } = this.#file.opened
    this.#chain = new Chain(last)
    this.#found(cut)
  }

  async write(event: AuditEvent): Promise<void> {
    await settled((done) => this.record(event, done))
  }

  record(event: AuditEvent, done: RecordDone): void {
    this.append(this.lineOf(event), done)
  }

  /** The event as it is written, without its place in the chain: with the time, and a line feed at its end. */
  lineOf(event: AuditEvent): string {
    return auditLine(event, Date.now())
  }

  /** Writes a line that {@link lineOf} made; see {@link record}. */
  append(line: string, done: RecordDone): void {
    if (this.#waiting.push({ line, done }) === 1) setImmediate(() => this.flush())
  }

  /** The counters as they are now. */
  statistics(): AuditStatistics {
    return {
      written: this.#written,
      lost: this.#lost,
      waiting: this.#waiting.length,
      failing: this.#failing,
    }
  }

  /** Opens the file anew, for log rotation; keeps the old one when that fails. */
  reopen(): void {
    const { path } = this.#file
    if (path === undefined) return
    const { isOther, cut } = this.#file.reopen(path, () => this.flush())
    this.#midLine = false
    this.#found(cut)
    if (isOther || cut !== undefined) this.#opening = 'reopened'
    if (this.#opening !== undefined) this.flush(true)
  }

  [Symbol.dispose](): void {
    this.flush()
    this.#file[Symbol.dispose]()
  }

  /**
   * Writes all that waits, now rather than at the end of the turn of the event loop. When the write fails midway, the
   * lines that got out whole are written.
   *
   * @param always also where only the record is to be written that the file was opened
   */
  flush(always = false): void {
    const waiting = this.#waiting
    if (waiting.length === 0 && !(always && this.#opening !== undefined)) return
    this.#waiting = []
    const head = this.#chain.head
    const opening = this.#openingLine()
    const { bytes, start, length } = this.#encode(opening, waiting)
    const { written, failure } = this.#file.write(bytes, length)
    this.#failing = failure !== undefined
    if (failure === undefined) {
      this.#midLine = false
      if (opening !== undefined) this.#isOpened()
      this.#written += waiting.length
      for (const { done } of waiting) done(undefined)
      return
    }
    const { lines, end } = wholeLines(bytes, start, written)
    this.#chain.rewind(head, bytes, end, lines)
    const events = opening === undefined ? lines : Math.max(0, lines - 1)
    if (opening !== undefined && lines > 0) this.#isOpened()
    if (written > 0) this.#midLine = written > end
    if (written > end && written > start) this.#addCut(bytes.subarray(end, written))
    this.#opening ??= 'write-failed'
    this.#written += events
    this.#lost += waiting.length - events
    for (const [index, { done }] of waiting.entries()) done(index < events ? undefined : failure)
  }

  /** The record with which a file begins, or continues after a failure. */
  #openingLine(): string | undefined {
    if (this.#opening === undefined) return undefined
    const { head } = this.#chain
    const lost = this.#lost - this.#lostRecorded
    return this.lineOf({
      event: 'log-opened',
      cause: this.#opening,
      writer: this.#writer,
      host: hostname(),
      pid: process.pid,
      offset: this.#offset(),
      previous: head && { seq: head.sequence, hash: head.hash },
      cut: this.#cuts.length === 0 ? undefined : this.#cuts,
      lost: lost === 0 ? undefined : lost,
    })
  }

  #offset(): number | undefined {
    try {
      const size = this.#file.size()
      return size === undefined || !this.#midLine ? size : size + 1
    } catch {
      return undefined // closed: the write will say so
    }
  }

  /** The record is written, with the cuts and the losses before it. */
  #isOpened(): void {
    this.#opening = undefined
    this.#cuts = []
    this.#lostRecorded = this.#lost
  }

  #found(cut: CutLine | undefined): void {
    if (cut === undefined) return
    this.#midLine = true
    this.#cuts = [...this.#cuts, cut]
  }

  #addCut(bytes: Buffer): void {
    const cut = { bytes: bytes.length, hash: hash('sha256', bytes, 'base64url') }
    if (this.#cuts.length < MOST_CUTS) this.#cuts = [...this.#cuts, cut]
  }

  /** The lines as bytes, each with its place in the chain; the first begins at `start`. */
  #encode(opening: string | undefined, waiting: readonly Waiting[]): Encoded {
    let room = 1 + (opening?.length ?? 0) * MOST_BYTES_OF_UNIT + CHAIN_BYTES
    for (const { line } of waiting) room += line.length * MOST_BYTES_OF_UNIT + CHAIN_BYTES
    const bytes = this.#roomFor(room)
    let at = 0
    if (this.#midLine) bytes[at++] = LINE_FEED
    const start = at
    const chain = this.#chain
    if (opening !== undefined)
      at = chain.add(bytes, at, at + bytes.write(opening, at) - BEFORE_BRACE)
    for (const { line } of waiting) {
      at = chain.add(bytes, at, at + bytes.write(line, at) - BEFORE_BRACE)
    }
    return { bytes, start, length: at }
  }

  #roomFor(most: number): Buffer {
    if (most > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(most)
    return (this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES))
  }
}

interface Encoded {
  readonly bytes: Buffer
  readonly start: number
  readonly length: number
}

/** How many lines got out whole, and where the last of them ends. */
const wholeLines = (
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

/** The promise of an event. */
export const settled = async (record: (done: RecordDone) => void): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  record((failure) => {
    if (failure === undefined) resolve()
    else reject(failure)
  })
  await promise
}
