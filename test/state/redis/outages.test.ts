// A Redis that is down, that hangs, that comes back, or whose network is bad: callers get an error in time,
// and all is well again afterwards.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { RedisRecords } from '../../../src/state/redis/records.ts'
import { scriptOf } from '../../../src/state/redis/sender.ts'
import { skipWithoutRedis, startRedis } from '../../servers/redis.ts'
import { startTcpProxy } from '../../servers/tcp-proxy.ts'
import { opened } from '../opening.ts'
import { secretOf } from '../sealing.ts'
import { connectTo, reach, serverAt } from './reaching.ts'
import { eventually, redisSettings } from './settings.ts'

// Long enough for one command on a busy machine, where the test waits until it is over.
const IMPATIENT = { timeout: 2_000 }
// Before that, on a busy machine too.
const AT_ONCE = 1_500

const record = { text: 'x', kind: 'login', lifetime: 60_000 } as const

const unavailable = (reason: RegExp) => (cause: unknown) => {
  assert.ok(cause instanceof CountersignError, String(cause))
  assert.equal(cause.code, 'unavailable')
  assert.match(cause.message, reason)
  return true
}

/** How long it takes until something has rejected, in milliseconds. */
const timeToReject = async (work: Promise<unknown>, reason: RegExp): Promise<number> => {
  const start = performance.now()
  await assert.rejects(work, unavailable(reason))
  return performance.now() - start
}

describe('a Redis', { skip: skipWithoutRedis(), concurrency: 2 }, () => {
  it('a Redis that is down at the start does not stop it, and is used as soon as it is there', async () => {
    await using redis = await startRedis()
    await redis.kill()
    await using state = await opened(redisSettings(serverAt(redis.url)))
    assert.match(String(state.store.failure()), /ECONNREFUSED/)
    assert.equal(state.lines.filter((line) => line.includes('state store unavailable')).length, 1)
    const { records, replays } = state.state
    const works = [
      () => records.get('a'),
      () => records.put('a', record),
      () => records.keysIn('a'),
    ]
    for (const work of works) {
      const took = await timeToReject(work(), /redis 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
      assert.ok(took < AT_ONCE, `${took} ms`)
    }
    assert.equal((await replays.use('a', Date.now() + 60_000)).outcome, 'unavailable')
    await redis.start()
    await eventually(() => records.put('a', record))
    assert.equal((await records.get('a'))?.text, 'x')
    assert.equal(
      state.lines.filter((line) => line.includes('state store available again')).length,
      1,
    )
  })

  it('a Redis that is killed and started again is used again, without what it has lost', async () => {
    await using redis = await startRedis()
    const settings = redisSettings(serverAt(redis.url))
    await using state = await opened(settings)
    const { records } = state.state
    await records.put('a', record)
    await redis.kill()
    await assert.rejects(records.get('a'), unavailable(/./))
    assert.ok((await timeToReject(records.get('a'), /./)) < AT_ONCE)
    await redis.start()
    await eventually(() => records.get('a'))
    assert.equal(await records.get('a'), undefined)
    await using other = await opened(settings)
    // Once the loss is noticed, which revokes what was written before, they agree on names again.
    await eventually(async () => {
      await records.put('a', record)
      assert.equal((await other.state.records.get('a'))?.text, 'x')
    })
  })

  it('a Redis that persists its data has it after a restart', async () => {
    await using redis = await startRedis({ persistent: true })
    await using state = await opened(redisSettings(serverAt(redis.url)))
    const { records, replays } = state.state
    await records.put('a', record, ['s'])
    const until = Date.now() + 60_000
    await replays.use('proof', until)
    await redis.kill()
    await redis.start()
    await eventually(() => records.get('a'))
    assert.equal((await records.get('a'))?.text, 'x')
    assert.deepEqual(await records.keysIn('s'), ['a'])
    assert.equal((await replays.use('proof', until)).outcome, 'repeated')
  })

  it('a Redis that hangs delays the first command for the limit of one command, and none after', async () => {
    await using redis = await startRedis()
    await using state = await opened(redisSettings(serverAt(redis.url, IMPATIENT)))
    const { records } = state.state
    await records.put('a', record)
    redis.pause()
    const first = await timeToReject(records.get('a'), /no answer within 2000 ms/)
    assert.ok(first >= 1_990, `${first} ms`)
    for (let count = 0; count < 20; count += 1) {
      const next = await timeToReject(records.get('a'), /no answer|not connected/)
      assert.ok(next < AT_ONCE, `${next} ms`)
    }
    assert.notEqual(state.store.failure(), undefined)
    redis.resume()
    const took = await eventually(() => records.get('a'))
    assert.ok(took < 10_000, `${took} ms`)
    assert.equal((await records.get('a'))?.text, 'x')
  })

  it('a Redis that hangs lets all of those wait for no longer that ask at once', async () => {
    await using redis = await startRedis()
    await using state = await opened(redisSettings(serverAt(redis.url, IMPATIENT)))
    redis.pause()
    const start = performance.now()
    const results = await Promise.allSettled(
      Array.from({ length: 1_000 }, (_, index) => state.state.records.take(`${index}`)),
    )
    const took = performance.now() - start
    redis.resume()
    assert.ok(results.every(({ status }) => status === 'rejected'))
    // One after the other they would wait for half an hour.
    assert.ok(took < 20_000, `${took} ms`)
  })

  it('whose network goes silent is given up, and reached over a new connection', async () => {
    await using redis = await startRedis()
    await using proxy = await startTcpProxy({ port: redis.port })
    const server = serverAt(redis.url, { ...IMPATIENT, port: proxy.port })
    await using state = await opened(redisSettings(server))
    const { records } = state.state
    await records.put('a', record)
    proxy.silent = true
    await assert.rejects(records.get('a'), unavailable(/no answer within 2000 ms/))
    proxy.silent = false
    await eventually(async () => assert.equal((await records.get('a'))?.text, 'x'))
    assert.ok(proxy.total >= 2)
  })

  it('a Redis that answers late again and again circuit opened', async () => {
    await using redis = await startRedis()
    await using proxy = await startTcpProxy({ port: redis.port })
    const server = serverAt(redis.url, { port: proxy.port, timeout: 200 })
    await using connection = await reach(server)
    const records = new RedisRecords(connection.sender, 'x')
    for (let count = 0; count < 3; count += 1) {
      proxy.delay = 150
      await assert.rejects(records.get('a'), unavailable(/no answer within 200 ms/))
      proxy.delay = 0
      await eventually(async () =>
        assert.match(String(connection.failure), /^undefined$|does not answer/),
      )
    }
    assert.ok((await timeToReject(records.get('a'), /circuit breaker is open/)) < AT_ONCE)
    assert.match(String(connection.failure), /does not answer/)
    await eventually(() => records.get('a'))
  })
})

describe('a command', { skip: skipWithoutRedis() }, () => {
  const COUNT = scriptOf("return redis.call('INCR', KEYS[1])")

  it('whose answer does not come in time is done once, and never sent again', async () => {
    await using redis = await startRedis()
    await using proxy = await startTcpProxy({ port: redis.port })
    await using connection = await reach(serverAt(redis.url, { ...IMPATIENT, port: proxy.port }))
    await connection.sender.run('count', COUNT, ['n']) // so that the script is known
    proxy.delay = 1_500
    await assert.rejects(
      connection.sender.run('count', COUNT, ['n']),
      unavailable(/no answer within 2000 ms/),
    )
    proxy.delay = 0
    await eventually(() => connection.sender.run('other', COUNT, ['other']))
    assert.equal((await redis.command('GET', 'n')).trim(), '2')
    const sent = Buffer.concat([...proxy.received]).toString()
    assert.equal(sent.split(`${COUNT.sha1}\r\n$1\r\n1\r\n$1\r\nn\r\n`).length - 1, 2)
  })

  it('a command that waits when the connection breaks fails, and is never sent again', async () => {
    await using redis = await startRedis()
    await using proxy = await startTcpProxy({ port: redis.port })
    await using connection = await reach(serverAt(redis.url, { port: proxy.port }))
    proxy.delay = 100
    const waiting = Promise.allSettled(
      Array.from({ length: 10 }, () => connection.sender.run('count', COUNT, ['n'])),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    proxy.cut()
    const start = performance.now()
    assert.ok((await waiting).every(({ status }) => status === 'rejected'))
    assert.ok(performance.now() - start < 5_000)
    proxy.delay = 0
    await eventually(() => connection.sender.run('other', COUNT, ['other']))
    assert.equal((await redis.command('GET', 'n')).trim(), '')
  })

  it('is run also where the server has forgotten its script', async () => {
    await using redis = await startRedis()
    await using connection = await connectTo(serverAt(redis.url))
    for (let count = 1; count <= 3; count += 1) {
      await redis.command('SCRIPT', 'FLUSH')
      assert.equal(await connection.sender.run('count', COUNT, ['n']), count)
    }
  })
})

describe('a Redis that was emptied', { skip: skipWithoutRedis() }, () => {
  it('has the same names afterwards for who was there before and who comes later', async () => {
    await using redis = await startRedis()
    const settings = redisSettings(serverAt(redis.url), secretOf())
    await using before = await opened(settings)
    await redis.command('FLUSHALL')
    await using after = await opened(settings)
    await before.state.records.put('a', record)
    assert.equal((await after.state.records.get('a'))?.text, 'x')
  })
})
