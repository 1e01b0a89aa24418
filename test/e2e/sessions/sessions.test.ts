// A person opens a dashboard in a browser, logs in, and works: the real Envoy, a real Chromium, and an
// upstream that tells what it got.

import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Browser as Chromium, BrowserContextOptions, Page } from 'playwright-core'
import { decodeJwt } from 'jose'
import { Browser, type Visit } from '../../fakes/browser.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { skipWithoutChromium, startChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startSite, type Site } from '../site.ts'

const ISSUER = 'https://id.example.org'
const APP = 'https://app.example.org'
const OTHER = 'https://other.example.org'
const COOKIE = '__Host-countersign'

/** As a browser that goes to a page says it. */
const NAVIGATING = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

describe('sessions of browsers, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let ca: Buffer
  before(async () => {
    folder = await temporaryFolder()
    const keys = folder.file('keys')
    await mkdir(keys)
    await writeSigningKeys(keys, [await madeKey('ES256')])
    const dashboard = {
      authenticate: ['browser', 'staff'],
      authorize: [
        { deny: 'not-bob', users: ['bob'] },
        { allow: 'staff', groups: ['dev'] },
      ],
      forward: { headers: 'kubernetes', bearer: { mint: { audience: 'kubernetes' } } },
    }
    site = await startSite({
      issuer: { url: ISSUER, keys, login: { authenticators: ['staff'] } },
      authenticators: { browser: { session: { remember: '0s' } } },
      routes: [
        { ...dashboard, name: 'app', match: { hosts: ['app.example.org'] } },
        { ...dashboard, name: 'other', match: { hosts: ['other.example.org'] } },
      ],
    })
    ca = await readFile(site.pki.ca)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const browserOf = (headers: Readonly<Record<string, string>> = NAVIGATING): Browser =>
    new Browser({ port: site.target.port, tls: { ca } }, headers)
  const logInAt = async (page: Visit, browser: Browser): Promise<Visit> =>
    await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
  /** What the upstream got. */
  const gotBy = ({ body }: Pick<Visit, 'body'>): Readonly<Record<string, string>> => {
    const { rawHeaders }: { rawHeaders: readonly string[] } = JSON.parse(body)
    return Object.fromEntries(
      rawHeaders.flatMap((name, index) =>
        index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? '']] : [],
      ),
    )
  }
  const eventsOf = async (event: string): Promise<readonly Record<string, unknown>[]> =>
    (await readFile(site.files.audit, 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter((line) => line['event'] === event)

  /** A browser that is logged in at the host, through all redirects. */
  const loggedIn = async (host = APP): Promise<Browser> => {
    const browser = browserOf()
    const login = await follow(browser, `${host}/`)
    await follow(browser, (await logInAt(login, browser)).url)
    return browser
  }

  it('lead through a login to where somebody wanted to go, and to a token for the upstream', async () => {
    const browser = browserOf()
    const login = await follow(browser, `${APP}/orders/7?tab=%C3%BC&x=1`)
    assert.equal(login.url.host, 'id.example.org')
    assert.match(login.body, /app\.example\.org/)
    const back = await logInAt(login, browser)
    const page = await follow(browser, back.url)
    assert.equal(page.status, 200)
    assert.equal(page.url.href, `${APP}/orders/7?tab=%C3%BC&x=1`)
    const got = gotBy(page)
    assert.equal(got['x-remote-user'], 'alice')
    const token = decodeJwt(got['authorization']?.replace('Bearer ', '') ?? '')
    assert.equal(token.sub, 'alice')
    assert.equal(token.aud, 'kubernetes')
    assert.deepEqual(token['groups'], ['dev', 'ops', 'with, comma'])
    assert.deepEqual(token['amr'], ['pwd'])
    assert.equal(typeof token['auth_time'], 'number')
    const decision = (await eventsOf('decision')).at(-1)
    assert.deepEqual(
      [decision?.['authentication'], decision?.['authenticator'], decision?.['user']],
      ['session', 'browser', 'alice'],
    )
    assert.equal((await eventsOf('session-began')).at(-1)?.['user'], 'alice')
  })

  it('are cookies that hold nothing, for this host alone, and not for the upstream', async () => {
    const browser = await loggedIn()
    const value = browser.cookiesOf(APP).get(COOKIE) ?? ''
    assert.match(value, /^[\w-]{43}$/)
    browser.plant(APP, 'theirs', 'kept')
    const page = await browser.get(`${APP}/`)
    assert.equal(gotBy(page)['cookie'], 'theirs=kept')
    assert.ok(
      [...browser.cookiesOf(APP).keys()].every((name) => !name.startsWith(`${COOKIE}-begun-`)),
    )
  })

  it('are one login for several hosts', async () => {
    const browser = await loggedIn()
    const page = await follow(browser, `${OTHER}/`)
    assert.equal(page.status, 200)
    assert.equal(gotBy(page)['x-remote-user'], 'alice')
  })

  it('hostile: the cookie of one host is none of another', async () => {
    const browser = await loggedIn()
    const thief = browserOf()
    thief.plant(APP, COOKIE, browser.cookiesOf(APP).get(COOKIE) ?? '')
    thief.plant(OTHER, COOKIE, browser.cookiesOf(APP).get(COOKIE) ?? '')
    assert.equal((await thief.get(`${APP}/`)).status, 200)
    const { status, url } = await thief.get(`${OTHER}/`)
    assert.deepEqual([status, url.host], [302, 'id.example.org'])
  })

  it('are offered to those who navigate; programs get 401', async () => {
    for (const headers of [
      {},
      { accept: 'application/json' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: 'text/html' },
      { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
      { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' },
    ]) {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const answer = await browserOf(headers).get(`${APP}/api`)
      assert.equal(answer.status, 401, JSON.stringify(headers))
      assert.equal(answer.headers['set-cookie'], undefined)
    }
    const old = await browserOf({ accept: 'text/html,*/*' }).get(`${APP}/api`)
    assert.equal(old.status, 302)
  })

  it('leave passwords as they were', async () => {
    const pair = Buffer.from('alice:wonderland').toString('base64')
    const browser = browserOf({ authorization: `Basic ${pair}` })
    assert.equal((await browser.get(`${APP}/`)).status, 200)
  })

  it('do not let in whom the rules do not', async () => {
    const browser = browserOf()
    const login = await follow(browser, `${APP}/`)
    const back = await browser.submit(login, '/password', { user: 'bob', password: 'builder' })
    assert.equal((await follow(browser, back.url)).status, 403)
  })

  it('a form that comes too late is kept, and not sent anywhere', async () => {
    const page = await browserOf().post(`${APP}/orders`, { amount: '3' })
    assert.equal(page.status, 401)
    assert.match(page.body, /\/\.countersign\/login/)
    const login = await follow(browserOf(), `${APP}/.countersign/login`)
    assert.equal(login.url.host, 'id.example.org')
  })

  describe('attacked', () => {
    const begun = async () => {
      const browser = browserOf()
      const login = await follow(browser, `${APP}/`)
      const back = await logInAt(login, browser)
      return { browser, callback: back.url }
    }

    it('a login that somebody else began is nobody’s', async () => {
      const { callback } = await begun()
      const victim = browserOf()
      const page = await victim.get(callback)
      assert.equal(page.status, 400)
      assert.equal(victim.cookiesOf(APP).has(COOKIE), false)
    })

    it('a code comes back once', async () => {
      const { browser, callback } = await begun()
      const copy = browser.copy()
      assert.equal((await follow(browser, callback)).status, 200)
      assert.equal((await copy.get(callback)).status, 403)
      assert.equal(copy.cookiesOf(APP).has(COOKIE), false)
    })

    it('an answer of another issuer is refused (RFC 9207)', async () => {
      for (const issuer of [undefined, 'https://evil.example']) {
        // oxlint-disable-next-line no-await-in-loop -- one after another
        const { browser, callback } = await begun()
        if (issuer === undefined) callback.searchParams.delete('iss')
        else callback.searchParams.set('iss', issuer)
        // oxlint-disable-next-line no-await-in-loop -- as above
        assert.equal((await browser.get(callback)).status, 400)
      }
    })

    it('a session that was there before the login is none after it', async () => {
      const first = await loggedIn()
      const earlier = first.cookiesOf(APP).get(COOKIE) ?? ''
      const login = await follow(first, `${APP}/.countersign/login`)
      await follow(first, login.url)
      assert.notEqual(first.cookiesOf(APP).get(COOKIE), earlier)
      const old = browserOf()
      old.plant(APP, COOKIE, earlier)
      assert.equal((await old.get(`${APP}/`)).status, 302)
    })

    it('nobody is led elsewhere', async () => {
      for (const path of ['//evil.example/', '/\\evil.example', '/%2f%2fevil.example/..']) {
        const browser = browserOf()
        // oxlint-disable-next-line no-await-in-loop -- one after another
        const asked = await browser.get(`${APP}${path}`)
        if (asked.status !== 302) continue
        // oxlint-disable-next-line no-await-in-loop -- as above
        const login = await follow(browser, asked.url)
        // oxlint-disable-next-line no-await-in-loop -- as above
        const page = await follow(browser, (await logInAt(login, browser)).url)
        assert.equal(page.url.host, 'app.example.org', path)
      }
    })

    it('two cookies of the name are nobody’s browser', async () => {
      const browser = await loggedIn()
      const text = browser.cookiesOf(APP).get(COOKIE) ?? ''
      const cookie = `${COOKIE}=${text}; ${COOKIE}=${text}`
      assert.equal((await browserOf({ ...NAVIGATING, cookie }).get(`${APP}/`)).status, 401)
    })
  })

  describe('in a browser', { skip: skipWithoutChromium() }, () => {
    let chromium: Chromium
    before(async () => {
      chromium = await startChromium([
        `--host-resolver-rules=MAP *.example.org:443 127.0.0.1:${site.target.port}`,
      ])
    })
    after(() => chromium.close())

    const open = async (options: BrowserContextOptions = {}) => {
      const context = await chromium.newContext({ ignoreHTTPSErrors: true, ...options })
      return {
        context,
        page: await context.newPage(),
        [Symbol.asyncDispose]: () => context.close(),
      }
    }
    const fillIn = async (page: Page): Promise<void> => {
      await page.getByLabel('User name').fill('alice')
      await page.getByLabel('Password').fill('wonderland')
      await page.keyboard.press('Enter')
    }

    it('a deep link comes back with its query and its fragment', async () => {
      await using tab = await open()
      const { page } = tab
      await page.goto(`${APP}/orders/7?tab=2#line-3`)
      await fillIn(page)
      await page.waitForURL(`${APP}/orders/7?tab=2#line-3`)
      assert.match(await page.locator('body').innerText(), /x-remote-user/i)
    })

    it('tabs that log in at once all end where they began', async () => {
      await using tab = await open()
      const { context, page } = tab
      const paths = ['/a', '/b?x=1', '/c']
      const pages = [page, await context.newPage(), await context.newPage()]
      for (const [index, one] of pages.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- all of them before the first login
        await one.goto(`${APP}${paths[index]}`)
      }
      for (const [index, one] of pages.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- one after another
        await fillIn(one)
        // oxlint-disable-next-line no-await-in-loop -- as above
        await one.waitForURL(`${APP}${paths[index]}`)
      }
    })

    it('logging out ends the session here and at the authorization server', async () => {
      await using tab = await open()
      const { page } = tab
      await page.goto(`${APP}/`)
      await fillIn(page)
      await page.waitForURL(`${APP}/`)
      await page.goto(`${APP}/.countersign/logout`)
      await page.getByRole('button', { name: 'Log out' }).click()
      await page.waitForURL(`${ISSUER}/login/**`)
      assert.equal(await page.getByLabel('Password').count(), 1)
    })

    it('back in the history after a logout, nothing is shown that needs a login', async () => {
      await using tab = await open()
      const { page } = tab
      await page.goto(`${APP}/secret-page`)
      await fillIn(page)
      await page.waitForURL(`${APP}/secret-page`)
      await page.goto(`${APP}/.countersign/logout`)
      await page.getByRole('button', { name: 'Log out' }).click()
      await page.waitForURL(`${ISSUER}/login/**`)
      await page.goto(`${APP}/secret-page`)
      await page.waitForURL(`${ISSUER}/login/**`)
    })
  })
})

const MOST_HOPS = 8

/** Goes where redirects lead, from host to host. */
const follow = async (browser: Browser, start: string | URL): Promise<Visit> => {
  let visit = await browser.get(start)
  for (let hops = 0; hops < MOST_HOPS && visit.headers.location !== undefined; hops += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each says where the next is
    visit = await browser.get(visit.url)
  }
  return visit
}
