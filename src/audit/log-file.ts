// The file that audit records are appended to, or standard output: opened, locked against a second writer, reopened.

import { close, closeSync, fstatSync, fsync, openSync, realpathSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CountersignError, describeError, hasCode } from '../runtime/errors.ts'
import { describeFileFault } from '../runtime/file-fault.ts'
import { lockPath, type PathLock } from '../runtime/path-lock.ts'
import type { ChainFields } from './chain.ts'
import type { CutLine } from './events/log-schema.ts'
import { firstTime, lastRecordBefore, readCut, readLogEnd } from './log-end.ts'

const STANDARD_OUTPUT = 1
const CLOSED = -1 // never a descriptor
const FILE_MODE = 0o640 // it contains names and addresses of users: for the owner and a log group

// A full pipe is given this many tries, some milliseconds in all, before the event counts as lost.
const MAX_ATTEMPTS = 20
const PAUSE_MS = 1

/** The outcome of a write. */
export interface WriteResult {
  /** How many bytes got out. */
  readonly written: number
  readonly failure?: CountersignError
}

/** What was found where records are to be appended. */
export interface Opened {
  /** The last record, in the file or in the one that was rotated away. */
  readonly last: ChainFields | undefined
  /** An incomplete line at the end. */
  readonly cut: CutLine | undefined
}

/** The same of a file that was opened anew. */
export interface Reopened extends Pick<Opened, 'cut'> {
  /** Whether it is another file than before, or an empty one. */
  readonly isOther: boolean
}

/** Where records are written. */
export class LogFile implements Disposable {
  readonly path: string | undefined
  readonly #lock: PathLock | undefined
  readonly #onSwitched: ((bytes: number) => void) | undefined
  #descriptor: number
  /** How the file was when it was opened at the start. */
  readonly opened: Opened
  /** The bytes in the file. */
  bytes = 0
  /** When its first record was written, in milliseconds since the epoch. */
  since = 0
  /** Whether there is more in it than the records with which a file begins. */
  hasEvents = false

  /**
   * @param path default: standard output
   * @param onSwitched called when records go to another file from now on, with the bytes in the one before
   * @throws CountersignError `audit-unwritable` when the file cannot be opened, or another process writes to it
   */
  constructor(path?: string, onSwitched?: (bytes: number) => void) {
    this.path = path
    this.#onSwitched = onSwitched
    if (path === undefined) {
      this.#descriptor = STANDARD_OUTPUT
      this.opened = { last: undefined, cut: undefined }
      return
    }
    this.#descriptor = open(path)
    try {
      this.#lock = isRegular(this.#descriptor) ? lock(path) : undefined
      this.opened = endOf(path, this.#descriptor)
    } catch (cause) {
      this[Symbol.dispose]()
      throw cause
    }
    this.#measure()
  }

  /** The bytes in the file; `undefined` where it is a pipe or a device, or closed. */
  size(): number | undefined {
    if (this.#descriptor === CLOSED) return undefined
    const status = fstatSync(this.#descriptor)
    return status.isFile() ? status.size : undefined
  }

  /**
   * Opens the file anew.
   *
   * @param beforeSwitch is called when the new one is open, and the old one still in use
   * @throws CountersignError `audit-unwritable`; the old one stays in use
   */
  reopen(beforeSwitch: () => void): Reopened {
    const descriptor = open(this.path ?? '')
    beforeSwitch()
    const before = fstatSync(this.#descriptor)
    const now = fstatSync(descriptor)
    const isSame = before.ino === now.ino && before.dev === now.dev
    this.#switchTo(descriptor, isSame)
    return { isOther: now.size === 0 || !isSame, cut: readCut(descriptor) }
  }

  /**
   * Renames the file and opens a new one.
   *
   * @param rename renames it, and returns what undoes that
   * @throws what `rename` throws; CountersignError `audit-unwritable`. The old file stays in use, under its name
   */
  rotate(rename: () => () => void): void {
    const undo = rename()
    try {
      this.#switchTo(open(this.path ?? ''))
    } catch (cause) {
      undo()
      throw cause
    }
  }

  /** The bytes of another file than this one are on the disk soon, before it may be compressed and deleted. */
  #switchTo(descriptor: number, isSame = false): void {
    const old = this.#descriptor
    const { bytes } = this
    this.#descriptor = descriptor
    if (isSame) close(old)
    else fsync(old, () => close(old))
    this.#measure()
    if (!isSame) this.#onSwitched?.(bytes)
  }

  #measure(): void {
    this.bytes = this.size() ?? 0
    this.since = firstTime(this.#descriptor) ?? Date.now()
    this.hasEvents = this.bytes > 0
  }

  /** Writes the first bytes of a buffer, or as many of them as get out. */
  write(bytes: Buffer, length: number): WriteResult {
    let written = 0
    for (let attempt = 0; written < length;) {
      try {
        const count = writeSync(this.#descriptor, bytes, written, length - written)
        written += count
        this.bytes += count
      } catch (cause) {
        attempt += 1
        if (isBusy(cause) && attempt < MAX_ATTEMPTS) {
          Atomics.wait(pause, 0, 0, PAUSE_MS)
          continue
        }
        const message = `audit events could not be written to ${this.path ?? 'standard output'}: ${describeError(cause)}`
        return { written, failure: new CountersignError('audit-unwritable', message, { cause }) }
      }
    }
    return { written }
  }

  [Symbol.dispose](): void {
    if (this.path !== undefined) closeSync(this.#descriptor)
    this.#descriptor = CLOSED // a later write fails
    this.#lock?.[Symbol.dispose]()
  }
}

const isRegular = (descriptor: number): boolean => fstatSync(descriptor).isFile()

const endOf = (path: string, descriptor: number): Opened => {
  const end = readLogEnd(descriptor)
  const isEmpty = isRegular(descriptor) && fstatSync(descriptor).size === 0
  return isEmpty ? { ...end, last: lastRecordBefore(path) } : end
}

const open = (path: string): number => {
  try {
    return openSync(path, 'a+', FILE_MODE) // "+": to read how it ends
  } catch (cause) {
    const message = `the audit file cannot be opened: ${describeFileFault(path, cause)}`
    throw new CountersignError('audit-unwritable', message, { cause })
  }
}

/** Two writers would fork the chain, and rotate each other's file away. */
const lock = (path: string): PathLock => {
  const real = realpathSync(path)
  const file = join(dirname(real), `.${basename(real)}.lock`)
  let held: PathLock | undefined
  try {
    held = lockPath(file)
  } catch (cause) {
    const reason = hasCode(cause, 'ERR_SQLITE_ERROR')
      ? `${describeError(cause)}: the user of the process must be able to make files in the folder, and its file system must have locks`
      : describeError(cause)
    const message = `the audit file ${path} cannot be locked against a second writer, by ${file}: ${reason}`
    throw new CountersignError('audit-unwritable', message, { cause })
  }
  if (held !== undefined) return held
  throw new CountersignError(
    'audit-unwritable',
    `another process writes to the audit file ${path}: end it, or give each process a file of its own`,
  )
}

const pause = new Int32Array(new SharedArrayBuffer(4))

const isBusy = (cause: unknown): boolean => hasCode(cause, 'EAGAIN')
