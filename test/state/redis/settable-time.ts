// The time of a Redis as a test sets it, so that no test has to wait for it.

import { randomUUID } from 'node:crypto'
import { scriptOf, type Sender } from '../../../src/state/redis/sender.ts'

/** A time of its own, in a key of its own, that its scripts go by. */
export interface SettableTime {
  /** For scripts, in Lua. */
  readonly clock: string
  readonly set: (now: number) => Promise<void>
  /** Lets time pass. */
  readonly pass: (milliseconds: number) => Promise<void>
}

// With commands that a user of few rights has.
const SET = scriptOf("redis.call('HSET', KEYS[1], 't', ARGV[1])")

/** Begins now. */
export const settableTime = async (
  sender: Sender,
  prefix = 'countersign:',
): Promise<SettableTime> => {
  const key = `${prefix}time:${randomUUID()}`
  let time = Date.now()
  const set = async (now: number): Promise<void> => {
    time = now
    await sender.run('test', SET, [key], [now])
  }
  await set(time)
  return {
    clock: `local function now() return tonumber(redis.call('HGET', '${key}', 't')) end`,
    set,
    pass: (milliseconds) => set(time + milliseconds),
  }
}
