// Used things in Redis: what was used in one process is used up for all.

import type { OpaqueKeys } from '../opaque-keys.ts'
import type { ReplayMemory, Use } from '../replay-memory.ts'
import { NUMBERS, SERVER_CLOCK } from './lua.ts'
import { scriptOf, type Sender } from './sender.ts'

// So much later than its end is something forgotten, and so long after it is nothing new taken note
// of: clocks of processes may be behind the server's by as much.
const MARGIN_MS = 60_000

// KEYS: the use. ARGV: its end. What would be forgotten by now may have been, and is not called new.
const USE = scriptOf(`${SERVER_CLOCK}${NUMBERS}
local left = tonumber(ARGV[1]) + ${MARGIN_MS} - now()
if left <= 0 then return 0 end
return redis.call('SET', KEYS[1], '', 'NX', 'PX', whole(left)) and 1 or 0
`)

/** A {@link ReplayMemory} that all processes share that reach one server. */
export class RedisReplays implements ReplayMemory {
  readonly #sender: Sender
  readonly #prefix: string
  readonly #keys: OpaqueKeys

  /** @param prefix of all keys */
  constructor(sender: Sender, prefix: string, keys: OpaqueKeys) {
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
