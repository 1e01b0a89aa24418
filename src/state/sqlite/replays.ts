// Used values in a state file: a value that was used in one process is used for all processes of the machine.

import type { StatementSync } from 'node:sqlite'
import type { DerivedKeys } from '../derived-keys.ts'
import type { ReplayMemory, Use } from '../replay-memory.ts'
import type { StateDatabase } from './database.ts'
import { USES } from './schema.ts'

// Of the file. A value that does not fit cannot be accepted as new.
const SHARE = 1 / 16

/** A {@link ReplayMemory} that processes of one machine share, and that survives them. */
export class SqliteReplays implements ReplayMemory {
  readonly #database: StateDatabase
  readonly #keys: DerivedKeys
  readonly #use: StatementSync

  constructor(database: StateDatabase, keys: DerivedKeys) {
    this.#database = database
    this.#keys = keys
    // A value that may have been forgotten is not accepted as new: a clock that was set back must not make it new.
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
