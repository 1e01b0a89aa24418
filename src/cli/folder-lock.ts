// One command at a time changes a folder of keys, so that no change is lost. Readers need no lock.

import { join } from 'node:path'
import { acquireFileLock, lockHolder, type LockOptions } from '../runtime/file-lock.ts'
import { usageError } from './usage-error.ts'

/** A folder that only this command changes, until the lock is disposed of. */
export interface FolderLock extends AsyncDisposable {
  /**
   * Call right before a step that cannot be undone.
   *
   * @throws CountersignError `usage` when another command has taken the lock over
   */
  confirm(): Promise<void>
}

/** The lock file in a folder. */
export const LOCK_FILE = '.lock'

// A command takes milliseconds, and up to seconds for RSA keys on a busy machine.
const WAIT_MS = 10_000
const STALE_MS = 60_000

/**
 * Waits for the lock of a folder.
 *
 * @throws CountersignError `usage` when another command holds it for too long
 */
export const lockFolder = async (
  folder: string,
  options: Partial<LockOptions> = {},
): Promise<FolderLock> => {
  const path = join(folder, LOCK_FILE)
  const lock = await acquireFileLock(path, {
    wait: WAIT_MS,
    stale: STALE_MS,
    stuck: STALE_MS,
    ...options,
  })
  if (lock === undefined) {
    const holder = (await lockHolder(path)) || 'unknown process'
    throw usageError(
      `${folder} is being changed by another command (${holder}); try again. If no command is running, remove ${path}`,
    )
  }
  return {
    async confirm() {
      if (await lock.isHeld()) return
      throw usageError(
        `${folder} was changed by another command meanwhile; nothing was changed. Run the command again`,
      )
    },
    [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
  }
}
