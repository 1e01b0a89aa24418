// A Redis to which another client writes: values of other types, sizes and forms in place of Countersign's.
// Each operation is refused, or finds nothing; none is answered with what was put there, and no value is
// read that is larger than Countersign's can be.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import { RedisRecords } from '../../../src/state/redis/records.ts'
import { RedisReplays } from '../../../src/state/redis/replays.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { opened } from '../opening.ts'
import { connectTo, serverAt } from './reaching.ts'
import { redisSettings } from './settings.ts'

const RECORD = { text: 'the session of alice', kind: 'login', lifetime: 600_000 } as const
const PACE = { attempts: 3, backOff: 60_000, lockAfter: 5, lockFor: 60_000, forget: 60_000 }
const SCOPE = { key: 'k', pace: PACE, binding: true, weight: 1 } as const

/** What is put in place of a key, as a script in Redis. */
const VALUES: Readonly<Record<string, string>> = {
  'a text': "redis.call('SET', key, 'x')",
  'a list': "redis.call('RPUSH', key, 'x')",
  'a set': "redis.call('SADD', key, 'x')",
  'a sorted set': "redis.call('ZADD', key, 9e15, 'x')",
  'a stream': "redis.call('XADD', key, '*', 'a', 'b')",
  'a bitmap': "redis.call('SETBIT', key, 100, 1)",
  'an empty hash': "redis.call('HSET', key, 'other', 'x')",
  'a hash of other texts':
    "redis.call('HSET', key, 't', 'x', 's', '[', 'q', 'x', 'b', 'x', 'c', 'x', 'f', 'x', 'u', 'x', 'e', 'x', 'w', 'x', 'n', 'x')",
  'a hash of numbers that are none':
    "redis.call('HSET', key, 't', 'nan', 's', '{}', 'q', 'nan', 'b', 'nan', 'c', 'inf', 'f', 'nan', 'u', 'nan', 'e', 'inf', 'w', 'nan', 'n', '-inf')",
  'a hash of bytes that are no text':
    "redis.call('HSET', key, 't', '\\255\\254\\0', 's', '\\255', 'q', '\\255', 'b', '\\0', 'c', '\\255', 'f', '\\0', 'u', '', 'e', '\\255', 'w', '', 'n', '\\255')",
}

const replaceAll = async (redis: Redis, pattern: string, value: string): Promise<void> => {
  await redis.command(
    'EVAL',
    `for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) ${value} redis.call('PEXPIRE', key, 600000) end`,
    '0',
    pattern,
  )
}

/** The result of an operation; any error but a refusal by the store is a fault. */
const outcomeOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await work()
  } catch (cause) {
    assert.ok(cause instanceof CountersignError, String(cause))
    assert.match(cause.code, /^(unavailable|overloaded)$/)
    return 'refused'
  }
}

describe('a Redis with values of another client', { skip: skipWithoutRedis() }, () => {
  let redis: Redis
  before(async () => {
    redis = await startRedis()
  })
  after(async () => await redis[Symbol.asyncDispose]())

  const fill = async (records: RedisRecords, attempts: RedisAttempts): Promise<void> => {
    await redis.command('FLUSHALL')
    await records.put('a', RECORD, ['everything'])
    await records.put('public', { ...RECORD, kind: 'public' }, ['everything'])
    await attempts.remember({ key: 'n', text: 'note', lifetime: 60_000, retained: false })
    for (let times = 0; times < 4; times += 1) {
      await attempts.take([SCOPE])
    }
  }

  for (const [name, value] of Object.entries(VALUES)) {
    it(`such as ${name}, gives none of them out`, async () => {
      await using connection = await connectTo(serverAt(redis.url))
      const { sender } = connection
      const records = new RedisRecords(sender, 'countersign:')
      const attempts = new RedisAttempts(sender, 'countersign:')
      const replays = new RedisReplays(sender, 'countersign:', new DerivedKeys())
      await fill(records, attempts)
      await replays.use('used', Date.now() + 60_000)
      await replaceAll(redis, 'countersign:*', value)

      const found = await outcomeOf(async () => await records.get('a'))
      assert.ok(
        found === undefined || found === 'refused' || name.startsWith('a hash of'),
        String(found),
      )
      // What was there stays used.
      assert.notEqual((await replays.use('used', Date.now() + 60_000)).outcome, 'first')
      const operations: readonly (() => Promise<unknown>)[] = [
        () => records.keysIn('everything'),
        () => records.replace('a', RECORD.text, RECORD),
        () => records.take('a'),
        () => records.put('a', RECORD, ['everything']),
        () => records.add('b', { ...RECORD, kind: 'public' }, ['everything']),
        () => records.remove(['a', 'public']),
        () => attempts.recall(['n']),
        () => attempts.remember({ key: 'm', text: 'x', lifetime: 1_000, retained: false }),
      ]
      for (const operation of operations) await outcomeOf(operation)
      const result = await outcomeOf(async () => {
        const taken = await attempts.take([SCOPE])
        const numbers =
          taken.outcome === 'wait'
            ? taken.waits
            : taken.reservations.flatMap(({ failures, added, until }) => [failures, added, until])
        assert.ok(numbers.every(Number.isFinite), numbers.join())
        return await attempts.settle(
          taken.outcome === 'wait'
            ? []
            : taken.reservations.map((reservation) => ({ reservation, failures: 1 })),
        )
      })
      assert.ok(result === 'refused' || Array.isArray(result))
    })

    it(`such as ${name}, has no session in them`, async () => {
      await using state = await opened(redisSettings(serverAt(redis.url)))
      const { records } = state.state
      await redis.command('FLUSHALL')
      await records.put('session', RECORD, ['everything'])
      assert.equal((await records.get('session'))?.text, RECORD.text)
      await replaceAll(redis, 'countersign:record:*', value)
      for (const operation of [
        () => records.get('session'),
        () => records.take('session'),
        () => records.replace('session', RECORD.text, RECORD),
      ]) {
        const found = await outcomeOf(operation)
        assert.ok(found === undefined || found === false || found === 'refused', String(found))
      }
    })
  }

  it('of 64 MB, or a set of 250,001 names, reads none of it', async () => {
    await using connection = await connectTo(serverAt(redis.url, { timeout: 10_000 }))
    const { sender } = connection
    const records = new RedisRecords(sender, 'countersign:')
    const attempts = new RedisAttempts(sender, 'countersign:')
    await fill(records, attempts)
    await redis.command(
      'EVAL',
      `local large = string.rep('x', 67108864)
       redis.call('HSET', 'countersign:record:a', 't', large)
       redis.call('HSET', 'countersign:note:n', 't', large)
       for n = 1, 250001 do redis.call('ZADD', 'countersign:set:everything', 9e15, 'name-' .. n) end
       redis.call('ZADD', 'countersign:set:large', 9e15, large)`,
      '0',
    )
    const rss = process.memoryUsage.rss()
    for (const [operation, reason] of [
      [() => records.get('a'), /a text of 67108864 bytes, more than 4194304/],
      [() => attempts.recall(['n']), /a text of 67108864 bytes/],
      [() => records.keysIn('everything'), /a set of more than 250000 names/],
      [() => records.keysIn('large'), /a set with names of more than 16000000 bytes/],
      [() => records.take('a'), /a text of 67108864 bytes/],
    ] as const) {
      await assert.rejects(operation(), { code: 'unavailable', message: reason })
    }
    const growth = process.memoryUsage.rss() - rss
    assert.ok(growth < 32 * 1_048_576, `${growth} bytes`)
    await redis.command('FLUSHALL')
  })

  it('has no room for a record that could not be read again', async () => {
    await using connection = await connectTo(serverAt(redis.url))
    const records = new RedisRecords(connection.sender, 'countersign:')
    const text = 'x'.repeat(4_194_305)
    await assert.rejects(records.put('a', { ...RECORD, text }), { code: 'overloaded' })
    await records.put('a', { ...RECORD, text: text.slice(1) })
    assert.equal((await records.get('a'))?.text.length, 4_194_304)
  })
})
