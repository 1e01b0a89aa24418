// What clients that have proven nothing can hold of Envoy and of the issuer: neither requests that never end
// nor logins that wait for a second factor take the login page or the key set away.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import type { ClientHttp2Session } from 'node:http2'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { Browser } from '../../fakes/browser.ts'
import { FAKE_SECRET, judge, startFakeRadius, type FakeRadius } from '../../fakes/radius-server.ts'
import { http1, openHttp2 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { eventually, PASSWORDS, type Site } from '../site.ts'
import { authorizationUrl, startLoginSite } from './login-site.ts'

const CONNECTIONS = 13
const HALF_SENT = 1_200
const WAITING = 200
/** Milliseconds that the key set may take, as a median, where the machine has nothing else to do. */
const FAST = 50
// Two processors for this test, the clients, Envoy and authz, next to other tests.
const BUSY = 10

const RATE = {
  source: { perSecond: 100_000, burst: 100_000 },
  total: { perSecond: 100_000, burst: 100_000 },
}

describe('waiting clients at the issuer, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let radius: FakeRadius
  let site: Site
  let ca: Buffer
  before(async () => {
    folder = await temporaryFolder()
    radius = await startFakeRadius()
    await writeFile(folder.file('radius.secret'), FAKE_SECRET)
    const server = {
      host: `127.0.0.1:${radius.port}`,
      secret: `file:${folder.file('radius.secret')}`,
    }
    site = await startLoginSite({
      login: { authenticators: ['push', 'staff'] },
      authenticators: {
        push: {
          basic: {
            verify: [{ radius: { servers: [server], timeout: '90s', onReject: 'unknown-user' } }],
          },
        },
      },
      // What is bounded here holds whatever the rate.
      edge: { rateLimits: { login: RATE, token: RATE, documents: RATE } },
    })
    ca = await readFile(site.pki.ca)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await radius[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const browserFrom = (from: string): Browser =>
    new Browser({ port: site.target.port, tls: { ca }, from })
  const gauge = async (name: string): Promise<number> => {
    const text = await site.envoy.admin(`/stats?filter=^${name}$`)
    return Number(/: (\d+)/.exec(text)?.[1] ?? 0)
  }

  /** Milliseconds until the key set is there, as a median of some times. */
  const keySetTime = async (): Promise<number> => {
    const times: number[] = []
    for (let count = 0; count < 9; count += 1) {
      const started = performance.now()
      const { status } = await http1(
        { ...site.target, serverName: 'id.example.org', from: '127.0.0.7' },
        { path: '/jwks' },
      )
      assert.equal(status, 200)
      times.push(performance.now() - started)
    }
    return times.toSorted((a, b) => a - b)[4] ?? Number.NaN
  }

  const logIn = async (): Promise<void> => {
    const browser = browserFrom('127.0.0.8')
    const page = await browser.get(authorizationUrl())
    const { url } = await browser.submit(page, '/password', {
      user: 'alice',
      password: PASSWORDS.alice,
    })
    assert.ok(url.searchParams.has('code'), url.href)
  }

  /** Begins requests whose body never comes, on as many connections as Envoy demands. */
  const sendHalves = async (): Promise<readonly ClientHttp2Session[]> => {
    const host = 'id.example.org'
    const sessions = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => openHttp2({ ...site.target, serverName: host })),
    )
    for (let count = 0; count < HALF_SENT; count += 1) {
      const stream = sessions[count % CONNECTIONS]?.request({
        ':method': 'POST',
        ':path': '/token',
        ':authority': host,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '1000',
      })
      stream?.on('error', () => undefined).write('g')
    }
    return sessions
  }

  it('with bodies that never arrive delay no other client', async (context) => {
    const sessions = await sendHalves()
    try {
      const active = await eventually(
        () => gauge('http.edge.downstream_rq_active'),
        (count) => count >= HALF_SENT,
      )
      const reaching = await gauge('cluster.countersign_issuer.upstream_rq_active')
      const time = await keySetTime()
      context.diagnostic(`key set ${time.toFixed(1)} ms while ${active} requests wait at Envoy`)
      await logIn()
      assert.ok(time < FAST * BUSY, `${time} ms`)
      assert.equal(reaching, 0)
    } finally {
      for (const session of sessions) session.destroy()
    }
  })

  it('with logins that wait for a second factor delay no other client', async (context) => {
    const { promise: approved, resolve: approve } = Promise.withResolvers<void>()
    radius.behave = async (request, reply) => {
      if (request.user === 'alice') return judge(request, reply)
      await approved
      return [reply()]
    }
    const waiting = Array.from({ length: WAITING }, async (_, index) => {
      const browser = browserFrom(`127.1.0.${index + 1}`)
      const page = await browser.get(authorizationUrl())
      const fields = { user: `user-${index}`, password: 'right' }
      return await browser.submit(page, '/password', fields)
    })
    await eventually(
      async () =>
        new Set(radius.requests.map(({ user }) => user)).difference(new Set(['alice'])).size,
      (count) => count === WAITING,
      60_000,
    )
    const time = await keySetTime()
    context.diagnostic(`key set ${time.toFixed(1)} ms`)
    await logIn()
    assert.ok(time < FAST * BUSY, `${time} ms`)
    approve()
    const arrived = await Promise.all(waiting)
    assert.ok(arrived.every(({ url }) => url.searchParams.has('code')))
  })

  it('with a body that never arrives, connected past Envoy, get an end after seconds without a log error', async () => {
    const socket = connect(join(dirname(site.files.config), 'issuer.sock'))
    socket.write(
      'POST /token HTTP/1.1\r\nhost: id.example.org\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\ng',
    )
    assert.match(await textOf(socket), /^HTTP\/1\.1 408 /)
    await logIn()
    assert.doesNotMatch(site.authz.log, /"level":"error"|"stack"/)
  })
})
