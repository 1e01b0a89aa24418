// The `state` section with what it names: read whole, every problem reported, and no secret in any report.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { ProblemList } from '../../src/config/problem-list.ts'
import type { StateConfig } from '../../src/state/schema.ts'
import { readStateSettings, type StateSettings } from '../../src/state/settings.ts'
import { newStateKeyLine } from '../../src/state/state-secret.ts'
import { createAuthority } from '../servers/pki.ts'
import { temporaryFolder } from '../servers/temporary.ts'

const URL_VARIABLE = 'COUNTERSIGN_TEST_REDIS_URL'
const SECRET_VARIABLE = 'COUNTERSIGN_TEST_STATE_SECRET'

interface Read {
  readonly settings: StateSettings | undefined
  readonly problems: readonly string[]
}

const read = async (state: StateConfig): Promise<Read> => {
  const problems = new ProblemList((path, message) => ({
    file: '/etc/countersign.yaml',
    path: path.join('.'),
    message,
  }))
  const settings = await readStateSettings(state, new ConfigurationFiles(), problems)
  return {
    settings,
    problems: problems.error?.problems.map(({ path, message }) => `${path}: ${message}`) ?? [],
  }
}

const readRedis = async (
  url: string,
  parts: Partial<NonNullable<StateConfig['redis']>> = {},
): Promise<Read> => {
  process.env[URL_VARIABLE] = url
  process.env[SECRET_VARIABLE] = newStateKeyLine()
  try {
    return await read({
      redis: {
        url: { kind: 'environment', variable: URL_VARIABLE },
        secret: { kind: 'environment', variable: SECRET_VARIABLE },
        plaintext: false,
        cluster: false,
        replicas: 0,
        connectTimeout: 2_000,
        timeout: 500,
        ...parts,
      },
    })
  } finally {
    delete process.env[URL_VARIABLE]
    delete process.env[SECRET_VARIABLE]
  }
}

const readRedisServer = async (...args: Parameters<typeof readRedis>) => {
  const { settings } = await readRedis(...args)
  assert.ok(settings?.kind === 'redis')
  return settings.server
}

describe('the address of Redis', () => {
  const nobody = { username: undefined, password: undefined }
  const GOOD = [
    {
      url: 'rediss://redis.example.org',
      want: { host: 'redis.example.org', port: 6_379, database: 0, ...nobody, isSecure: true },
    },
    {
      url: 'rediss://user:p%40ss%2F%C3%BC@redis.example.org:6380/7\n',
      want: {
        host: 'redis.example.org',
        port: 6_380,
        database: 7,
        username: 'user',
        password: 'p@ss/ü',
        isSecure: true,
      },
    },
    {
      url: 'redis://:pass@127.0.0.1:1/',
      want: {
        host: '127.0.0.1',
        port: 1,
        database: 0,
        username: undefined,
        password: 'pass',
        isSecure: false,
      },
    },
    {
      url: 'redis://[::1]:6379',
      want: { host: '::1', port: 6_379, database: 0, ...nobody, isSecure: false },
    },
  ]
  for (const { url, want } of GOOD) {
    it(`is read: ${url.trim()}`, async () => {
      const { settings, problems } = await readRedis(url)
      assert.deepEqual(problems, [])
      assert.ok(settings?.kind === 'redis')
      const { nodes, database, login, tls } = settings.server
      assert.equal(nodes.length, 1)
      assert.ok(login.kind === 'fixed')
      const { username, password } = login
      const isSecure = tls !== undefined
      const [{ host, port } = { host: '', port: 0 }] = nodes
      assert.deepEqual({ host, port, database, username, password, isSecure }, want)
    })
  }

  const SECRET = 'hunter2'
  const BAD = [
    {
      name: 'a text that is not a URL',
      url: `the-host ${SECRET}`,
      want: /holds no address of the form/,
    },
    { name: 'of another scheme', url: `https://u:${SECRET}@host`, want: /holds no address/ },
    { name: 'without a host', url: `redis://`, want: /holds no address/ },
    { name: 'with a name for a database', url: `rediss://:${SECRET}@host/x`, want: /no address/ },
    { name: 'with a query', url: `rediss://:${SECRET}@host?tls=no`, want: /no address/ },
    { name: 'with a wrong escape', url: `rediss://:${SECRET}%@host`, want: /percent-encoded/ },
    { name: 'in the clear over a network', url: `redis://:${SECRET}@host`, want: /in the clear/ },
  ]
  for (const { name, url, want } of BAD) {
    it(`is refused, and not quoted: ${name}`, async () => {
      const { settings, problems } = await readRedis(url)
      assert.equal(settings, undefined)
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? '', /^state\.redis\.url: the environment variable /)
      assert.match(problems[0] ?? '', want)
      assert.ok(!problems.join().includes(SECRET))
    })
  }

  it('may be in the clear where that is said', async () => {
    const { problems } = await readRedis('redis://host', { plaintext: true })
    assert.deepEqual(problems, [])
  })
})

describe('several addresses of Redis', () => {
  const sentinel = { master: 'state' }

  it('are those of sentinels, with their port', async () => {
    const { settings } = await readRedis('rediss://u:p@one.example.org,[::1]:7/3', { sentinel })
    assert.ok(settings?.kind === 'redis')
    const { nodes, topology, login, database } = settings.server
    assert.deepEqual(nodes, [
      { host: 'one.example.org', port: 26_379 },
      { host: '::1', port: 7 },
    ])
    const withoutLogin = { kind: 'fixed', username: undefined, password: undefined }
    assert.deepEqual(topology, { kind: 'sentinel', master: 'state', login: withoutLogin })
    assert.deepEqual(login, { kind: 'fixed', username: 'u', password: 'p' })
    assert.equal(database, 3)
  })

  it('are those of a cluster, whose keys are together', async () => {
    const { settings } = await readRedis('rediss://one:1,two', { cluster: true })
    assert.ok(settings?.kind === 'redis')
    assert.deepEqual(settings.server.nodes, [
      { host: 'one', port: 1 },
      { host: 'two', port: 6_379 },
    ])
    assert.deepEqual(settings.server.topology, { kind: 'cluster', key: '{countersign}:' })
    assert.equal(settings.prefix, '{countersign}:')
  })

  it('keep a password where it can be read again', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('password')
    await writeFile(path, 'secret')
    const password = { kind: 'file', path } as const
    const parts = { password, sentinel: { master: 'state', username: 's', password } }
    const { settings } = await readRedis('rediss://u@one', parts)
    assert.ok(settings?.kind === 'redis')
    const { login, topology } = settings.server
    assert.deepEqual(login, { kind: 'password', username: 'u', reference: password })
    assert.deepEqual(topology, {
      kind: 'sentinel',
      master: 'state',
      login: { kind: 'password', username: 's', reference: password },
    })
    // So a new password is no other configuration.
    await writeFile(path, 'other')
    assert.ok(isDeepStrictEqual(settings.server, await readRedisServer('rediss://u@one', parts)))
  })

  const missing = { kind: 'file', path: '/nowhere/password' } as const
  const REFUSED = [
    {
      name: 'without a rule for the primary',
      url: 'rediss://a,b',
      parts: {},
      want: /several hosts/,
    },
    { name: 'with an empty one', url: 'rediss://a,,b', parts: { sentinel }, want: /no address/ },
    {
      name: 'of which one is far and in the clear',
      url: 'redis://127.0.0.1,far',
      parts: { sentinel },
      want: /in the clear/,
    },
    {
      name: 'of a cluster with a database',
      url: 'rediss://a/1',
      parts: { cluster: true },
      want: /none but 0/,
    },
    {
      name: 'with two passwords',
      url: 'rediss://:x@a',
      parts: { password: { kind: 'environment', variable: 'HOME' } as const },
      want: /has a password, and so has/,
    },
    {
      name: 'with two users',
      url: 'rediss://x@a',
      parts: { username: 'y' },
      want: /has a user, and so has/,
    },
    {
      name: 'with a password that is missing',
      url: 'rediss://a',
      parts: { password: missing },
      want: /nowhere/,
    },
    {
      name: 'of sentinels whose password is missing',
      url: 'rediss://a',
      parts: { sentinel: { master: 'x', password: missing } },
      want: /sentinel\.password: .*nowhere/,
    },
  ]
  for (const { name, url, parts, want } of REFUSED) {
    it(`are refused ${name}`, async () => {
      const { settings, problems } = await readRedis(url, parts)
      assert.equal(settings, undefined)
      assert.match(problems.join(), want)
    })
  }
})

describe('what state names', () => {
  it('is read, certificates too', async () => {
    await using authority = await createAuthority('Test CA')
    const { certificate, key } = await authority.issue({ commonName: 'authz', usage: 'client' })
    const { settings, problems } = await readRedis('rediss://host', {
      ca: authority.ca,
      serverName: 'other',
      client: { certificate, key: { kind: 'file', path: key } },
    })
    assert.deepEqual(problems, [])
    assert.ok(settings?.kind === 'redis')
    const { tls } = settings.server
    assert.match(String(tls?.ca), /BEGIN CERTIFICATE/)
    assert.match(String(tls?.client?.key), /PRIVATE KEY/)
    assert.equal(tls?.serverName, 'other')
  })

  it('is reported in full where it is missing', async () => {
    const { problems } = await readRedis('', {
      ca: '/nowhere/ca.pem',
      secret: { kind: 'file', path: '/nowhere/keys' },
    })
    assert.deepEqual(
      problems.map((problem) => problem.split(': ')[0]),
      ['state.redis.secret', 'state.redis', 'state.redis.url'],
    )
  })

  it('is reported where a key does not belong to its certificate', async () => {
    await using authority = await createAuthority('Test CA')
    const one = await authority.issue({ commonName: 'one', usage: 'client' })
    const other = await authority.issue({ commonName: 'other', usage: 'client' })
    const client = { certificate: one.certificate, key: { kind: 'file', path: other.key } } as const
    const { problems } = await readRedis('rediss://host', { client })
    assert.match(problems.join(), /"ca" or "client" cannot be used: .*mismatch/)
  })

  it('is not made by reading it', async () => {
    await using folder = await temporaryFolder()
    const file = folder.file('a/state.db')
    const { settings } = await read({ sqlite: { file, maxBytes: 1 } })
    assert.deepEqual(settings, { kind: 'sqlite', file, maxBytes: 1, secret: undefined })
    assert.deepEqual(await read({ memory: {} }), { settings: { kind: 'memory' }, problems: [] })
  })
})

describe('settings', () => {
  it('are other ones when a secret has changed, and the same when none has', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('keys')
    const readFrom = async (line: string): Promise<StateSettings | undefined> => {
      await writeFile(path, line)
      return (await read({ sqlite: { file: '/x', maxBytes: 1, secret: { kind: 'file', path } } }))
        .settings
    }
    const [one, other] = [newStateKeyLine(), newStateKeyLine()]
    const before = await readFrom(one)
    assert.ok(isDeepStrictEqual(before, await readFrom(`# a remark\n${one}`)))
    assert.ok(!isDeepStrictEqual(before, await readFrom(other)))
    assert.ok(!isDeepStrictEqual(before, await readFrom(`${one}\n${other}`)))
  })
})
