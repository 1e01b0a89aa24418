// A state file: one SQLite database that processes of one machine share. It waits for other writers
// without holding up this process, says what is wrong with a file, and makes an error out of nothing
// that is not SQLite's own.

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, hasCode } from '../../runtime/errors.ts'
import type { StateStatistics } from '../statistics.ts'
import { isBusy, refusalOf, unusable } from './errors.ts'
import { migrate } from './schema.ts'

/** What a file is opened with. */
export interface DatabaseOptions {
  /** An absolute path. It and its folder are made where they are missing. */
  readonly file: string
  /** The file grows no larger. */
  readonly maxBytes: number
  readonly clock: Clock
  readonly statistics: StateStatistics
}

// As long as Redis may take for a command. Other writers take some microseconds each.
const LONGEST_WAIT = 500
const FIRST_PAUSE = 1
const LONGEST_PAUSE = 20

/** An open state file. */
export class StateDatabase implements Disposable {
  readonly #database: DatabaseSync
  readonly #options: DatabaseOptions
  #usage: StatementSync | undefined

  private constructor(database: DatabaseSync, options: DatabaseOptions) {
    this.#database = database
    this.#options = options
  }

  /**
   * Opens a file, and brings what is in it up to date.
   *
   * @throws CountersignError `configuration-invalid` with what is wrong with the file
   */
  static async open(options: DatabaseOptions): Promise<StateDatabase> {
    const { file, maxBytes, clock } = options
    let database: DatabaseSync | undefined
    try {
      makeFile(file)
      // No waiting inside SQLite: it would hold up everything that this process does.
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
   * Sees that what is counted under a number in `usage` keeps within a share of the file, inside the
   * transaction that wrote it.
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

  /** This machine's time, in whole milliseconds: what ends by it ends for all processes at once. */
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

/** SQLite gives the files beside it the mode of the first. */
const makeFile = (file: string): void => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(file, 'wx', 0o600))
    chmodSync(file, 0o600) // whatever the umask takes away
  } catch (cause) {
    if (!hasCode(cause, 'EEXIST')) throw cause
  }
}

const prepareDatabase = (database: DatabaseSync, maxBytes: number): void => {
  database.exec('PRAGMA journal_mode = WAL')
  // What was acknowledged survives the process; what the last checkpoint has not reached may be lost
  // with the machine, all of it from some moment on.
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / pageSizeOf(database))}`)
  // What REPLACE removes counts as removed (sqlite.org/lang_conflict.html).
  database.exec('PRAGMA recursive_triggers = ON')
  database.enableDefensive(true)
  immediately(database, () => migrate(database))
}

const pageSizeOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA page_size').get()?.['page_size'] ?? 4_096)

/** One transaction; others may read meanwhile, and none may write. */
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

/** Tries again for as long as another process writes: nothing has happened then. */
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
