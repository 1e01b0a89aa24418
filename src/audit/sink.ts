// Where audit events go: JSON lines, handed to the kernel before the request is answered. A failed
// write rejects for its caller; nothing is queued and forgotten.

import { hash } from 'node:crypto'
import type { CountersignError } from '../runtime/errors.ts'
import { Batch } from './batch.ts'
import { Chain, CHAIN_BYTES, NO_HASH } from './chain.ts'
import type { Checkpoints } from './checkpoints.ts'
import { settled, settleNone, settling, type RecordDone, type Settle } from './done.ts'
import type { AuditEvent } from './event.ts'
import type { CutLine, LogCheckpointEvent } from './events/log-schema.ts'
import { auditLine } from './line.ts'
import { wholeLines } from './log-end.ts'
import { LogFile } from './log-file.ts'
import { Opening, type LogWriter } from './opening.ts'
import type { Rotation } from './rotation.ts'
import type { LogTail, Spool } from './spool.ts'
import type { AuditStatistics } from './statistics.ts'

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

// For a file that gets no events.
const ROTATION_MS = 60_000

/** How a sink writes. */
export interface SinkOptions {
  /** Default: authz. */
  readonly writer?: LogWriter
  readonly rotation?: Rotation | undefined
  readonly checkpoints?: Checkpoints | undefined
  /** What waits for other servers; see {@link JsonLinesSink.tail}. */
  readonly spool?: Spool | undefined
}

/**
 * Appends events to a file, or to standard output. Events of one turn of the event loop share a
 * write: under load that is the greater part of what an event costs. Each line gets its place in the hash chain here.
 */
export class JsonLinesSink implements AuditSink, DecisionSink, Disposable {
  readonly #file: LogFile
  readonly #chain: Chain
  readonly #opening: Opening
  readonly #rotation: Rotation | undefined
  readonly #checkpoints: Checkpoints | undefined
  readonly #spool: Spool | undefined
  readonly #timers: readonly NodeJS.Timeout[]
  // A line that was cut short must not swallow the next one.
  #midLine = false
  readonly #batch: Batch
  /** Of the events in the batch, in their order. */
  #waiting: RecordDone[] = []
  /** Whether the batch begins with a record about the log. */
  #isOpening = false
  #written = 0
  #lost = 0
  #failing = false

  /**
   * @param path default: standard output
   * @throws CountersignError `audit-unwritable` when the file cannot be opened, or another process writes to it
   */
  constructor(path?: string, options: SinkOptions = {}) {
    const { writer = 'authz', rotation, checkpoints, spool } = options
    this.#file = new LogFile(path, (bytes) => spool?.switched(bytes))
    this.#opening = new Opening(writer)
    this.#rotation = rotation
    this.#checkpoints = checkpoints
    this.#spool = spool
    this.#chain = new Chain(this.#file.opened.last)
    this.#batch = new Batch(this.#chain)
    this.#found(this.#file.opened.cut)
    this.#timers = [
      ...(rotation === undefined ? [] : [setInterval(() => this.#rotateIdle(), ROTATION_MS)]),
      ...(checkpoints === undefined ? [] : [setInterval(() => this.#sign(), checkpoints.interval)]),
    ]
    for (const timer of this.#timers) timer.unref()
    void rotation?.clean()
  }

  async write(event: AuditEvent): Promise<void> {
    await settled((done) => this.record(event, done))
  }

  record(event: AuditEvent, done: RecordDone): void {
    this.append(this.lineOf(event), done)
  }

  /** The event as it is written, with the time, as far as its place in the chain. */
  lineOf(event: AuditEvent): string {
    return auditLine(event, Date.now())
  }

  /** Writes a line that {@link lineOf} made; see {@link record}. */
  append(line: string, done: RecordDone): void {
    const full = this.#spool?.fullFor(line.length + CHAIN_BYTES)
    if (full !== undefined) return this.#refuse(full, done)
    if (this.#rotation !== undefined) this.#rotateIfDue(this.#rotation, line)
    // What is called with the outcome may have more events.
    while (this.#waiting.length > 0 && !this.#batch.hasRoomFor(line)) this.flush()
    if (this.#waiting.length === 0) {
      this.#begin(line)
      setImmediate(() => this.flush())
    }
    this.#batch.add(line)
    this.#waiting.push(done)
  }

  /** The end of the log as it is now, with the records that wait for their write. */
  get tail(): LogTail {
    const { sequence, hash: last } = this.#chain.head ?? { sequence: 0, hash: NO_HASH }
    const bytes = this.#file.bytes + this.#batch.length
    return { chain: this.#chain.id, sequence, hash: last, bytes }
  }

  /** The counters as they are now. */
  statistics(): AuditStatistics {
    return {
      written: this.#written,
      lost: this.#lost,
      waiting: this.#waiting.length,
      failing: this.#failing || this.#spool?.isFull === true,
    }
  }

  /** Opens the file anew, for log rotation; keeps the old one when that fails. */
  reopen(): void {
    if (this.#file.path === undefined) return
    let settle = settleNone
    try {
      const { isOther, cut } = this.#file.reopen(() => {
        settle = this.#writeSigned()
      })
      this.#midLine = false
      this.#found(cut)
      if (isOther || cut !== undefined) this.#opening.begin('reopened')
      if (this.#opening.isDue) this.#write()()
    } finally {
      settle()
    }
  }

  /** Reads the key of checkpoints again; keeps the old one when that fails. Never rejects. */
  async renewKey(): Promise<void> {
    await this.#checkpoints?.renewKey()
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#sign()
    this.#file[Symbol.dispose]()
  }

  /**
   * Writes all that waits, now rather than at the end of the turn of the event loop. When the write fails midway, the
   * lines that got out whole are written.
   */
  flush(): void {
    if (this.#waiting.length > 0) this.#write()()
  }

  #refuse(failure: CountersignError, done: RecordDone): void {
    this.flush() // it may begin with a record of what was lost until then
    this.#lost += 1
    this.#opening.afterFailure()
    done(failure)
  }

  #sign(): void {
    this.#writeSigned()()
  }

  /** Writes what waits, and a checkpoint where anything is new. */
  #writeSigned(): Settle {
    this.#checkpoints?.request()
    const isDue = this.#checkpoints?.isDueAt(this.#chain.head?.sequence ?? 0) === true
    return this.#batch.isOpen || isDue ? this.#write() : settleNone
  }

  #rotateIdle(): void {
    void this.#rotation?.cleanHeld()
    if (this.#rotation === undefined || !this.#file.hasEvents) return
    if (this.#rotateIfDue(this.#rotation, '')) this.#write()()
  }

  /** @param line the next one */
  #rotateIfDue(rotation: Rotation, line: string): boolean {
    const now = Date.now()
    const { bytes, since } = this.#file
    const more = line.length + CHAIN_BYTES
    if (!rotation.isDue(bytes + this.#batch.length, more, since, now)) return false
    let settle = settleNone
    try {
      this.#checkpoints?.request()
      settle = this.#write()
      this.#file.rotate(() => rotation.rename(now))
    } catch (cause) {
      rotation.failed(cause)
      settle()
      return false
    }
    this.#midLine = false
    this.#opening.begin('rotated')
    this.#checkpoints?.request()
    void rotation.clean()
    settle()
    return true
  }

  /** @param line the first one, which is not added yet */
  #begin(line?: string): void {
    const opened = this.#opening.event(this.#chain.head, () => this.#offset(), this.#lost)
    this.#isOpening = opened !== undefined
    const opening = opened === undefined ? [] : [this.lineOf(opened)]
    this.#batch.begin(line === undefined ? opening : [...opening, line], this.#midLine)
    for (const record of opening) this.#batch.add(record)
  }

  /**
   * Writes the batch, with an opening and a checkpoint where they are due.
   *
   * @returns tells the callers, who may have more events: after all that has to be done with the file
   */
  #write(): Settle {
    if (!this.#batch.isOpen) this.#begin()
    const checkpoint = this.#addCheckpoint()
    const waiting = this.#waiting
    this.#waiting = []
    const { bytes, start, length, head } = this.#batch.take()
    if (length === start) return settleNone
    const isOpening = this.#isOpening
    const { written, failure } = this.#file.write(bytes, length)
    this.#failing = failure !== undefined
    if (failure === undefined) {
      this.#midLine = false
      if (isOpening) this.#opening.written(this.#lost)
      if (checkpoint !== undefined) this.#checkpoints?.written(this.#chain, checkpoint)
      this.#file.hasEvents ||= waiting.length > 0
      this.#written += waiting.length
      return settling(waiting, waiting.length, undefined)
    }
    const { lines, end } = wholeLines(bytes, start, written)
    this.#chain.rewind(head, bytes, end, lines)
    const events = Math.min(waiting.length, isOpening ? Math.max(0, lines - 1) : lines)
    if (isOpening && lines > 0) this.#opening.written(this.#lost)
    if (written > 0) this.#midLine = written > end
    if (written > end && written > start) {
      const cut = bytes.subarray(end, written)
      this.#opening.addCut({ bytes: cut.length, hash: hash('sha256', cut, 'base64url') })
    }
    this.#opening.afterFailure()
    this.#written += events
    this.#lost += waiting.length - events
    return settling(waiting, events, failure)
  }

  /** Adds one to the batch where it is due. */
  #addCheckpoint(): LogCheckpointEvent | undefined {
    const { head } = this.#chain
    if (head === undefined || this.#checkpoints?.isDueAt(head.sequence) !== true) return undefined
    const event = this.#checkpoints.event(this.#chain, head)
    this.#batch.add(this.lineOf(event))
    return event
  }

  #offset(): number | undefined {
    const size = this.#file.size()
    return size === undefined || !this.#midLine ? size : size + 1
  }

  #found(cut: CutLine | undefined): void {
    if (cut === undefined) return
    this.#midLine = true
    this.#opening.addCut(cut)
  }
}
