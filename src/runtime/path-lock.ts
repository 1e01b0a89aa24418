// A lock on a path that one process holds. The kernel releases it when the process ends, however it ends, so that
// no stale lock keeps a service from its start. SQLite takes it (fcntl(2) on Linux), which Node does not offer itself.

import { hasCode } from './errors.ts'
import { nodeSqlite } from './lazy-modules.ts'

/** A lock that is held until it is disposed of. */
export type PathLock = Disposable

// SQLITE_BUSY
const BUSY = 5

/**
 * Locks a file, which is made where it does not exist, stays empty, and must have no other purpose.
 *
 * @returns `undefined` where another process, or another part of this one, holds the lock
 * @throws where the file cannot be made, or its file system has no locks
 */
export const lockPath = (file: string): PathLock | undefined => {
  const { DatabaseSync } = nodeSqlite()
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (isBusy(cause)) return undefined
    throw cause
  }
  return { [Symbol.dispose]: () => database.close() }
}

const isBusy = (cause: unknown): boolean =>
  hasCode(cause, 'ERR_SQLITE_ERROR') &&
  cause instanceof Error &&
  'errcode' in cause &&
  cause.errcode === BUSY
