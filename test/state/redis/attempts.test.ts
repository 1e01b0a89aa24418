// Attempts in a real Redis, counted in Lua as they are counted in memory, and shared by processes.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptScope } from '../../../src/state/attempt-store.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import type { RedisConnection } from '../../../src/state/redis/connection.ts'
import { RedisReplays } from '../../../src/state/redis/replays.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { sameAsInMemory } from '../attempts-differential.ts'
import { opened } from '../opening.ts'
import { connectTo, serverAt } from './reaching.ts'
import { redisSettings } from './settings.ts'
import { settableTime } from './settable-time.ts'

describe('attempts in Redis', { skip: skipWithoutRedis() }, () => {
  const stack = new AsyncDisposableStack()
  let redis: Redis | undefined
  let connection: RedisConnection | undefined
  before(async () => {
    redis = stack.use(await startRedis())
    connection = stack.use(await connectTo(serverAt(redis.url)))
  })
  after(() => stack.disposeAsync())

  const reached = (): RedisConnection => {
    assert.ok(connection !== undefined)
    return connection
  }

  sameAsInMemory(async () => {
    await redis?.command('FLUSHALL')
    const time = await settableTime(reached().sender)
    return {
      store: new RedisAttempts(reached().sender, 'a:', time.clock),
      setTime: time.set,
    }
  }, 1_500)

  it('wait and are forgotten by the time of the server', async () => {
    const attempts = new RedisAttempts(reached().sender, 'timed:')
    const pace = { attempts: 1, backOff: 500, lockAfter: 9, lockFor: 500, forget: 500 }
    const scope = { key: 'a', pace, binding: true, weight: 1 }
    await attempts.take([scope])
    await attempts.remember({ key: 'n', text: 'x', lifetime: 500, retained: false })
    assert.equal((await attempts.take([scope])).outcome, 'wait')
    await sleep(503)
    const result = await attempts.take([scope])
    assert.deepEqual(
      result.outcome === 'taken' && result.reservations.map(({ failures }) => failures),
      [1],
    )
    assert.deepEqual(await attempts.recall(['n']), [undefined])
  })

  it('are counted together by all processes', async () => {
    const settings = redisSettings(serverAt(redis?.url ?? ''))
    await using one = await opened(settings)
    await using other = await opened(settings)
    const pace = { attempts: 3, backOff: 10_000, lockAfter: 5, lockFor: 60_000, forget: 60_000 }
    const scopeIn = ({ state }: typeof one): AttemptScope => ({
      key: state.keys.of('alice'),
      pace,
      binding: true,
      weight: 1,
    })
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const state = index % 2 === 0 ? one : other
        return state.state.attempts.take([scopeIn(state)])
      }),
    )
    assert.equal(results.filter(({ outcome }) => outcome === 'taken').length, 3)
  })

  it('leave nothing behind when they are forgotten', async () => {
    await redis?.command('FLUSHALL')
    const attempts = new RedisAttempts(reached().sender, 'a:')
    const pace = { attempts: 3, backOff: 1, lockAfter: 5, lockFor: 1, forget: 60_000 }
    const scope = { key: 'a', pace, binding: true, weight: 1 }
    const result = await attempts.take([scope])
    assert.ok(result.outcome === 'taken')
    assert.equal((await redis?.command('DBSIZE'))?.trim(), '3') // itself and its room
    const [reservation] = result.reservations
    assert.ok(reservation !== undefined)
    await attempts.settle([{ reservation, failures: 0 }])
    assert.equal((await redis?.command('DBSIZE'))?.trim(), '0')
  })
})

describe('used things in Redis', { skip: skipWithoutRedis() }, () => {
  it('are not called new once they may have been forgotten', async () => {
    await using redis = await startRedis()
    await using connection = await connectTo(serverAt(redis.url))
    const keys = new DerivedKeys()
    const replays = new RedisReplays(connection.sender, 'a:', keys)
    const now = Date.now()
    const use = async (id: string, until: number): Promise<string> =>
      (await replays.use(id, until)).outcome
    // The clock of a process may be a minute behind the server's.
    assert.equal(await use('a', now - 50_000), 'first')
    assert.equal(await use('a', now - 50_000), 'repeated')
    assert.equal(await use('b', now - 60_000), 'repeated')
    assert.equal(await use('c', now + 60_000.5), 'first')
    const left = Number(await redis.command('PTTL', `a:use:${keys.of('use', 'c')}`))
    assert.ok(left > 119_000 && left <= 120_001, `${left}`)
  })
})
