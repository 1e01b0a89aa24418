// Login CSRF (RFC 9700 §4.7): a sibling host can plant cookies with a `Domain` attribute, but it cannot
// plant what ties a login to the browser that began it.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import * as openid from 'openid-client'
import type { Browser, Visit } from '../fakes/browser.ts'
import {
  authorization,
  CALLBACK,
  configuration,
  ISSUER,
  logIn,
  startSite,
  type Site,
} from './authorization-server.ts'

const BROWSER_COOKIES = '__Host-countersign-browser-'
const LOGIN_COOKIE = '__Host-countersign-login'

/** A login that was proven in the attacker's browser and not resumed there. */
interface UnmappedLogin {
  readonly uid: string
  /** The attacker's cookies for the login, by name. */
  readonly cookies: ReadonlyMap<string, string>
}

describe('a login in progress', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  let url: URL
  beforeEach(async () => {
    url = (await authorization(await site.client('spa'))).url
  })

  /** What a browser gets that follows no redirect. */
  const ask = async (path: string, cookies: ReadonlyMap<string, string>, form?: string) =>
    await fetch(`http://127.0.0.1:${site.port}${path}`, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    })

  /** @param begin opens the login page */
  const provenByBob = async (
    begin = async (browser: Browser): Promise<Visit> => await browser.get(url),
  ): Promise<UnmappedLogin> => {
    const mallory = site.browser()
    const page = await begin(mallory)
    const uid = /^\/login\/([\w-]+)/.exec(page.url.pathname)?.[1] ?? ''
    const done = await mallory.send(page, '/password', { user: 'bob', password: 'builder' })
    assert.equal(done.status, 303)
    assert.ok(done.headers.location?.endsWith(`/${uid}`))
    return { uid, cookies: mallory.cookiesOf(ISSUER) }
  }

  /** As a sibling host does it by `Domain=example.org`: a `__Host-` cookie it cannot set (RFC 6265bis §4.1.3.2). */
  const plant = (victim: Browser, { uid, cookies }: UnmappedLogin): void => {
    for (const [name, value] of cookies) {
      if (name.startsWith('__Host-')) continue
      for (const path of [`/authorize/${uid}`, `/device/${uid}`, `/login/${uid}`]) {
        victim.plant(ISSUER, name, value, path)
      }
    }
  }

  const valuesOf = (browser: Browser): readonly string[] =>
    [...browser.cookiesOf(ISSUER)].flatMap(([name, value]) =>
      name.startsWith(BROWSER_COOKIES) ? [value] : [],
    )

  const userOf = async (browser: Browser): Promise<string | undefined> => {
    const { body } = await browser.get(`${ISSUER}/account`)
    return ['alice', 'bob'].find((user) => body.includes(`>${user}<`))
  }

  it('is refused in a browser that got its cookies from a sibling host', async () => {
    const victim = site.browser()
    const login = await provenByBob()
    plant(victim, login)
    const visit = await victim.get(`${ISSUER}/authorize/${login.uid}`)
    assert.equal(victim.cookiesOf(ISSUER).get(LOGIN_COOKIE), undefined)
    assert.equal(await userOf(victim), undefined)
    assert.equal(visit.status, 400)
    assert.match(visit.body, /<h1>This login was started in another browser/)
  })

  it('is refused there without logging the present user out', async () => {
    const victim = site.browser()
    await logIn(victim, url)
    const login = await provenByBob()
    plant(victim, login)
    const visit = await victim.get(`${ISSUER}/authorize/${login.uid}`)
    assert.equal(visit.status, 400)
    assert.doesNotMatch(visit.body, /<form/)
    assert.equal(await userOf(victim), 'alice')
  })

  it('is refused for a device in a browser that got its cookies from a sibling host', async () => {
    const device = await openid.initiateDeviceAuthorization(await site.client('cli'), {
      scope: 'openid',
    })
    const login = await provenByBob(async (browser) => {
      const form = await browser.get(device.verification_uri_complete ?? '')
      return await browser.submit(await browser.submit(form, '/device'), '/device', {
        confirm: 'yes',
      })
    })
    const victim = site.browser()
    plant(victim, login)
    const visit = await victim.get(`${ISSUER}/device/${login.uid}`)
    assert.equal(visit.status, 400)
    assert.match(visit.body, /<h1>This login was started in another browser/)
    assert.equal(await userOf(victim), undefined)
  })

  const STEPS = [
    ['GET', ''],
    ['GET', '/returned'],
    ['POST', '/password'],
    ['POST', '/certificate'],
    ['POST', '/consent'],
    ['POST', '/challenge'],
    ['POST', '/cancel'],
    ['POST', '/provider'],
  ] as const

  for (const [method, step] of STEPS) {
    it(`is shown in its own browser alone at ${method} /login/UID${step}`, async () => {
      const own = site.browser()
      const page = await own.get(url)
      const { pathname } = page.url
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
      const form = new URLSearchParams({ csrf, user: 'alice', password: 'wonderland' }).toString()
      const body = method === 'POST' ? form : undefined
      const cookies = own.cookiesOf(ISSUER)
      const name = `${BROWSER_COOKIES}${pathname.slice('/login/'.length).slice(0, 8)}`
      const value = cookies.get(name) ?? ''
      const without = new Map([...cookies].filter(([key]) => key !== name))
      const other = site.browser()
      await other.get(url)
      const [otherValue = ''] = valuesOf(other)
      const otherJars = [
        without,
        new Map([...without, [name, otherValue]]),
        new Map([...without, [name, '']]),
        new Map([...without, [name, `${value.slice(0, -1)}_`]]),
        // Two of the name: one was planted.
        new Map([...cookies, [`x=1; ${name}`, otherValue]]),
      ]
      const earlier = (await site.audit('login')).length
      for (const jar of otherJars) {
        const answer = await ask(`${pathname}${step}`, jar, body)
        assert.equal(answer.status, 400)
        assert.match(await answer.text(), /<h1>This login was started in another browser/)
      }
      assert.equal((await site.audit('login')).length, earlier, 'nothing was proven')
      const { status, location } = await ask(`${pathname}${step}`, cookies, body).then(
        ({ status: code, headers }) => ({ status: code, location: headers.get('location') }),
      )
      if (step === '/password') assert.match(location ?? '', /\/authorize\//)
      else assert.ok([200, 400, 403].includes(status))
    })
  }

  it('has a cookie of its own, in addition to those of other tabs, until it ends', async () => {
    const browser = site.browser()
    const [first, second] = [await browser.get(url), await browser.get(url)]
    assert.equal(valuesOf(browser).length, 2)
    const fields = { user: 'alice', password: 'wonderland' }
    assert.ok((await browser.submit(first, '/password', fields)).url.searchParams.has('code'))
    assert.equal(valuesOf(browser).length, 1)
    assert.ok((await browser.submit(second, '/password', fields)).url.searchParams.has('code'))
    assert.equal(valuesOf(browser).length, 0)
  })

  it('is kept in a cookie for the issuer’s host alone, for as long as it lasts', async () => {
    const { headers } = await fetch(`http://127.0.0.1:${site.port}${url.pathname}${url.search}`, {
      redirect: 'manual',
    })
    const [line = ''] = headers.getSetCookie().filter((one) => one.startsWith(BROWSER_COOKIES))
    assert.match(
      line,
      /^__Host-countersign-browser-[\w-]{8}=\d+\.[\w-]{43}; Max-Age=1800; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
    )
  })

  it('has no parameters of a pushed request in the address of its page (RFC 9126)', async () => {
    const client = await site.client('spa')
    const pushed = await openid.buildAuthorizationUrlWithPAR(
      client,
      Object.fromEntries(url.searchParams),
    )
    const page = await site.browser().get(pushed)
    assert.equal(page.status, 200)
    assert.deepEqual([...page.url.searchParams], [])
    assert.match((await site.browser().get(url)).url.search, /client_id=spa/)
  })

  it('replaces the oldest of 32', async () => {
    const browser = site.browser()
    const pages = [await browser.get(url)]
    for (let count = 1; count < 36; count += 1) {
      pages.push(await browser.get(url))
    }
    assert.equal(valuesOf(browser).length, 32)
    const [oldest, latest] = [pages[0], pages.at(-1)]
    assert.ok(oldest && latest)
    const fields = { user: 'alice', password: 'wonderland' }
    const page = await browser.submit(oldest, '/password', fields)
    assert.equal(page.status, 400)
    assert.match(page.body, /<a href="\/authorize\?[^"]*client_id=spa[^"]*">Log in again<\/a>/)
    assert.ok((await browser.submit(latest, '/password', fields)).url.searchParams.has('code'))
  })
})

describe('a login in progress on a development issuer over plain HTTP', () => {
  it('is bound by a cookie without a prefix, since browsers accept prefixes over TLS alone', async () => {
    const yaml = configuration().replace(`url: ${ISSUER}`, 'url: http://localhost:8000')
    await using site = await startSite(yaml)
    const answer = await fetch(
      `http://127.0.0.1:${site.port}/authorize?${new URLSearchParams({
        client_id: 'spa',
        redirect_uri: CALLBACK,
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'a'.repeat(43),
        code_challenge_method: 'S256',
      }).toString()}`,
      { redirect: 'manual' },
    )
    const lines = answer.headers.getSetCookie()
    const pairs = lines.map((line) => line.split(';', 1)[0] ?? '')
    assert.ok(pairs.some((pair) => /^countersign-browser-[\w-]{8}=\d+\.[\w-]{43}$/.test(pair)))
    const path = answer.headers.get('location') ?? ''
    const statusWith = async (cookies: readonly string[]): Promise<number> =>
      (
        await fetch(`http://127.0.0.1:${site.port}${path}`, {
          headers: { cookie: cookies.join('; ') },
        })
      ).status
    assert.equal(await statusWith(pairs), 200)
    assert.equal(
      await statusWith(pairs.filter((pair) => !pair.startsWith('countersign-browser-'))),
      400,
    )
  })
})
