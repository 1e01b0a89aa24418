// Attempts in a real Redis under a flood.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import type { RedisConnection } from '../../../src/state/redis/connection.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { attemptsUnderFlood } from '../attempts-flood.ts'
import { connectTo, serverAt } from './reaching.ts'
import { settableTime } from './settable-time.ts'

const ROOMS = { counters: 600, notes: 200 }

describe('a flood', { skip: skipWithoutRedis() }, () => {
  const stack = new AsyncDisposableStack()
  let redis: Redis | undefined
  let connection: RedisConnection | undefined
  before(async () => {
    redis = stack.use(await startRedis())
    // As a user who may do no more than docs/operate/state.md lists.
    connection = stack.use(await connectTo(serverAt(redis.userUrl, { timeout: 10_000 })))
  })
  after(() => stack.disposeAsync())

  const keys = async (): Promise<readonly string[]> =>
    ((await redis?.command('KEYS', 'countersign:*')) ?? '')
      .split('\n')
      .filter((key) => /:(attempts|note):/.test(key))

  attemptsUnderFlood('RedisAttempts', async () => {
    await redis?.command('FLUSHALL')
    assert.ok(connection !== undefined)
    const time = await settableTime(connection.sender)
    return {
      store: new RedisAttempts(connection.sender, 'countersign:', time.clock, ROOMS),
      pass: time.pass,
      size: async () => (await keys()).length,
      mostEntries: ROOMS.counters + ROOMS.notes + 2,
    }
  })

  it('leaves nothing that does not end by itself', async () => {
    const all = ((await redis?.command('KEYS', '*')) ?? '').trim().split('\n')
    const rooms = all.filter((key) => key.includes(':room:'))
    assert.equal(rooms.length, 4)
    for (const key of [...rooms, ...(await keys()).slice(0, 20)]) {
      assert.ok(Number(await redis?.command('PTTL', key)) > 0, key)
    }
  })
})
