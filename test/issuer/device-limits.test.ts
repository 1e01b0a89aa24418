// RFC 8628 §5.1: user codes are short, so guesses at them are limited; and device codes, which anyone can
// ask for, are limited too.
//
// Slow: it makes some thousand guesses.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as openid from 'openid-client'
import type { Browser, Visit } from '../fakes/browser.ts'
import { scrape, seriesOf } from '../fakes/scraping.ts'
import {
  atSocket,
  CALLBACK,
  configuration,
  ISSUER,
  startSite,
  type Site,
} from './authorization-server.ts'

const VERIFICATION = `${ISSUER}/device`

const from = (site: Site, source: string): Browser =>
  site.browser({ 'x-countersign-source': source })

const codeFor = async (site: Site): Promise<openid.DeviceAuthorizationResponse> =>
  await openid.initiateDeviceAuthorization(await site.client('cli'), { scope: 'openid' })

/** Enters wrong codes, as many as are taken; the statuses, and the last page with a form. */
const guess = async (browser: Browser, times: number) => {
  const statuses: number[] = []
  let page = await browser.get(VERIFICATION)
  for (let index = 0; index < times; index += 1) {
    const code = `BBBB-${(index % 400)
      .toString(20)
      .padStart(4, '0')
      .replaceAll(/[0-9a-j]/g, letter)}`
    const visit = await browser.submit(page, '/device', { user_code: code })
    statuses.push(visit.status)
    if (visit.status === 200) page = visit
  }
  return { statuses, page }
}

const letter = (digit: string): string => 'BCDFGHJKLMNPQRSTVWXZ'[Number.parseInt(digit, 20)] ?? 'B'

const enter = async (browser: Browser, page: Visit, code: string): Promise<Visit> =>
  await browser.submit(page, '/device', { user_code: code })

describe('the user codes of devices', () => {
  it('cannot be guessed: of 1,200 wrong ones from one source ten are looked up', async () => {
    await using site = await startSite(atSocket(configuration()))
    const { user_code: code } = await codeFor(site)
    const guesser = from(site, '203.0.113.7')
    const { statuses, page } = await guess(guesser, 1_200)
    const taken = statuses.filter((status) => status === 200).length
    assert.ok(taken <= 10, `${taken} were taken`)
    assert.equal(statuses.filter((status) => status === 429).length, 1_200 - taken)
    const refused = await enter(guesser, page, code)
    assert.equal(refused.status, 429, 'the right one does not help either')
    assert.ok(Number(refused.headers['retry-after']) > 0)
    assert.match(refused.body, /<h1>Too many requests/)
    const other = from(site, '198.51.100.1')
    const confirm = await enter(other, await other.get(VERIFICATION), code)
    assert.equal(confirm.status, 200)
    assert.ok(confirm.body.includes(code), 'from another source it is known')
  })

  it('are counted for the user who is logged in, whatever the source of the guesses', async () => {
    await using site = await startSite(atSocket(configuration()))
    const first = from(site, '203.0.113.1')
    await first.submit(await first.get(`${ISSUER}/account`), '/password', {
      user: 'alice',
      password: 'wonderland',
    })
    assert.ok((await guess(first, 8)).statuses.includes(429))
    // So few would be looked up from a source without earlier guesses.
    const elsewhere = first.copy({ 'x-countersign-source': '203.0.113.2' })
    assert.ok((await guess(elsewhere, 4)).statuses.includes(429))
    const other = from(site, '203.0.113.2')
    assert.equal((await enter(other, await other.get(VERIFICATION), 'BBBB-BBBB')).status, 200)
  })

  it('are limited for all sources together, but not for a browser that is logged in', async () => {
    await using site = await startSite(atSocket(configuration()))
    const { user_code: code } = await codeFor(site)
    let limited: Visit | undefined
    for (let index = 0; index < 200 && limited === undefined; index += 1) {
      const browser = from(site, `10.0.0.${index}`)
      const { statuses, page } = await guess(browser, 5)
      if (statuses.includes(429)) limited = await enter(browser, page, code)
    }
    assert.ok(limited)
    assert.equal(limited.status, 429)
    assert.match(limited.body, /<a href="\/account">Log in again<\/a>/)
    const loggedIn = from(site, '198.51.100.9')
    await loggedIn.submit(await loggedIn.get(`${ISSUER}/account`), '/password', {
      user: 'bob',
      password: 'builder',
    })
    const confirm = await enter(loggedIn, await loggedIn.get(VERIFICATION), code)
    assert.equal(confirm.status, 200)
    assert.ok(confirm.body.includes(code))
  })

  it('count nothing where they are right, or where the page’s cookie has expired', async () => {
    await using site = await startSite(atSocket(configuration()))
    const { user_code: code } = await codeFor(site)
    const browser = from(site, '203.0.113.7')
    const page = await browser.get(VERIFICATION)
    for (let index = 0; index < 15; index += 1) {
      assert.equal((await enter(browser, page, code)).status, 200)
      assert.equal((await enter(from(site, '203.0.113.7'), page, code)).status, 400)
    }
  })

  it('are counted in the metrics', async () => {
    const yaml = configuration().replace(
      'issuer: "127.0.0.1:0" }',
      'issuer: "127.0.0.1:0", admin: "127.0.0.1:0" }',
    )
    await using site = await startSite(atSocket(yaml))
    const { user_code: code } = await codeFor(site)
    const { page, statuses } = await guess(from(site, '203.0.113.7'), 7)
    const limited = statuses.filter((status) => status === 429).length
    assert.ok(limited > 0)
    await enter(from(site, '203.0.113.8'), page, code) // without its cookie
    const other = from(site, '198.51.100.1')
    await enter(other, await other.get(VERIFICATION), code)
    const counts = seriesOf(await scrape(site.authz.admin), 'countersign_device_codes_total')
    assert.deepEqual(counts, {
      'outcome=accepted,step=requested': 1,
      'outcome=unknown,step=entered': 7 - limited,
      'outcome=limited,step=entered': limited,
      'outcome=accepted,step=entered': 1,
    })
  })
})

describe('the device codes', () => {
  const request = async (site: Site, source: string, client: Readonly<Record<string, string>>) =>
    await fetch(`http://127.0.0.1:${site.port}/device/authorize`, {
      method: 'POST',
      headers: { 'x-countersign-source': source },
      body: new URLSearchParams({ scope: 'openid', ...client }),
    })

  it('are limited for a public client by its source, with 429 and Retry-After', async () => {
    await using site = await startSite(atSocket(configuration()))
    const statuses = new Map<number, number>()
    for (let index = 0; index < 100; index += 1) {
      const { status } = await request(site, '203.0.113.7', { client_id: 'cli' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    assert.deepEqual([...statuses.keys()], [200, 429])
    const taken = statuses.get(200) ?? 0
    assert.ok(taken >= 60 && taken <= 62, `${taken} were taken`)
    const refused = await request(site, '203.0.113.7', { client_id: 'cli' })
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    const answer: unknown = await refused.json()
    assert.ok(typeof answer === 'object' && answer !== null && 'error' in answer)
    assert.equal(answer.error, 'temporarily_unavailable')
    assert.equal((await request(site, '203.0.113.8', { client_id: 'cli' })).status, 200)
  })

  it('can be polled every five seconds at most (slow_down)', async () => {
    await using site = await startSite(atSocket(configuration()))
    const { device_code: code } = await codeFor(site)
    const poll = async (): Promise<unknown> => {
      const answer: unknown = await (
        await fetch(`http://127.0.0.1:${site.port}/token`, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
            device_code: code,
            client_id: 'cli',
          }),
        })
      ).json()
      return typeof answer === 'object' && answer !== null && 'error' in answer && answer.error
    }
    assert.equal(await poll(), 'authorization_pending')
    assert.equal(await poll(), 'slow_down')
    assert.equal(await poll(), 'slow_down')
  })
})

describe('the parameters of a stored request', () => {
  const LONG = {
    login_hint: 256,
    nonce: 512,
    state: 2_048,
    ui_locales: 100,
    acr_values: 256,
  }
  const PKCE = {
    client_id: 'web',
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'a'.repeat(43),
    code_challenge_method: 'S256',
  }

  const authorize = async (site: Site, fields: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({ ...PKCE, ...fields }).toString()
    const url = `http://127.0.0.1:${site.port}/authorize?${query}`
    const answer = await fetch(url, { redirect: 'manual' })
    const location = new URL(answer.headers.get('location') ?? '', ISSUER)
    return location.searchParams.get('error') ?? location.pathname.slice(0, 7)
  }

  const push = async (site: Site, path: string, fields: Readonly<Record<string, string>>) => {
    const answer: unknown = await (
      await fetch(`http://127.0.0.1:${site.port}${path}`, {
        method: 'POST',
        body: new URLSearchParams(fields),
      })
    ).json()
    return typeof answer === 'object' && answer !== null && 'error' in answer && answer.error
  }

  it('are refused when they are too long, at every endpoint that keeps them', async () => {
    await using site = await startSite(atSocket(configuration()))
    const pushed = { ...PKCE, client_id: 'spa' }
    for (const [name, most] of Object.entries(LONG)) {
      const [right, long] = [most, most + 1].map((length) => {
        return { [name]: 'a'.repeat(length) }
      })
      const calls = async (fields: Readonly<Record<string, string>> = {}) => [
        await authorize(site, fields),
        await push(site, '/par', { ...pushed, ...fields }),
        await push(site, '/device/authorize', { client_id: 'cli', scope: 'openid', ...fields }),
      ]
      assert.deepEqual(await calls(right), ['/login/', false, false], name)
      // A device sends no state.
      const device = name === 'state' ? false : 'invalid_request'
      assert.deepEqual(await calls(long), ['invalid_request', 'invalid_request', device], name)
    }
    // Without a resource the provider keeps known scopes alone.
    const resource = 'https://api.example.org'
    const scope = `openid ${'a'.repeat(1_018)}`
    assert.equal(await authorize(site, { resource, scope }), 'invalid_request')
    assert.equal(await authorize(site, { resource, scope: scope.slice(0, -1) }), '/login/')
  })
})

describe('the state of a logout', () => {
  it('is refused when it is too long and the browser is not logged in', async () => {
    await using site = await startSite()
    const url = `http://127.0.0.1:${site.port}/logout`
    for (const [length, status] of [
      [2_048, 200],
      [7_500, 400],
    ] as const) {
      const form = new URLSearchParams({ client_id: 'spa', state: 'a'.repeat(length) })
      assert.equal((await fetch(`${url}?${form.toString()}`)).status, status)
    }
  })
})
