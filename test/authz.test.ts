// `authz` put together: a real configuration, real users, real sockets.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { credentials } from '@grpc/grpc-js'
import { startAuthz, type Authz } from '../src/authz.ts'
import { basic, type RequestParts } from './fakes/envoy.ts'
import { EnvoyClient, type Outcome } from './fakes/envoy-client.ts'
import { bcryptHashOf, cheapHash } from './fakes/hashes.ts'
import { createAuthority, createPki, type Authority, type KeyPair } from './servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const [first, second, slow] = await Promise.all([
  cheapHash('first'),
  cheapHash('second'),
  bcryptHashOf('slow', '2b', 12),
])

const USERS = `
users:
  alice: { password: '${first}', groups: [dev, ops] }
  slow: { password: '${slow}', groups: [dev] }
`

const configuration = (listen: string): string => `
version: 1
listen: { authz: ${listen} }
authenticators:
  staff: { basic: { realm: Test, verify: [{ users: { file: users.yaml } }] } }
routes:
  - name: app
    match: { hosts: [app.example.org] }
    authenticate: [staff]
    authorize:
      - { deny: no-secrets, paths: [/secrets/**] }
      - { allow: members, groups: [dev] }
    forward: { headers: kubernetes }
audit: { file: audit.jsonl }
log: { level: error }
`

/** Writes the files of a configuration and starts authz with them. */
const start = async (folder: TemporaryFolder, listen: string): Promise<Authz> => {
  await writeFile(folder.file('users.yaml'), USERS)
  await writeFile(folder.file('countersign.yaml'), configuration(listen))
  return await startAuthz(folder.file('countersign.yaml'))
}

const decisionsIn = async (folder: TemporaryFolder): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(folder.file('audit.jsonl'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ event }) => event === 'decision')

const asking = (user: string, password: string, path = '/'): RequestParts => ({
  path,
  headers: [['authorization', basic(user, password)]],
})

const summary = (outcome: Outcome): string =>
  outcome.allow ? `allow ${outcome.set['x-remote-group']}` : outcome.status

const hasIpv6 = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .some(({ address }) => address === '::1')

for (const listen of ['127.0.0.1:0', '"[::1]:0"', 'unix:run/authz.sock']) {
  describe(`authz on ${listen}`, { skip: listen.includes('::') && !hasIpv6 }, () => {
    it('is healthy, decides by its files, and audits each check once', async () => {
      await using folder = await temporaryFolder()
      await using authz = await start(folder, listen)
      using client = new EnvoyClient(authz.address)
      assert.equal(await client.health(), 'SERVING')
      const CASES: readonly (readonly [RequestParts, string])[] = [
        [asking('alice', 'first'), 'allow dev,ops'],
        [asking('alice', 'first'), 'allow dev,ops'],
        [asking('alice', 'second'), 'Unauthorized'],
        [asking('mallory', 'first'), 'Unauthorized'],
        [asking('alice', 'first', '/secrets/a'), 'Forbidden'],
        [{ host: 'other.example.org' }, 'Forbidden'],
        [{}, 'Unauthorized'],
        [{ path: '/%2e%2e/' }, 'BadRequest'],
      ]
      const ids: string[] = []
      for (const [request, want] of CASES) {
        const outcome = await client.check(request)
        assert.equal(summary(outcome), want)
        ids.push(outcome.id)
      }
      const decisions = await decisionsIn(folder)
      assert.deepEqual(
        decisions.map(({ id }) => id),
        ids,
      )
    })
  })
}

describe('a UNIX socket', () => {
  it('may be used by owner and group only', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'unix:authz.sock')
    assert.ok(authz.address.kind === 'unix')
    assert.equal((await stat(authz.address.path)).mode & 0o777, 0o660)
  })

  it('a UNIX socket that a dead process left is replaced', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('authz.sock'), '')
    await using authz = await start(folder, 'unix:authz.sock')
    using client = new EnvoyClient(authz.address)
    assert.equal(await client.health(), 'SERVING')
  })

  it('a UNIX socket that a living process has is left to it', async () => {
    await using folder = await temporaryFolder()
    const other = createServer().listen(folder.file('authz.sock'))
    await once(other, 'listening')
    await assert.rejects(start(folder, 'unix:authz.sock'), {
      code: 'listen-failed',
      message: /another process listens on unix:.*authz\.sock already/,
    })
    other.close()
  })
})

describe('the end of authz', () => {
  it('waits for the check in flight', async () => {
    await using folder = await temporaryFolder()
    const authz = await start(folder, 'unix:authz.sock')
    using client = new EnvoyClient(authz.address)
    assert.equal(await client.health(), 'SERVING')
    const { outcome } = client.call(asking('slow', 'slow'))
    // On the same connection, so the check has begun; the hash takes some hundred milliseconds.
    assert.equal(await client.health(), 'SERVING')
    const ending = authz[Symbol.asyncDispose]()
    assert.equal(summary(await outcome), 'allow dev')
    await ending
    assert.equal((await decisionsIn(folder)).length, 1)
    await assert.rejects(client.call({}, Date.now() + 500).outcome)
  })
})

describe('a reload', () => {
  const usersWith = (hash: string, group: string): string =>
    `users: { alice: { password: '${hash}', groups: [dev, ${group}] } }`
  const VERSIONS = [
    { users: usersWith(first, 'first'), password: 'first' },
    { users: usersWith(second, 'second'), password: 'second' },
  ]

  it('while checks are running gives no wrong answer, and audits each once', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'unix:authz.sock')
    using client = new EnvoyClient(authz.address)
    await writeFile(folder.file('users.yaml'), VERSIONS[0]?.users ?? '')
    await authz.reload()
    const running = new AbortController()
    let requests = 0
    const seen = new Set<string>()
    const ask = async (password: string): Promise<void> => {
      while (!running.signal.aborted) {
        requests += 1
        const got = summary(await client.check(asking('alice', password)))
        // Each password belongs to one version, and so does the group that comes with it.
        assert.ok(got === `allow dev,${password}` || got === 'Unauthorized', got)
        seen.add(`${password}: ${got}`)
      }
    }
    const lanes = ['first', 'second', 'first', 'second'].map(ask)
    for (let round = 1; round <= 12; round++) {
      const version = VERSIONS[round % 2]
      assert.ok(version !== undefined)
      await writeFile(folder.file('users.yaml'), version.users)
      await authz.reload()
      for (const { password } of VERSIONS) {
        const right: boolean = password === version.password
        requests += 1
        const got = summary(await client.check(asking('alice', password)))
        assert.equal(got, right ? `allow dev,${password}` : 'Unauthorized', `round ${round}`)
      }
    }
    running.abort()
    await Promise.all(lanes)
    assert.equal(seen.size, 4, [...seen].join('; '))
    const decisions = await decisionsIn(folder)
    assert.equal(decisions.length, requests)
    assert.equal(new Set(decisions.map(({ id }) => id)).size, requests)
  })

  it('follows a change of a file by itself', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, 'unix:authz.sock')
    using client = new EnvoyClient(authz.address)
    assert.equal(summary(await client.check(asking('alice', 'first'))), 'allow dev,ops')
    await writeFile(folder.file('users.yaml'), VERSIONS[1]?.users ?? '')
    let got = ''
    for (let wait = 0; wait < 200 && got !== 'allow dev,second'; wait++) {
      await sleep(20)
      got = summary(await client.check(asking('alice', 'second')))
    }
    assert.equal(got, 'allow dev,second')
    // What was proven a moment ago is not remembered past the file that proved it.
    assert.equal(summary(await client.check(asking('alice', 'first'))), 'Unauthorized')
  })
})

describe('mutual TLS', async () => {
  const pki = await createPki()
  const stranger = await createAuthority('Nobody trusts this CA')
  after(async () => {
    await pki[Symbol.asyncDispose]()
    await stranger[Symbol.asyncDispose]()
  })
  const listen = `{ address: '127.0.0.1:0', tls: { certificate: ${pki.upstream.certificate}, key: 'file:${pki.upstream.key}', clientCa: ${pki.ca} } }`
  const ca = await readFile(pki.ca)
  const pair = async ({ certificate, key }: { certificate: string; key: string }) =>
    [await readFile(key), await readFile(certificate)] as const
  const foreign = await stranger.issue({ commonName: 'envoy', usage: 'client' })

  it('lets in a client of the CA', async () => {
    await using folder = await temporaryFolder()
    await using authz = await start(folder, listen)
    using client = new EnvoyClient(
      authz.address,
      credentials.createSsl(ca, ...(await pair(pki.frontProxy))),
    )
    assert.equal(summary(await client.check(asking('alice', 'first'))), 'allow dev,ops')
  })

  /** A listener whose files are in the folder, and can be exchanged. */
  const exchangeable = async (folder: TemporaryFolder): Promise<Authz> => {
    await put(folder, pki, pki.upstream)
    const files = `certificate: tls.crt, key: 'file:tls.key', clientCa: ca.crt`
    return await start(folder, `{ address: '127.0.0.1:0', tls: { ${files} } }`)
  }
  const put = async (folder: TemporaryFolder, authority: Authority, identity: KeyPair) => {
    await copyFile(identity.certificate, folder.file('tls.crt'))
    await copyFile(identity.key, folder.file('tls.key'))
    await copyFile(authority.ca, folder.file('ca.crt'))
  }
  const clientOf = async ({ address }: Authz, { ca: trusted }: Authority, own: KeyPair) =>
    new EnvoyClient(address, credentials.createSsl(await readFile(trusted), ...(await pair(own))))
  const allowed = 'allow dev,ops'

  it('has another certificate and another CA from a reload on; who is connected stays so', async () => {
    await using folder = await temporaryFolder()
    await using authz = await exchangeable(folder)
    using connected = await clientOf(authz, pki, pki.frontProxy)
    assert.equal(summary(await connected.check(asking('alice', 'first'))), allowed)
    const names = ['localhost', '127.0.0.1']
    const next = await stranger.issue({ commonName: 'authz', names, usage: 'server' })
    await put(folder, stranger, next)
    await authz.reload()
    using renewed = await clientOf(authz, stranger, foreign)
    assert.equal(summary(await renewed.check(asking('alice', 'first'))), allowed)
    assert.equal(summary(await connected.check(asking('alice', 'first'))), allowed)
    using late = await clientOf(authz, stranger, pki.frontProxy)
    const { outcome } = late.call(asking('alice', 'first'), Date.now() + 2_000)
    await assert.rejects(outcome, { code: 14 })
  })

  it('keeps what it has where a certificate comes without its key', async () => {
    await using folder = await temporaryFolder()
    await using authz = await exchangeable(folder)
    await copyFile(pki.edge.certificate, folder.file('tls.crt'))
    await authz.reload()
    using client = await clientOf(authz, pki, pki.frontProxy)
    assert.equal(summary(await client.check(asking('alice', 'first'))), allowed)
  })

  const TURNED_AWAY = [
    { name: 'without TLS', channel: async () => credentials.createInsecure() },
    { name: 'without a certificate', channel: async () => credentials.createSsl(ca) },
    {
      name: 'with a certificate of another CA',
      channel: async () => credentials.createSsl(ca, ...(await pair(foreign))),
    },
  ]
  for (const { name, channel } of TURNED_AWAY) {
    it(`turns away a client ${name}, before anything is checked`, async () => {
      await using folder = await temporaryFolder()
      await using authz = await start(folder, listen)
      using client = new EnvoyClient(authz.address, await channel())
      await assert.rejects(client.call(asking('alice', 'first'), Date.now() + 2_000).outcome, {
        code: 14,
      })
      assert.deepEqual(await decisionsIn(folder), [])
    })
  }
})
