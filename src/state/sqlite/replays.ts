// Used things in a state file: what was used in one process is used up for all of the machine.

import type { StatementSync } from 'node:sqlite'
import type { OpaqueKeys } from '../opaque-keys.ts'
import type { ReplayMemory, Use } from '../replay-memory.ts'
import type { StateDatabase } from './database.ts'
import { USES } from './schema.ts'

// Of the file. What does not fit cannot be called new.
const SHARE = 1 / 16

/** A {@link ReplayMemory} that processes of one machine share, and that survives them. */
export class SqliteReplays implements ReplayMemory {
  readonly #database: StateDatabase
  readonly #keys: OpaqueKeys
  readonly #use: StatementSync

  constructor(database: StateDatabase, keys: OpaqueKeys) {
    this.#database = database
    this.#keys = keys
    // What has been forgotten already, if it was there, is not taken for new: a clock that was set
    // back must not bring it back to life.
    this.#use = database.prepare(
      'INSERT OR IGNORE INTO uses SELECT ?1, ?2 WHERE ?2 > (SELECT until FROM swept_uses)',
    )
  }

  async use(id: string, until: number): Promise<Use> {
    try {
      const key = this.#keys.of('use', id)
      const isFirst = await this.#database.transaction('use', () => {
        if (this.#use.run(key, Math.ceil(until)).changes === 0) return false
        this.#database.keepWithin(USES, SHARE)
        return true
      })
      return { outcome: isFirst ? 'first' : 'repeated' }
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }
}
