// Where audit events go: JSON lines, handed to the kernel before the request is answered. A failed
// write rejects for its caller; nothing is queued and forgotten.

import { hash } from 'node:crypto'
import type { CountersignError } from '../runtime/errors.ts'
import { Chain, CHAIN_BYTES } from './chain.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { AuditEvent } from './event.ts'
import type { CutLine, LogCheckpointEvent } from './events/log-schema.ts'
import { auditLine } from './line.ts'
import { wholeLines } from './log-end.ts'
import { LogFile } from './log-file.ts'
import { Opening, type LogWriter } from './opening.ts'
import type { Rotation } from './rotation.ts'

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
// A line of some 500 bytes.
const MOST_BYTES_OF_CHECKPOINT = 2_048
// For a file that gets no events.
const ROTATION_MS = 60_000

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

/** How a sink writes. */
export interface SinkOptions {
  /** Default: authz. */
  readonly writer?: LogWriter
  readonly rotation?: Rotation | undefined
  readonly checkpoints?: Checkpoints | undefined
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
  readonly #timers: readonly NodeJS.Timeout[]
  // A line that was cut short must not swallow the next one.
  #midLine = false
  #waiting: Waiting[] = []
  /** Where events are encoded; longer ones in a buffer of their own. */
  #scratch: Buffer | undefined
  #written = 0
  #lost = 0
  #failing = false

  /**
   * @param path default: standard output
   * @throws CountersignError `audit-unwritable` when the file cannot be opened, or another process writes to it
   */
  constructor(path?: string, { writer = 'authz', rotation, checkpoints }: SinkOptions = {}) {
    this.#file = new LogFile(path)
    this.#opening = new Opening(writer)
    this.#rotation = rotation
    this.#checkpoints = checkpoints
    this.#chain = new Chain(this.#file.opened.last)
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
    if (this.#file.path === undefined) return
    const { isOther, cut } = this.#file.reopen(() => this.#sign())
    this.#midLine = false
    this.#found(cut)
    if (isOther || cut !== undefined) this.#opening.begin('reopened')
    if (this.#opening.isDue) this.#send([])
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
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    if (this.#rotation !== undefined) this.#rotateIfDue(this.#rotation, waiting)
    this.#send(waiting)
  }

  /** Writes what waits, and a checkpoint where anything is new. */
  #sign(): void {
    this.#checkpoints?.request()
    this.flush()
    if (this.#checkpoints?.isDueAt(this.#chain.head?.sequence ?? 0) === true) this.#send([])
  }

  #rotateIdle(): void {
    if (this.#rotation === undefined || !this.#file.hasEvents) return
    if (this.#rotateIfDue(this.#rotation, [])) this.#send([])
  }

  #rotateIfDue(rotation: Rotation, waiting: readonly Waiting[]): boolean {
    const now = Date.now()
    const more = waiting.reduce((sum, { line }) => sum + line.length + CHAIN_BYTES, 0)
    if (!rotation.isDue(this.#file.bytes, more, this.#file.since, now)) return false
    try {
      this.#checkpoints?.request()
      this.#send([])
      this.#file.rotate(() => rotation.rename(now))
    } catch (cause) {
      rotation.failed(cause)
      return false
    }
    this.#midLine = false
    this.#opening.begin('rotated')
    this.#checkpoints?.request()
    void rotation.clean()
    return true
  }

  #send(waiting: readonly Waiting[]): void {
    const head = this.#chain.head
    const encoded = this.#encode(waiting)
    const { bytes, start, length, isOpening, checkpoint } = encoded
    if (length === 0) return
    const { written, failure } = this.#file.write(bytes, length)
    this.#failing = failure !== undefined
    if (failure === undefined) {
      this.#midLine = false
      if (isOpening) this.#opening.written(this.#lost)
      if (checkpoint !== undefined) this.#checkpoints?.written(this.#chain, checkpoint)
      this.#file.hasEvents ||= waiting.length > 0
      this.#written += waiting.length
      for (const { done } of waiting) done(undefined)
      return
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
    for (const [index, { done }] of waiting.entries()) done(index < events ? undefined : failure)
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

  /** The lines as bytes, each with its place in the chain; the first begins at `start`. */
  #encode(waiting: readonly Waiting[]): Encoded {
    const chain = this.#chain
    const opened = this.#opening.event(chain.head, () => this.#offset(), this.#lost)
    const opening = opened && this.lineOf(opened)
    let room = MOST_BYTES_OF_CHECKPOINT + (opening?.length ?? 0) * MOST_BYTES_OF_UNIT + CHAIN_BYTES
    for (const { line } of waiting) room += line.length * MOST_BYTES_OF_UNIT + CHAIN_BYTES
    const bytes = this.#roomFor(room)
    let at = 0
    if (this.#midLine) at = bytes.write('\n')
    const start = at
    const add = (line: string): void => {
      at = chain.add(bytes, at, at + bytes.write(line, at) - BEFORE_BRACE)
    }
    if (opening !== undefined) add(opening)
    for (const { line } of waiting) add(line)
    const { head } = chain
    const isSigned = head !== undefined && this.#checkpoints?.isDueAt(head.sequence) === true
    const checkpoint = isSigned ? this.#checkpoints?.event(chain, head) : undefined
    if (checkpoint !== undefined) add(this.lineOf(checkpoint))
    const isOpening = opening !== undefined
    return { bytes, start, length: at === start ? 0 : at, isOpening, checkpoint }
  }

  #roomFor(most: number): Buffer {
    if (most > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(most)
    return (this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES))
  }
}

interface Encoded {
  readonly bytes: Buffer
  readonly start: number
  /** 0 where there is nothing to write. */
  readonly length: number
  readonly isOpening: boolean
  readonly checkpoint: LogCheckpointEvent | undefined
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
