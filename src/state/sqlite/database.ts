// A state file: one SQLite database that processes of one machine share. It waits for other writers without blocking
// this process, and describes what is wrong with a file. Exceptions that are not SQLite's are thrown unchanged.

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, hasCode } from '../../runtime/errors.ts'
import type { StoreSize } from '../opened-state.ts'
import type { StateStatistics } from '../statistics.ts'
import { isBusy, refusalOf, unusable } from './errors.ts'
import { migrate } from './schema.ts'

/** What opening a file needs. */
export interface DatabaseOptions {
  /** An absolute path. The file and its folder are made if they are absent. */
  readonly file: string
  /** The maximum size of the file. */
  readonly maxBytes: number
  readonly clock: Clock
  readonly statistics: StateStatistics
}

// As long as a command to Redis may take. Other writers take some microseconds each.
const LONGEST_WAIT = 500
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 20

/** An open state file. */
export class StateDatabase implements Disposable {
  readonly #database: DatabaseSync
  readonly #options: DatabaseOptions
  #usage: StatementSync | undefined
  readonly #size: StatementSync

  private constructor(database: DatabaseSync, options: DatabaseOptions) {
    this.#database = database
    this.#options = options
    this.#size = database.prepare(
      'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
    )
  }

  /**
   * Opens a file, and migrates it to this version.
   *
   * @throws CountersignError `configuration-invalid` with what is wrong with the file
   */
  static async open(options: DatabaseOptions): Promise<StateDatabase> {
    const { file, maxBytes, clock } = options
    let database: DatabaseSync | undefined
    try {
      makeFile(file)
      // Waiting inside SQLite would block the whole process.
      const opened = new DatabaseSync(file, { timeout: 0, enableForeignKeyConstraints: true })
      database = opened
      await waitingForOthers(clock, () => prepareDatabase(opened, maxBytes))
      return new StateDatabase(opened, options)
    } catch (cause) {
      database?.close()
      throw unusable(file, cause)
    }
  }

  /**
   * Requires that what is counted under a number in `usage` remains within a share of the file, inside the transaction
   * that wrote it.
   *
   * @throws CountersignError `overloaded`, which rolls the transaction back
   */
  keepWithin(kind: number, share: number): void {
    this.#usage ??= this.prepare('SELECT bytes FROM usage WHERE kind = ?')
    const bytes = Number(this.#usage.get(kind)?.['bytes'])
    if (bytes <= this.#options.maxBytes * share) return
    const message = `${this.#options.file}: there is no room left in this part of the file`
    throw new CountersignError('overloaded', message)
  }

  /** How much of the file is in use, in bytes, and how much may be. Empty pages are not in use: they are written again. */
  async size(): Promise<StoreSize> {
    const { maxBytes } = this.#options
    const row = await this.run('size', () => this.#size.get())
    return { bytes: Number(row?.['bytes']), maxBytes }
  }

  /** This machine's time, in whole milliseconds: a record ends for all processes at once. */
  now(): number {
    return Math.floor(this.#options.clock.now())
  }

  /** Prepares a statement, once for the life of the process. */
  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql)
  }

  /**
   * Runs one statement, which is atomic by itself.
   *
   * @throws CountersignError `unavailable`, or `overloaded` where there is no room left
   */
  async run<T>(operation: string, statement: () => T): Promise<T> {
    const { clock, statistics, file } = this.#options
    return await statistics.measure(operation, async () => {
      try {
        return await waitingForOthers(clock, statement)
      } catch (cause) {
        throw refusalOf(file, cause)
      }
    })
  }

  /** Runs several statements as one transaction, which reads nothing that another may yet change. */
  async transaction<T>(operation: string, statements: () => T): Promise<T> {
    return await this.run(operation, () => immediately(this.#database, statements))
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close()
  }
}

/** SQLite gives its further files the mode of the first. */
const makeFile = (file: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(file, 'wx', 0o600))
    chmodSync(file, 0o600) // whatever the umask is
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  }
}

const prepareDatabase = (database: DatabaseSync, maxBytes: number): void => {
  database.exec('PRAGMA journal_mode = WAL')
  // Acknowledged writes survive the process; those after the last checkpoint may be lost when the machine fails.
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSizeOf(database))}`)
  // Rows that REPLACE removes count as removed (sqlite.org/lang_conflict.html).
  database.exec('PRAGMA recursive_triggers = ON')
  database.enableDefensive(true)
  immediately(database, () => migrate(database))
}

const pageSizeOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA page_size').get()?.['page_size'] ?? 4_096)

/** One transaction; other processes may read meanwhile, and not write. */
const immediately = <T>(database: DatabaseSync, statements: () => T): T => {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = statements()
    database.exec('COMMIT')
    return result
  } catch (cause) {
    // SQLite ends the transaction by itself when the disk is full.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw cause
  }
}

/** Retries for as long as another process writes; the statements have had no effect then. */
const waitingForOthers = async <T>(clock: Clock, step: () => T): Promise<T> => {
  const until = clock.monotonic() + LONGEST_WAIT
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, 2 * pause)) {
    try {
      return step()
    } catch (cause) {
      if (!isBusy(cause) || clock.monotonic() >= until) throw cause
    }
    await sleep(pause)
  }
}
