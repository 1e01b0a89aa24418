// A Redis that refuses, or is not the one that it should be: what is reported, without a secret, and that
// it is used as soon as it accepts.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { RedisServer } from '../../../src/state/redis/primary.ts'
import { RedisAttempts } from '../../../src/state/redis/attempts.ts'
import { scriptOf } from '../../../src/state/redis/sender.ts'
import { createAuthority } from '../../servers/pki.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { opened } from '../opening.ts'
import { secretOf } from '../sealing.ts'
import { connectTo, reach, secureServerOf, serverAt } from './reaching.ts'
import { eventually, redisSettings } from './settings.ts'
import { failing } from '../failing.ts'

const skip = skipWithoutRedis()
const record = { text: 'x'.repeat(10_000), kind: 'login', lifetime: 60_000 } as const

describe('a Redis that does not take us', { skip, concurrency: 2 }, () => {
  const secure = async (
    redis: Redis,
    parts: Parameters<typeof secureServerOf>[1] = {},
  ): Promise<RedisServer> => await secureServerOf(redis, parts)

  const CASES: readonly {
    readonly name: string
    readonly server: (redis: Redis) => RedisServer | Promise<RedisServer>
    readonly want: RegExp
  }[] = [
    {
      name: 'for a wrong password',
      server: ({ url }) => serverAt(url, { password: 'not it' }),
      want: /WRONGPASS/,
    },
    {
      name: 'for no password',
      server: ({ url }) => serverAt(url, { password: undefined }),
      want: /NOAUTH/,
    },
    {
      name: 'for an unknown user',
      server: ({ url }) => serverAt(url, { username: 'mallory', password: 'not it' }),
      want: /WRONGPASS/,
    },
    {
      name: 'for speaking no TLS',
      server: ({ tlsUrl }) => serverAt(tlsUrl, { host: '127.0.0.1' }),
      want: /./,
    },
    {
      name: 'for speaking TLS',
      server: (redis) => secureServerOf(redis, {}, { port: redis.port }),
      want: /SSL|TLS|wrong version|no answer/,
    },
    {
      name: 'for a database that it has not',
      server: ({ url }) => serverAt(url, { database: 99 }),
      want: /DB index is out of range/,
    },
    {
      name: 'for the name in its certificate',
      server: (redis) => secure(redis, { serverName: 'other.example.org' }),
      want: /other\.example\.org/,
    },
  ]
  for (const { name, server, want } of CASES) {
    it(`reports ${name}, without the password`, async () => {
      await using redis = await startRedis()
      await using state = await opened(redisSettings(await server(redis)))
      const start = performance.now()
      await assert.rejects(state.state.records.get('a'), failing('unavailable', want))
      assert.ok(performance.now() - start < 5_000)
      assert.equal(state.lines.length, 2) // the state, and the failed command
      assert.match(state.lines.join(), want)
      assert.doesNotMatch(state.lines.join(), /not it|redis secret/)
    })
  }

  it('for an unknown CA says so', async () => {
    await using redis = await startRedis()
    await using stranger = await createAuthority('Somebody else')
    const ca = await readFile(stranger.ca)
    await using connection = await reach(await secure(redis, { ca }))
    assert.match(String(connection.failure), /unable to verify|self-signed|unknown/i)
    await using unknown = await reach(await secure(redis, { ca: undefined }))
    assert.match(String(unknown.failure), /unable to verify|self-signed|unknown/i)
  })

  it('without a client certificate reports it, and takes one of its CA', async () => {
    await using redis = await startRedis({ demandCertificate: true })
    await using bare = await reach(await secure(redis, { client: undefined }))
    assert.notEqual(bare.failure, undefined)
    await using connection = await connectTo(await secure(redis))
    assert.equal(await connection.sender.run('x', scriptOf('return 1'), []), 1)
  })

  it('is used as soon as it does', async () => {
    await using redis = await startRedis()
    const server = serverAt(redis.url, { username: 'later', password: 'its-password' })
    await using state = await opened(redisSettings(server))
    await assert.rejects(state.state.records.get('a'), failing('unavailable', /WRONGPASS/))
    await redis.command('ACL', 'SETUSER', 'later', 'on', '>its-password', '~*', '+@all')
    await eventually(() => state.state.records.put('a', record))
    assert.equal(state.store.failure() === undefined, false) // what failed a moment ago is news
    assert.equal((await state.state.records.get('a'))?.text, record.text)
  })
})

describe('a password that is replaced', { skip }, () => {
  const setUp = async () => {
    await using stack = new AsyncDisposableStack()
    const redis = stack.use(await startRedis())
    const folder = stack.use(await temporaryFolder())
    const file = folder.file('password')
    await writeFile(file, 'one\n')
    const allow = async (...rules: readonly string[]): Promise<void> => {
      await redis.command('ACL', 'SETUSER', 'rotated', ...rules)
    }
    await allow('on', '>one', '~*', '+@all')
    const reference = { kind: 'file', path: file } as const
    const login = { kind: 'password', username: 'rotated', reference } as const
    const server = serverAt(redis.url, { login })
    const owned = stack.move()
    return { redis, file, allow, server, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  }

  it('is used by the next connection', async () => {
    await using scene = await setUp()
    await using state = await opened(redisSettings(scene.server))
    await state.state.records.put('a', record)
    await scene.allow('resetpass', '>two') // which ends the user's connections
    await writeFile(scene.file, 'two')
    await scene.redis.command('CLIENT', 'KILL', 'USER', 'rotated')
    await eventually(() => state.state.records.get('a'))
    assert.equal((await state.state.records.get('a'))?.text, record.text)
  })

  it('is sent over the present connection, which continues', async () => {
    await using scene = await setUp()
    await using connection = await connectTo(scene.server)
    await scene.allow('>two')
    await writeFile(scene.file, 'two')
    const before = await scene.redis.command('INFO', 'commandstats')
    await connection.look()
    await connection.look() // not once more
    const authsIn = (text: string): number =>
      Number(/cmdstat_auth:calls=(\d+)/.exec(text)?.[1] ?? 0)
    const after = await scene.redis.command('INFO', 'commandstats')
    // One is that of the administrator who asks.
    assert.equal(authsIn(after) - authsIn(before), 2)
    assert.deepEqual(connection.reports, [undefined])
  })

  it('is reported where the server does not know it, and the connection is given up', async () => {
    await using scene = await setUp()
    await using connection = await connectTo(scene.server)
    await writeFile(scene.file, 'wrong')
    await connection.look()
    assert.match(String(connection.failure), /WRONGPASS/)
    assert.doesNotMatch(String(connection.failure), /wrong\b/)
    await writeFile(scene.file, 'one')
    await eventually(async () => assert.equal(connection.failure, undefined))
  })
})

describe('a user with fewer rights than needed', { skip }, () => {
  it('is reported when it lacks a command', async () => {
    await using redis = await startRedis()
    await redis.command('ACL', 'SETUSER', 'countersign', '-zadd')
    await using state = await opened(redisSettings(serverAt(redis.userUrl)))
    await state.state.records.put('a', record)
    await assert.rejects(
      state.state.records.put('a', record, ['s']),
      failing('unavailable', /can't run this command/),
    )
  })
})

describe('a Redis that is full', { skip }, () => {
  it('says so, gives what it has, and has room again when something ends', async () => {
    await using redis = await startRedis({ maxMemory: 4 * 1024 * 1024 })
    await using state = await opened(redisSettings(serverAt(redis.url)))
    await using connection = await connectTo(serverAt(redis.url))
    const { records, replays, keys } = state.state
    const attempts = new RedisAttempts(connection.sender, 'countersign:') // as they are in the store
    let count = 0
    const fill = async (): Promise<void> => {
      for (; count < 10_000; count += 1) {
        await records.put(`${count}`, record, ['all'])
      }
    }
    await assert.rejects(fill(), failing('overloaded', /full \(maxmemory\).*OOM/))
    assert.ok(count > 50, `${count}`)
    const pace = { attempts: 3, backOff: 1, lockAfter: 5, lockFor: 1, forget: 60_000 }
    const scope = { key: keys.of('a'), pace, binding: true, weight: 1 }
    const FULL = failing('overloaded', /OOM/)
    // What has to be written is refused, also where something is there already.
    await assert.rejects(records.put('0', record), FULL)
    await assert.rejects(records.add('new', record), FULL)
    await assert.rejects(records.replace('0', record.text, record), FULL)
    await assert.rejects(attempts.take([scope]), FULL)
    await assert.rejects(
      attempts.remember({ key: 'a', text: '', lifetime: 1, retained: true }),
      FULL,
    )
    assert.equal((await replays.use('a', Date.now() + 60_000)).outcome, 'unavailable')
    assert.match(String(state.store.failure()), /maxmemory/)
    // What can be read or removed is.
    assert.equal((await records.get('0'))?.text, record.text)
    assert.equal((await records.take('1'))?.text, record.text)
    await records.remove(await records.keysIn('all'))
    await eventually(() => records.put('again', record))
    assert.equal((await attempts.take([scope])).outcome, 'taken')
  })

  it('reports a Redis that evicts keys instead of refusing writes', async () => {
    await using redis = await startRedis({ maxMemory: 4 * 1024 * 1024, policy: 'allkeys-lru' })
    const settings = redisSettings(serverAt(redis.url))
    await using state = await opened(settings)
    assert.match(state.lines.join(), /"policy":"allkeys-lru".*set maxmemory-policy noeviction/)
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await using other = await opened(settings)
    assert.deepEqual(other.lines, [])
  })
})

describe('a Redis with state of another secret', { skip }, () => {
  it('stops the start, and does not when the old one follows the new one', async () => {
    await using redis = await startRedis()
    const [old, next] = [secretOf(), secretOf()]
    const server = serverAt(redis.url)
    {
      await using state = await opened(redisSettings(server, old))
      await state.state.records.put('a', record)
    }
    await assert.rejects(
      opened(redisSettings(server, next)),
      failing('configuration-invalid', /^redis 127.* cannot be used: .*sealed with another secret/),
    )
    await using state = await opened(redisSettings(server, [next[0], old[0]]))
    assert.equal((await state.state.records.get('a'))?.text, record.text)
  })

  it('is not used when it is found only later', async () => {
    await using redis = await startRedis({ persistent: true })
    const server = serverAt(redis.url)
    await (await opened(redisSettings(server)))[Symbol.asyncDispose]()
    const keys = async (): Promise<readonly string[]> =>
      (await redis.command('KEYS', '*')).trim().split('\n').toSorted()
    const before = await keys()
    assert.ok(before.includes('countersign:record:countersign'))
    await redis.kill()
    await using state = await opened(redisSettings(server))
    await redis.start()
    await eventually(async () =>
      assert.rejects(state.state.records.get('a'), failing('unavailable', /another secret/)),
    )
    assert.match(String(state.store.failure()), /another secret/)
    assert.deepEqual(await keys(), before)
  })
})

describe('a reader of a Redis', { skip }, () => {
  it('learns nothing of what is stored', async () => {
    await using redis = await startRedis()
    await using state = await opened(redisSettings(serverAt(redis.url)))
    const { records, attempts, replays, keys } = state.state
    const text = 'the-very-secret-refresh-token'
    await records.put('session-of-alice', { text, kind: 'login', lifetime: 60_000 }, [
      'everything-of-alice',
    ])
    const key = keys.of('refused', 'alice', 'her-password')
    await attempts.remember({ key, text: 'the-note-about-alice', lifetime: 60_000, retained: true })
    const pace = { attempts: 3, backOff: 1, lockAfter: 5, lockFor: 1, forget: 60_000 }
    await attempts.take([{ key: keys.of('alice'), pace, binding: true, weight: 1 }])
    await replays.use('proof-of-alice', Date.now() + 60_000)
    const bytes = await redis.dump()
    assert.ok(bytes.includes(key)) // it is what the server holds
    for (const word of ['alice', 'refresh', 'session', 'password', 'the-note', 'proof']) {
      assert.ok(!bytes.includes(word), word)
      assert.ok(!bytes.includes(Buffer.from(word).toString('base64url').slice(0, -2)), word)
    }
  })
})
