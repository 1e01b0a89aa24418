// Used values in Redis: a value that was used in one process is used for all.

import type { DerivedKeys } from '../derived-keys.ts'
import type { ReplayMemory, Use } from '../replay-memory.ts'
import { NUMBERS, SERVER_CLOCK } from './lua.ts'
import { scriptOf, type Sender } from './sender.ts'

// How much later than its end a use is forgotten, and for how long after it none is accepted as new: clocks of
// processes may be behind the server's by as much.
const MARGIN_MS = 60_000

// KEYS: the use. ARGV: its end. A use that would be forgotten by now is not accepted as new.
const USE = scriptOf(`${SERVER_CLOCK}${NUMBERS}
local left = tonumber(ARGV[1]) + ${MARGIN_MS} - now()
if left <= 0 then return 0 end
return redis.call('SET', KEYS[1], '', 'NX', 'PX', whole(left)) and 1 or 0
`)

/** A {@link ReplayMemory} that all processes of one server share. */
export class RedisReplays implements ReplayMemory {
  readonly #sender: Sender
  readonly #prefix: string
  readonly #keys: DerivedKeys

  /** @param prefix of all keys */
  constructor(sender: Sender, prefix: string, keys: DerivedKeys) {
    this.#sender = sender
    this.#prefix = `${prefix}use:`
    this.#keys = keys
  }

  async use(id: string, until: number): Promise<Use> {
    try {
      const key = `${this.#prefix}${this.#keys.of('use', id)}`
      const first = await this.#sender.run('use', USE, [key], [Math.ceil(until)])
      return { outcome: first === 1 ? 'first' : 'repeated' }
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }
}
