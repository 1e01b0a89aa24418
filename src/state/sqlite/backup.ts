// A copy of a state file that other processes use meanwhile.

import { chmodSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { randomUUID } from 'node:crypto'
import { CountersignError } from '../../runtime/errors.ts'
import { unusable } from './errors.ts'

// Longer than any transaction of authz, which take microseconds.
const LONGEST_WAIT_MS = 5_000

/**
 * Writes what the database has at one moment into a new file with mode 0600, and gives its size in bytes. Readers and writers
 * of the database are not stopped (https://sqlite.org/lang_vacuum.html#vacuuminto).
 *
 * @throws CountersignError `usage` where the output exists; `configuration-invalid` with what is wrong with a file
 */
export const backUp = (file: string, output: string): number => {
  if (!existsSync(file)) throw new CountersignError('usage', `${file} does not exist yet`)
  if (existsSync(output)) throw new CountersignError('usage', `${output} exists already`)
  const draft = `${output}.${randomUUID()}.part`
  try {
    copy(file, draft)
    renameSync(draft, output)
    return statSync(output).size
  } catch (cause) {
    throw unusable(output, cause)
  } finally {
    rmSync(draft, { force: true })
  }
}

const copy = (file: string, draft: string): void => {
  const umask = process.umask(0o077)
  try {
    const database = new DatabaseSync(file, { timeout: LONGEST_WAIT_MS })
    try {
      database.prepare('VACUUM INTO ?').run(draft)
    } finally {
      database.close()
    }
    chmodSync(draft, 0o600)
  } finally {
    process.umask(umask)
  }
}
