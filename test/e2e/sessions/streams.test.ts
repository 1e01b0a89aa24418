// Streams that a session began (a watch, a WebSocket) end with `session.stream`, through the real Envoy: the
// client connects anew and is judged anew. So the streams of a session that has ended end too.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import type { Browser } from '../../fakes/browser.ts'
import type { HeaderLine, Target } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import type { Site } from '../site.ts'
import { browsersAt, type Browsers } from './browsing.ts'
import { APP, COOKIE, ISSUER, startDashboards } from './dashboards.ts'

const HOST = new URL(APP).host
const STREAM_S = 2

// A stream that never ends has to fail the test.
const bound = { timeout: 30_000 }

describe('streams of a session, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  let loggedIn: Browsers['loggedIn']
  let target: Target
  before(async () => {
    const session = { cacheTtl: '0s', maxStreamDuration: `${STREAM_S}s` }
    site = await startDashboards({ sessions: [session, session] })
    ;({ loggedIn } = await browsersAt(site))
    target = { ...site.target, serverName: HOST }
  })
  after(() => site[Symbol.asyncDispose]())

  const cookieOf = (browser: Browser): HeaderLine => [
    'Cookie',
    `${COOKIE}=${browser.cookiesOf(APP).get(COOKIE) ?? ''}`,
  ]

  /** A response in chunks that the upstream never ends, such as a watch. */
  const watch = async (cookie: HeaderLine) =>
    await sendRaw(target, {
      line: 'GET /slow?interval=50 HTTP/1.1',
      headers: [['Host', HOST], ['Accept', 'application/json'], cookie],
    })

  const openSocket = async (cookie: HeaderLine) =>
    await upgradeRaw(target, {
      headers: [
        ['Host', HOST],
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Origin', APP],
        cookie,
      ],
    })

  it('end after maxStreamDuration, and the session continues', bound, async () => {
    const browser = await loggedIn()
    const cookie = cookieOf(browser)
    const started = performance.now()
    const watching = watch(cookie)
    using socket = await openSocket(cookie)
    assert.equal(socket.answer.status, 101)
    socket.socket.resume()
    const [answer] = await Promise.all([watching, once(socket.socket, 'close')])
    assert.equal(answer.status, 200)
    assert.ok(performance.now() - started > STREAM_S * 1_000 - 100, 'not before')
    assert.equal((await browser.get(`${APP}/`)).status, 200)
    using again = await openSocket(cookie)
    assert.equal(again.answer.status, 101)
  })

  it('end with the session, and cannot be begun again', bound, async () => {
    const browser = await loggedIn()
    const cookie = cookieOf(browser)
    const watching = watch(cookie)
    using socket = await openSocket(cookie)
    assert.equal(socket.answer.status, 101)
    socket.socket.resume()
    const closed = once(socket.socket, 'close')
    await browser.submit(await browser.get(`${ISSUER}/account`), '/account/everywhere')
    await Promise.all([watching, closed])
    using again = await openSocket(cookie)
    assert.equal(again.answer.status, 401)
    assert.equal((await watch(cookie)).status, 401)
  })
})
