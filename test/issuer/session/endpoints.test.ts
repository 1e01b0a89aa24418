// What answers below `/.countersign/`, with a token endpoint that says whatever a test wants.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { BrowserSessions } from '../../../src/logins/browser-sessions.ts'
import { LoginAttempts } from '../../../src/logins/login-attempts.ts'
import { SessionEndpoints } from '../../../src/issuer/session/endpoints.ts'
import { PageSender } from '../../../src/issuer/http/page-sender.ts'
import { MemoryRecords } from '../../../src/state/memory-records.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { MemoryAudit } from '../../fakes/audit-sink.ts'
import { Browser } from '../../fakes/browser.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { themeOf } from '../../fakes/pages.ts'

const ISSUER = 'https://id.example.org'
const APP = 'https://app.example.org'
const COOKIE = '__Host-countersign'

describe('the callback of a login for a route', () => {
  const clock = new FakeClock()
  const keys = new DerivedKeys()
  const attempts = new LoginAttempts(keys)
  const sessions = new BrowserSessions(new MemoryRecords(clock), keys, clock)
  const audit = new MemoryAudit()
  const requests: URLSearchParams[] = []
  let answer: (nonce: string) => unknown = () => undefined
  let nonce = ''
  let port = 0
  const server = createServer()
  before(async () => {
    const theme = await themeOf()
    const endpoints = new SessionEndpoints({
      server: {
        url: ISSUER,
        clients: [],
        resources: new Map(),
        login: undefined,
        sessions: new Map([
          [
            'app.example.org',
            {
              idleTimeout: 60_000,
              maxLifetime: 120_000,
              maxStreamDuration: 60_000,
              cacheTtl: 0,
              origins: [],
            },
          ],
        ]),
        theme,
      },
      logins: {
        sessions,
        termsOf: () => Promise.resolve({ login: 'login-1', ends: Number.POSITIVE_INFINITY }),
      },
      derivedKeys: keys,
      sender: new PageSender(theme, ISSUER),
      tokenClient: (form) => {
        requests.push(form)
        return Promise.resolve(answer(nonce))
      },
      audit,
      clock,
    })
    server.on('request', (request, response) => {
      const [path = ''] = (request.url ?? '').split('?', 1)
      endpoints.answer(path, request, response).catch(() => response.writeHead(503).end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    ;({ port } = address)
  })
  after(() => server.close())

  const token = (claims: object): string =>
    `x.${Buffer.from(JSON.stringify({ grant_id: 'g', ...claims })).toString('base64url')}.x`

  /** Comes back from a login with a code, and whatever else is to be in the address. */
  const comeBack = async (more: Readonly<Record<string, string>> = {}) => {
    const browser = new Browser({ port })
    const begun = attempts.begin('app.example.org', '/orders', clock.now())
    ;({ nonce } = begun)
    browser.plant(APP, begun.cookie.name, begun.cookie.value)
    const url = new URL('/.countersign/callback', APP)
    url.search = new URLSearchParams({
      state: begun.state,
      iss: ISSUER,
      code: 'the-code',
      ...more,
    }).toString()
    return { browser, visit: await browser.get(url) }
  }

  it('begins a session and redirects to the target', async () => {
    answer = (wanted) => ({ id_token: token({ sub: 'alice', nonce: wanted, sid: 's' }) })
    const { browser } = await comeBack()
    const text = browser.cookiesOf(APP).get(COOKIE) ?? ''
    assert.equal((await sessions.find(text))?.user, 'alice')
    assert.deepEqual([...browser.cookiesOf(APP).keys()], [COOKIE])
    const form = requests.at(-1)
    assert.equal(form?.get('code'), 'the-code')
    assert.equal(form.get('redirect_uri'), `${APP}/.countersign/callback`)
    assert.match(form.get('code_verifier') ?? '', /^[\w-]{43,}$/)
    assert.equal(await sessions.endLogin('s'), 1)
  })

  for (const { name, said, more = {}, status } of [
    {
      name: 'the token endpoint refuses the code',
      said: () => ({ error: 'invalid_grant' }),
      status: 403,
    },
    { name: 'the token endpoint sends no answer', said: () => undefined, status: 403 },
    {
      name: 'the state is down at the token endpoint',
      said: () => ({ error: 'temporarily_unavailable' }),
      status: 503,
    },
    {
      name: 'the token endpoint has an internal error',
      said: () => ({ error: 'server_error' }),
      status: 503,
    },
    {
      name: 'the ID token has another nonce',
      said: () => ({ id_token: token({ sub: 'alice', nonce: 'x' }) }),
      status: 403,
    },
    {
      name: 'the ID token has no nonce',
      said: () => ({ id_token: token({ sub: 'alice' }) }),
      status: 403,
    },
    {
      name: 'the ID token has no subject',
      said: (wanted: string) => ({ id_token: token({ nonce: wanted }) }),
      status: 503,
    },
    {
      name: 'the authorization response is an error',
      said: () => undefined,
      more: { code: '' },
      status: 403,
    },
  ]) {
    it(`hostile: begins no session where ${name}`, async () => {
      answer = said
      const { browser, visit } = await comeBack(more)
      assert.equal(visit.status, status)
      assert.equal(browser.cookiesOf(APP).has(COOKIE), false)
      assert.deepEqual(await sessions.list(), [])
    })
  }

  it('begins no session where the login is ended meanwhile', async () => {
    answer = async (wanted) => {
      await sessions.endLogin('ended')
      return { id_token: token({ sub: 'alice', nonce: wanted, sid: 'ended' }) }
    }
    const { browser, visit } = await comeBack()
    assert.equal(visit.status, 403)
    assert.equal(browser.cookiesOf(APP).has(COOKIE), false)
    assert.deepEqual(await sessions.list(), [])
  })

  it('begins no session that cannot be recorded', async () => {
    answer = (wanted) => ({ id_token: token({ sub: 'alice', nonce: wanted }) })
    audit.full = true
    const { browser, visit } = await comeBack()
    audit.full = false
    assert.equal(visit.status, 503)
    assert.equal(browser.cookiesOf(APP).has(COOKIE), false)
    assert.deepEqual(await sessions.list(), [])
  })

  describe('without the cookie of its attempt', () => {
    const callback = (state: string, more: Readonly<Record<string, string>> = { code: 'x' }) => {
      const url = new URL('/.countersign/callback', APP)
      url.search = new URLSearchParams({ state, iss: ISSUER, ...more }).toString()
      return url
    }
    const begin = (target: string, again = false) =>
      attempts.begin('app.example.org', target, clock.now(), again)

    it('redirects to its target where the browser has a session', async () => {
      answer = (wanted) => ({ id_token: token({ sub: 'alice', nonce: wanted, sid: 's' }) })
      const { browser } = await comeBack()
      const redeemed = requests.length
      const late = begin('/late')
      clock.advance(1_801_000)
      const text = await sessions.begin({
        user: 'alice',
        claims: {},
        login: 's',
        host: 'app.example.org',
        source: '',
        userAgent: '',
        ends: clock.now() + 60_000,
        idle: 60_000,
      })
      browser.plant(APP, COOKIE, text ?? '')
      const visit = await browser.look(callback(late.state))
      assert.deepEqual([visit.status, visit.headers.location], [303, '/late'])
      const unknown = await browser.look(callback('x'.repeat(90)))
      assert.deepEqual([unknown.status, unknown.headers.location], [303, '/'])
      assert.equal(requests.length, redeemed, 'no code was used')
      assert.equal(await sessions.endLogin('s'), 1)
    })

    it('begins the login again for its target, once', async () => {
      const browser = new Browser({ port })
      const visit = await browser.look(callback(begin('/late').state))
      assert.equal(visit.status, 302)
      const location = new URL(visit.headers.location ?? '')
      assert.equal(`${location.origin}${location.pathname}`, `${ISSUER}/authorize`)
      const next = location.searchParams.get('state') ?? ''
      const known = attempts.read('app.example.org', next)
      assert.deepEqual([known?.target, known?.again], ['/late', true])
      assert.equal(browser.cookiesOf(APP).size, 1)
      const withoutCookies = new Browser({ port })
      const page = await withoutCookies.get(callback(next))
      assert.equal(page.status, 400)
      assert.match(page.body, /<h1>Cookies are blocked/)
      assert.match(page.body, /<a href="\/late">Log in again<\/a>/)
    })

    for (const { name, state, more } of [
      { name: 'an unknown state', state: () => 'x'.repeat(90) },
      {
        name: 'a state of another host',
        state: () => attempts.begin('other.example.org', '/', clock.now()).state,
      },
      {
        name: 'a response without a code',
        state: () => begin('/').state,
        more: { error: 'access_denied' },
      },
    ]) {
      it(`displays a page with a link for ${name}`, async () => {
        const browser = new Browser({ port })
        const page = await browser.get(callback(state(), more))
        assert.equal(page.status, 400)
        assert.match(page.body, /<h1>This page has expired/)
        assert.match(page.body, /<a href="\/">Log in again<\/a>/)
        assert.equal(browser.cookiesOf(APP).has(COOKIE), false)
      })
    }
  })

  it('exists on the hosts with sessions only, with its own paths and methods', async () => {
    const browser = new Browser({ port })
    assert.equal((await browser.get('https://other.example.org/.countersign/login')).status, 404)
    assert.equal((await browser.get(`${APP}/.countersign/else`)).status, 404)
    assert.equal((await browser.post(`${APP}/.countersign/logout`, {})).status, 405)
  })
})
