// Errors of SQLite → messages for operators. An error that is not SQLite's is a bug and is thrown unchanged.

import { CountersignError, describeError } from '../../runtime/errors.ts'
import { describeFileFault } from '../../runtime/file-fault.ts'

// Primary result codes, sqlite.org/rescode.html.
const BUSY = 5
const LOCKED = 6
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

const REASONS: Readonly<Record<number, string>> = {
  [BUSY]: 'another process is writing to it for too long',
  [LOCKED]: 'another process is writing to it for too long',
  [READ_ONLY]: 'it may not be written by this user; check owner and mode of it and of its folder',
  [IO_ERROR]: 'the disk reports an error',
  [CORRUPT]: 'it is damaged; remove it, after which every user has to log in again',
  [FULL]: 'there is no room left, on the disk or within "maxBytes"',
  [CANNOT_OPEN]: 'it cannot be opened; check owner and mode of it and of its folder',
  [NOT_A_DATABASE]: 'it is not a database, or it is damaged',
}

const codeOf = (cause: unknown): number | undefined =>
  cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number'
    ? cause.errcode & 0xff
    : undefined

/** Whether another process was writing, so that the statements had no effect. */
export const isBusy = (cause: unknown): boolean => {
  const code = codeOf(cause)
  return code === BUSY || code === LOCKED
}

/** Why a file cannot be used; bugs are returned unchanged. */
export const unusable = (file: string, failure: unknown): unknown => {
  // A refused call has the same message, with the file.
  const isRefusal = failure instanceof CountersignError && codeOf(failure.cause) !== undefined
  const cause = isRefusal ? failure.cause : failure
  const code = codeOf(cause)
  const isSystems = cause instanceof Error && 'syscall' in cause
  if (code === undefined && !isSystems && !(cause instanceof CountersignError)) return cause
  const message = `${file} cannot be used: ${reasonOf(file, cause)}`
  return new CountersignError('configuration-invalid', message, { cause })
}

/** Why an operation failed; bugs are returned unchanged. */
export const refusalOf = (file: string, cause: unknown): unknown => {
  const code = codeOf(cause)
  if (code === undefined) return cause
  const message = `${file}: ${reasonOf(file, cause)}`
  return new CountersignError(code === FULL ? 'overloaded' : 'unavailable', message, { cause })
}

const reasonOf = (file: string, cause: unknown): string => {
  const reason = REASONS[codeOf(cause) ?? -1]
  return reason === undefined
    ? describeFileFault(file, cause)
    : `${reason} (${describeError(cause)})`
}
