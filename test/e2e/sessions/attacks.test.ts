// Sessions of browsers under attack, through the real Envoy: a login that another user began, an answer
// that comes twice, cookies of another host.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import type { Site } from '../site.ts'
import { browsersAt, logInAt, NAVIGATING, type Browsers } from './browsing.ts'
import { follow } from '../../fakes/browser.ts'
import { APP, COOKIE, OTHER, startDashboards } from './dashboards.ts'

describe('sessions of browsers under attack, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let site: Site
  let browserOf: Browsers['browserOf']
  let loggedIn: Browsers['loggedIn']
  before(async () => {
    site = await startDashboards()
    ;({ browserOf, loggedIn } = await browsersAt(site))
  })
  after(() => site[Symbol.asyncDispose]())

  const begun = async () => {
    const browser = browserOf()
    const login = await follow(browser, `${APP}/`)
    const back = await logInAt(login, browser)
    return { browser, callback: back.url }
  }

  it('the code of a login that another browser began is refused: the browser logs in itself', async () => {
    const { browser, callback } = await begun()
    const victim = browserOf()
    const page = await follow(victim, callback)
    assert.equal(page.url.host, 'id.example.org')
    assert.match(page.body, /name="password"/)
    assert.equal(victim.cookiesOf(APP).has(COOKIE), false)
    assert.equal((await follow(browser, callback)).status, 200, 'it was still to be used')
  })

  it('a code is accepted once', async () => {
    const { browser, callback } = await begun()
    const copy = browser.copy()
    assert.equal((await follow(browser, callback)).status, 200)
    assert.equal((await copy.get(callback)).status, 403)
    assert.equal(copy.cookiesOf(APP).has(COOKIE), false)
  })

  it('an answer of another issuer is refused (RFC 9207)', async () => {
    for (const issuer of [undefined, 'https://evil.example']) {
      const { browser, callback } = await begun()
      if (issuer === undefined) callback.searchParams.delete('iss')
      else callback.searchParams.set('iss', issuer)
      assert.equal((await browser.get(callback)).status, 400)
    }
  })

  it('a session cookie from before the login is not accepted after it', async () => {
    const first = await loggedIn()
    const earlier = first.cookiesOf(APP).get(COOKIE) ?? ''
    const login = await follow(first, `${APP}/.countersign/login`)
    await follow(first, login.url)
    assert.notEqual(first.cookiesOf(APP).get(COOKIE), earlier)
    const old = browserOf()
    old.plant(APP, COOKIE, earlier)
    assert.equal((await old.get(`${APP}/`)).status, 302)
  })

  it('no login redirects to another site', async () => {
    for (const path of ['//evil.example/', '/\\evil.example', '/%2f%2fevil.example/..']) {
      const browser = browserOf()
      const redirect = await browser.get(`${APP}${path}`)
      if (redirect.status !== 302) continue
      const login = await follow(browser, redirect.url)
      const page = await follow(browser, (await logInAt(login, browser)).url)
      assert.equal(page.url.host, 'app.example.org', path)
    }
  })

  it('two cookies of the session’s name are refused', async () => {
    const browser = await loggedIn()
    const text = browser.cookiesOf(APP).get(COOKIE) ?? ''
    const cookie = `${COOKIE}=${text}; ${COOKIE}=${text}`
    assert.equal((await browserOf({ ...NAVIGATING, cookie }).get(`${APP}/`)).status, 401)
  })

  it('the cookie of one host is refused on another', async () => {
    const browser = await loggedIn()
    const thief = browserOf()
    thief.plant(APP, COOKIE, browser.cookiesOf(APP).get(COOKIE) ?? '')
    thief.plant(OTHER, COOKIE, browser.cookiesOf(APP).get(COOKIE) ?? '')
    assert.equal((await thief.get(`${APP}/`)).status, 200)
    const { status, url } = await thief.get(`${OTHER}/`)
    assert.deepEqual([status, url.host], [302, 'id.example.org'])
  })

  it('a link to the last step of a logout ends no session', async () => {
    const browser = await loggedIn()
    const session = browser.cookiesOf(APP).get(COOKIE) ?? ''
    const states = ['', '?state=x', `?state=${'A'.repeat(60)}`]
    for (const query of states) {
      const answer = await browser.look(`${APP}/.countersign/logged-out${query}`)
      assert.equal(answer.headers['clear-site-data'], undefined)
      assert.equal(browser.cookiesOf(APP).get(COOKIE), session)
    }
    assert.equal((await browser.get(`${APP}/`)).status, 200)
  })

  it('the last step of a logout needs the browser and the session that began it', async () => {
    const [one, other] = [await loggedIn(), await loggedIn()]
    const form = await one.get(`${APP}/.countersign/logout`)
    const state = form.url.searchParams.get('state') ?? ''
    const back = `${APP}/.countersign/logged-out?state=${encodeURIComponent(state)}`
    await other.get(back)
    assert.equal((await other.get(`${APP}/`)).status, 200, 'of another browser')
    const answer = await one.look(back)
    assert.equal(answer.headers['clear-site-data'], '"cache"')
    assert.equal(one.cookiesOf(APP).has(COOKIE), false)
    assert.equal((await one.get(`${APP}/`)).status, 302)
  })
})
