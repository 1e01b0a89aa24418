// A user opens a dashboard in a browser, logs in, and works: the real Envoy, and an upstream that shows
// what it received.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { Site } from '../site.ts'
import { browsersAt, logInAt, type Browsers } from './browsing.ts'
import { follow } from '../../fakes/browser.ts'
import { APP, COOKIE, eventsAt, gotBy, OTHER, startDashboards } from './dashboards.ts'

describe('browser sessions, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  let browserOf: Browsers['browserOf']
  let loggedIn: Browsers['loggedIn']
  before(async () => {
    site = await startDashboards()
    ;({ browserOf, loggedIn } = await browsersAt(site))
  })
  after(() => site[Symbol.asyncDispose]())

  it('lead through a login to the requested page, and to a token for the upstream', async () => {
    const browser = browserOf()
    const login = await follow(browser, `${APP}/orders/7?tab=%C3%BC&x=1`)
    assert.equal(login.url.host, 'id.example.org')
    assert.match(login.body, /app\.example\.org/)
    const back = await logInAt(login, browser)
    const page = await follow(browser, back.url)
    assert.equal(page.status, 200)
    assert.equal(page.url.href, `${APP}/orders/7?tab=%C3%BC&x=1`)
    const got = gotBy(page.body)
    assert.equal(got['x-remote-user'], 'alice')
    const token = decodeJwt(got['authorization']?.replace('Bearer ', '') ?? '')
    assert.equal(token.sub, 'alice')
    assert.equal(token.aud, 'kubernetes')
    assert.deepEqual(token['groups'], ['dev', 'ops', 'with, comma'])
    assert.deepEqual(token['amr'], ['pwd'])
    assert.equal(typeof token['auth_time'], 'number')
    const decision = (await eventsAt(site, 'decision')).at(-1)
    assert.deepEqual(
      [decision?.['authentication'], decision?.['authenticator'], decision?.['user']],
      ['session', 'browser', 'alice'],
    )
    const began = (await eventsAt(site, 'session-began')).at(-1)
    const loggedInAs = (await eventsAt(site, 'login')).at(-1)
    assert.equal(began?.['user'], 'alice')
    assert.match(String(began['login']), /^[\w-]{22}$/)
    assert.equal(loggedInAs?.['login'], began['login'])
    const { proven, login: presentedLogin } = Object(decision?.['presented'])
    assert.deepEqual([proven, presentedLogin], [true, began['login']])
  })

  it('are in cookies without data, for one host, which are not forwarded', async () => {
    const browser = await loggedIn()
    const value = browser.cookiesOf(APP).get(COOKIE) ?? ''
    assert.match(value, /^[\w-]{43}$/)
    browser.plant(APP, 'theirs', 'kept')
    const page = await browser.get(`${APP}/`)
    assert.equal(gotBy(page.body)['cookie'], 'theirs=kept')
    assert.ok(
      [...browser.cookiesOf(APP).keys()].every((name) => !name.startsWith(`${COOKIE}-begun-`)),
    )
  })

  it('share one login on several hosts', async () => {
    const browser = await loggedIn()
    const page = await follow(browser, `${OTHER}/`)
    assert.equal(page.status, 200)
    assert.equal(gotBy(page.body)['x-remote-user'], 'alice')
  })

  it('begin with a redirect for navigations; programs get 401', async () => {
    for (const headers of [
      {},
      { accept: 'application/json' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' },
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' },
    ]) {
      const answer = await browserOf(headers).get(`${APP}/api`)
      assert.equal(answer.status, 401, JSON.stringify(headers))
      assert.equal(answer.headers['set-cookie'], undefined)
    }
    const old = await browserOf({ accept: 'text/html,*/*' }).get(`${APP}/api`)
    assert.equal(old.status, 302)
  })

  it('do not change how passwords are accepted', async () => {
    const pair = Buffer.from('alice:wonderland').toString('base64')
    const browser = browserOf({ authorization: `Basic ${pair}` })
    assert.equal((await browser.get(`${APP}/`)).status, 200)
  })

  it('are refused where rules refuse the user', async () => {
    const browser = browserOf()
    const login = await follow(browser, `${APP}/`)
    const back = await browser.submit(login, '/password', { user: 'bob', password: 'builder' })
    assert.equal((await follow(browser, back.url)).status, 403)
  })

  it('keep a form that is sent after their end, and forward it nowhere', async () => {
    const page = await browserOf().post(`${APP}/orders`, { amount: '3' })
    assert.equal(page.status, 401)
    assert.match(page.body, /\/\.countersign\/login/)
    const login = await follow(browserOf(), `${APP}/.countersign/login`)
    assert.equal(login.url.host, 'id.example.org')
  })
})
