// Where audit events go: JSON lines, written and handed to the kernel before the request is
// answered. A write that fails says so to the caller; it is never queued and forgotten.

import { closeSync, openSync, writeSync } from 'node:fs'
import { pino } from 'pino'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { AuditEvent } from './event.ts'

/** Takes audit events. */
export interface AuditSink {
  /**
   * Writes one event.
   *
   * @throws CountersignError `audit-unwritable` when the event did not get out whole
   */
  write(event: AuditEvent): void
}

const STANDARD_OUTPUT = 1
// A full pipe is given this many tries, some milliseconds in all, before the event counts as lost.
const MAX_ATTEMPTS = 20
const PAUSE_MS = 1
const FILE_MODE = 0o640 // names and addresses of people: for the owner and a log group

/** Appends events to a file, or to standard output. */
export class JsonLinesSink implements AuditSink, Disposable {
  readonly #path: string | undefined
  #descriptor: number
  // A line that was cut short must not swallow the next one.
  #midLine = false
  readonly #logger

  /** @throws CountersignError `audit-unwritable` when the file cannot be opened */
  constructor(path?: string) {
    this.#path = path
    this.#descriptor = path === undefined ? STANDARD_OUTPUT : open(path)
    this.#logger = pino(
      {
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: () => ({ log: 'audit' }) }, // tells the lines apart in a shared stream
      },
      { write: (line: string) => this.#writeLine(line) },
    )
  }

  write(event: AuditEvent): void {
    this.#logger.info(event)
  }

  /** Opens the file anew, for log rotation; keeps the old one when that fails. */
  reopen(): void {
    if (this.#path === undefined) return
    const descriptor = open(this.#path)
    closeSync(this.#descriptor)
    this.#descriptor = descriptor
    this.#midLine = false
  }

  [Symbol.dispose](): void {
    if (this.#path !== undefined) closeSync(this.#descriptor)
  }

  #writeLine(line: string): void {
    const bytes = Buffer.from(this.#midLine ? `\n${line}` : line)
    let written = 0
    for (let attempt = 0; written < bytes.length;) {
      try {
        written += writeSync(this.#descriptor, bytes, written)
        this.#midLine = written < bytes.length
      } catch (cause) {
        attempt += 1
        if (isBusy(cause) && attempt < MAX_ATTEMPTS) {
          Atomics.wait(pause, 0, 0, PAUSE_MS)
          continue
        }
        const where = this.#path ?? 'standard output'
        const message = `an audit event could not be written to ${where}: ${describeError(cause)}`
        throw new CountersignError('audit-unwritable', message, { cause })
      }
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

const isBusy = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'EAGAIN'

const open = (path: string): number => {
  try {
    return openSync(path, 'a', FILE_MODE)
  } catch (cause) {
    const message = `the audit file cannot be opened: ${describeError(cause)}`
    throw new CountersignError('audit-unwritable', message, { cause })
  }
}
