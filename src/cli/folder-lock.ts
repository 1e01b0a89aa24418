// One command at a time changes a folder: a file in it says whose turn it is. It keeps commands from
// losing each other's change; it keeps nobody from reading.

import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageError } from './usage-error.ts'
import { hasCode } from '../runtime/errors.ts'

/** A folder that is ours to change until this is disposed of. */
export interface FolderLock extends AsyncDisposable {
  /**
   * Whether it still is. Look right before what cannot be taken back.
   *
   * @throws CountersignError `usage` when somebody took us for dead
   */
  confirm(): Promise<void>
}

/** How long a lock waits, and for whom. */
export interface Patience {
  /** For so long we wait for our turn, in milliseconds. */
  readonly wait?: number
  /** Whoever holds the folder for longer than this has ended in the midst of it, in milliseconds. */
  readonly stale?: number
}

/** The file that says whose turn it is. */
export const LOCK_FILE = '.lock'

// A command takes some milliseconds, and up to some seconds for RSA keys on a busy machine.
const WAIT_MS = 10_000
const STALE_MS = 60_000

const POLL_MS = 25

/**
 * Waits for our turn to change a folder.
 *
 * @throws CountersignError `usage` when it does not come
 */
export const lockFolder = async (
  folder: string,
  { wait = WAIT_MS, stale = STALE_MS }: Patience = {},
): Promise<FolderLock> => {
  const path = join(folder, LOCK_FILE)
  const ours = `process ${process.pid} on ${hostname()}, ${randomUUID()}\n`
  const deadline = Date.now() + wait
  while (!(await take(path, ours))) {
    if (await putAsideIfStale(path, stale)) continue
    if (Date.now() >= deadline) {
      const holder = (await contentOf(path))?.split(',', 1)[0] ?? ''
      throw usageError(
        `${folder} is being changed by another command (${holder}); try again. If there is none, remove ${path}`,
      )
    }
    await sleep(POLL_MS)
  }
  return {
    async confirm() {
      if ((await contentOf(path)) === ours) return
      throw usageError(
        `${folder} was changed by another command meanwhile; nothing is done, run this again`,
      )
    },
    async [Symbol.asyncDispose]() {
      if ((await contentOf(path)) === ours) await rm(path, { force: true })
    },
  }
}

/** Says whether the turn is ours. */
const take = async (path: string, ours: string): Promise<boolean> => {
  try {
    await writeFile(path, ours, { flag: 'wx', mode: 0o600 })
    return true
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false
    throw cause
  }
}

/**
 * Puts the file of a command that has ended in the midst of it out of the way; says whether it may be
 * worth another try at once.
 */
const putAsideIfStale = async (path: string, stale: number): Promise<boolean> => {
  if (!((await ageOf(path)) > stale)) return false
  // Renaming, for only one of several can; and then a second look, for the file of somebody who is
  // alive may have come to that place in between.
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return true
    throw cause
  }
  if (!((await ageOf(aside)) > stale)) await link(aside, path).catch(() => undefined)
  await rm(aside, { force: true })
  return true
}

/** In milliseconds; zero when it is not there. */
const ageOf = async (path: string): Promise<number> =>
  await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )

const contentOf = async (path: string): Promise<string | undefined> =>
  await readFile(path, 'utf8').catch(() => undefined)
