// Where audit events go: JSON lines, handed to the kernel before the request is answered. A failed
// write rejects for its caller; nothing is queued and forgotten.

import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { CountersignError, describeError, hasCode } from '../runtime/errors.ts'
import { describeFileFault } from '../runtime/file-fault.ts'
import type { AuditEvent } from './event.ts'
import { auditLine } from './line.ts'

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

const STANDARD_OUTPUT = 1
const CLOSED = -1 // never a descriptor
// A full pipe is given this many tries, some milliseconds in all, before the event counts as lost.
const MAX_ATTEMPTS = 20
const PAUSE_MS = 1
// Some hundred events that are written at once. No UTF-16 unit takes more bytes as UTF-8.
const SCRATCH_BYTES = 262_144
const MOST_BYTES_OF_UNIT = 3
const FILE_MODE = 0o640 // it contains names and addresses of users: for the owner and a log group

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

/**
 * Appends events to a file, or to standard output. Events of one turn of the event loop share a
 * write: under load that is the greater part of what an event costs.
 */
export class JsonLinesSink implements AuditSink, DecisionSink, Disposable {
  readonly #path: string | undefined
  #descriptor: number
  // A line that was cut short must not swallow the next one.
  #midLine = false
  #waiting: Waiting[] = []
  /** Where events are encoded; longer ones in a buffer of their own. */
  #scratch: Buffer | undefined
  #written = 0
  #lost = 0
  #failing = false

  /** @throws CountersignError `audit-unwritable` when the file cannot be opened */
  constructor(path?: string) {
    this.#path = path
    this.#descriptor = path === undefined ? STANDARD_OUTPUT : open(path)
    this.#midLine = path !== undefined && endsMidLine(this.#descriptor)
  }

  async write(event: AuditEvent): Promise<void> {
    await settled((done) => this.record(event, done))
  }

  record(event: AuditEvent, done: RecordDone): void {
    this.append(this.lineOf(event), done)
  }

  /** The event as it is written: with the time, and a line feed at its end. */
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
    if (this.#path === undefined) return
    const descriptor = open(this.#path)
    this.flush()
    closeSync(this.#descriptor)
    this.#descriptor = descriptor
    this.#midLine = endsMidLine(descriptor)
  }

  [Symbol.dispose](): void {
    this.flush()
    if (this.#path !== undefined) closeSync(this.#descriptor)
    this.#descriptor = CLOSED // a later write fails
  }

  /**
   * Writes all that waits, now rather than at the end of the turn of the event loop. When the write fails midway, the
   * lines that got out whole are written.
   */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    let text = this.#midLine ? '\n' : ''
    let end = text.length
    for (const { line } of waiting) text += line
    const { written, failure } = this.#writeOut(text)
    this.#failing = failure !== undefined
    if (failure === undefined) {
      this.#written += waiting.length
      for (const { done } of waiting) done(undefined)
      return
    }
    for (const { line, done } of waiting) {
      end += Buffer.byteLength(line)
      if (end <= written) {
        this.#written += 1
        done(undefined)
      } else {
        this.#lost += 1
        done(failure)
      }
    }
  }

  #roomFor(text: string): Buffer {
    const most = text.length * MOST_BYTES_OF_UNIT
    if (most > SCRATCH_BYTES) return Buffer.allocUnsafeSlow(most)
    return (this.#scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES))
  }

  #writeOut(text: string): { readonly written: number; readonly failure?: CountersignError } {
    const bytes = this.#roomFor(text)
    const length = bytes.write(text)
    let written = 0
    for (let attempt = 0; written < length;) {
      try {
        written += writeSync(this.#descriptor, bytes, written, length - written)
        this.#midLine = bytes[written - 1] !== LINE_FEED
      } catch (cause) {
        attempt += 1
        if (isBusy(cause) && attempt < MAX_ATTEMPTS) {
          Atomics.wait(pause, 0, 0, PAUSE_MS)
          continue
        }
        const where = this.#path ?? 'standard output'
        const message = `audit events could not be written to ${where}: ${describeError(cause)}`
        return { written, failure: new CountersignError('audit-unwritable', message, { cause }) }
      }
    }
    return { written }
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

const LINE_FEED = 0x0a
const pause = new Int32Array(new SharedArrayBuffer(4))

const isBusy = (cause: unknown): boolean => hasCode(cause, 'EAGAIN')

/** Whether the file ends within a line, as a crash or a full disk can leave it. */
const endsMidLine = (descriptor: number): boolean => {
  const status = fstatSync(descriptor)
  if (!status.isFile() || status.size === 0) return false
  const last = Buffer.alloc(1)
  readSync(descriptor, last, 0, 1, status.size - 1)
  return last[0] !== LINE_FEED
}

const open = (path: string): number => {
  try {
    return openSync(path, 'a+', FILE_MODE) // "+": to read how it ends
  } catch (cause) {
    const message = `the audit file cannot be opened: ${describeFileFault(path, cause)}`
    throw new CountersignError('audit-unwritable', message, { cause })
  }
}
