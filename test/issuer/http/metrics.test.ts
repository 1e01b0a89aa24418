// The metrics of logins, sessions and tokens of a whole authz: where the value of each label comes from, and that
// clients cannot create label values.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import { IssuerMetrics } from '../../../src/issuer/http/metrics.ts'
import { MetricsPage } from '../../../src/runtime/metrics/page.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { readPrometheus } from '../../fakes/exposition.ts'
import { startFakeOpenId } from '../../fakes/openid-provider.ts'
import { read, scrape, seriesOf } from '../../fakes/scraping.ts'
import { startScriptedHttp } from '../../servers/scripted-http.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { authorization, logIn, refusalOf, startSite, type Site } from '../authorization-server.ts'
import { callbackOf, leave, siteWith } from '../upstream-idp-site.ts'
import { ACCOUNT, BOB, loggedIn, sessionOn, withSessions } from '../session/browsing.ts'

const withAdmin = (yaml: string): string =>
  yaml.replace('issuer: "127.0.0.1:0" }', 'issuer: "127.0.0.1:0", admin: "127.0.0.1:0" }')

const withCards = (yaml: string): string =>
  yaml
    .replace('authenticators: [staff]\n    claims', 'authenticators: [staff, card]\n    claims')
    .replace('issuer: "127.0.0.1:0"', 'issuer: "unix:issuer.sock"')
    .replace('  staff: {', '  card: { certificate: { trust: ca.pem } }\n  staff: {')

const countsOf = async ({ authz }: Site, name: string) =>
  seriesOf(await scrape(authz.admin), `countersign_${name}_total`)

describe('the metrics of logins, sessions and tokens', () => {
  let pki: Pki
  before(async () => {
    pki = await createPki()
  })
  after(() => pki[Symbol.asyncDispose]())

  it('count logins by method, outcome and reason', async () => {
    const files = { 'ca.pem': await readFile(pki.ca, 'utf8') }
    await using site = await startSite(withCards(withAdmin(withSessions())), files)
    const browser = site.browser()
    const page = await browser.get((await authorization(await site.client('spa'))).url)
    await browser.submit(page, '/password', { user: 'alice', password: 'no' })
    await browser.submit(page, '/password', { user: 'unknown', password: 'no' })
    await browser.submit(page, '/certificate')
    await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
    assert.deepEqual(await countsOf(site, 'logins'), {
      'login_method=password,outcome=refused,reason=credential-wrong': 1,
      'login_method=password,outcome=refused,reason=user-unknown': 1,
      'login_method=certificate,outcome=refused,reason=credential-missing': 1,
      'login_method=password,outcome=succeeded,reason=': 1,
    })
    const events = await site.audit('login')
    assert.deepEqual(
      events.map(({ loginMethod }) => loginMethod),
      ['password', 'password', 'certificate', 'password'],
    )
  })

  it('have the id of the upstream IdP as the login method, and the duration of its requests', async () => {
    await using fake = await startFakeOpenId()
    const providers = [
      { id: 'corp', issuer: fake.issuer },
      { id: 'down', issuer: 'https://127.0.0.1:1' },
    ]
    await using site = await siteWith(providers, '[staff]', withAdmin(withSessions()))
    await leave(site, 'down')
    const { browser, left } = await leave(site, 'corp')
    fake.settings.intercept = (_request, response) => {
      response.writeHead(503).end()
      return true
    }
    const back = new URL(callbackOf('corp'))
    const state = left.url.searchParams.get('state') ?? ''
    back.search = new URLSearchParams({ code: 'c', state }).toString()
    await browser.get(back)
    const counts = await countsOf(site, 'logins')
    assert.deepEqual(counts, {
      'login_method=down,outcome=refused,reason=authenticator-unavailable': 1,
      'login_method=corp,outcome=refused,reason=authenticator-unavailable': 1,
    })
    const series = 'countersign_dependency_request_duration_seconds_count'
    const durations = seriesOf(await scrape(site.authz.admin), series)
    const countOf = (id: string, outcome: string): number | undefined =>
      durations[`kind=upstream-idp,operation=,outcome=${outcome},server=${id}`]
    assert.equal(countOf('corp', 'answered'), 1) // for its metadata
    assert.equal(countOf('corp', 'failed'), 1) // for tokens
    assert.equal(countOf('down', 'answered'), 0)
    assert.ok((countOf('down', 'failed') ?? 0) >= 1)
  })

  it('count renewed and ended logins by login method and cause', async () => {
    const metrics = new IssuerMetrics()
    const known = { user: 'alice', loginMethod: 'corp', provider: 'corp' }
    metrics.written({ event: 'login-renewed', ...known, groups: [], credential: 'c' })
    metrics.written({ event: 'login-ended', ...known, cause: 'not-renewed' })
    metrics.written({ event: 'login-ended', ...known, cause: 'upstream-logout' })
    const local = { user: 'bob', loginMethod: 'password', authenticator: 'staff' }
    metrics.written({ event: 'login-ended', ...local, cause: 'recheck' })
    const page = new MetricsPage(metrics.all, new FakeClock())
    const series = readPrometheus((await page.render()).body)
    assert.deepEqual(seriesOf(series, 'countersign_logins_renewed_total'), {
      'login_method=corp': 1,
    })
    assert.deepEqual(seriesOf(series, 'countersign_logins_ended_total'), {
      'cause=not-renewed,login_method=corp': 1,
      'cause=upstream-logout,login_method=corp': 1,
      'cause=recheck,login_method=password': 1,
    })
  })

  it('count sessions that begin, and logouts by users', async () => {
    await using site = await startSite(withAdmin(withSessions()))
    const [phone, desk, bob] = [
      await loggedIn(site),
      await loggedIn(site),
      await loggedIn(site, BOB),
    ]
    await sessionOn(phone.browser)
    await sessionOn(desk.browser)
    const left = await bob.browser.get('https://id.example.org/logout')
    await bob.browser.submit(left, '/confirm', { logout: 'yes' })
    await desk.browser.submit(await desk.browser.get(ACCOUNT), '/everywhere')
    const again = await loggedIn(site)
    await again.browser.submit(again.page, '/here')
    assert.deepEqual(await countsOf(site, 'sessions_begun'), { '': 2 })
    assert.deepEqual(await countsOf(site, 'logouts'), { 'which=current': 2, 'which=all': 1 })
    const [logout] = await site.audit('sessions-ended')
    assert.deepEqual([logout?.['user'], logout?.['which']], ['bob', 'current'])
  })

  it('count no logout that was not confirmed, or without a login', async () => {
    await using site = await startSite(withAdmin(withSessions()))
    const { browser } = await loggedIn(site)
    const question = await browser.get('https://id.example.org/logout')
    await browser.submit(question, '/confirm')
    await site.browser().get('https://id.example.org/logout')
    assert.deepEqual(await countsOf(site, 'logouts'), {})
  })

  it('count issued tokens by grant type, and refusals by error', async () => {
    await using site = await startSite(withAdmin(withSessions()))
    const client = await site.client('cli')
    const browser = site.browser()
    const { url, checks } = await authorization(client, {
      redirect_uri: 'http://127.0.0.1/callback',
      scope: 'openid offline_access',
    })
    const back = await logIn(browser, url)
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    await openid.refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.equal(
      await refusalOf(openid.refreshTokenGrant(client, tokens.refresh_token ?? '')),
      'invalid_grant',
    )
    await openid.clientCredentialsGrant(await site.client('robot'), {
      resource: 'https://api.example.org',
    })
    const post = async (form: Readonly<Record<string, string>>, accept = '*/*'): Promise<void> => {
      const body = new URLSearchParams(form)
      await fetch(`http://127.0.0.1:${site.port}/token`, {
        method: 'POST',
        headers: { accept },
        body,
      })
    }
    const device = await openid.initiateDeviceAuthorization(client, {})
    const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
    await post({ grant_type: DEVICE, client_id: 'cli', device_code: device.device_code })
    await post({ grant_type: 'alice', client_id: 'cli' })
    await post({ grant_type: 'alice', client_id: 'bob' }, 'text/html')
    assert.deepEqual(await countsOf(site, 'tokens_issued'), {
      'grant_type=authorization_code': 1,
      'grant_type=refresh_token': 1,
      'grant_type=client_credentials': 1,
    })
    assert.deepEqual(await countsOf(site, 'token_refusals'), {
      'error=invalid_grant': 1,
      'error=authorization_pending': 1,
      'error=unsupported_grant_type': 1,
      'error=invalid_client': 1,
    })
  })

  it('count delivered and failed logout tokens, from the account page and the logout page', async () => {
    let status = 200
    await using application = await startScriptedHttp(() => ({ status }))
    await using site = await startSite(
      withAdmin(withSessions()).replace(
        'spa: {',
        `spa: { backchannelLogout: '${application.origin}/bye',`,
      ),
    )
    const client = await site.client('spa')
    for (const [answer, from] of [
      [200, 'account'],
      [500, 'account'],
      [204, 'logout'],
      [403, 'logout'],
    ] as const) {
      status = answer
      const { browser, page } = await loggedIn(site)
      const { url, checks } = await authorization(client)
      await openid.authorizationCodeGrant(client, (await browser.get(url)).url, checks)
      await sessionOn(browser)
      if (from === 'account') {
        await browser.submit(page, '/here')
      } else {
        const question = await browser.get('https://id.example.org/logout')
        await browser.submit(question, '/confirm', { logout: 'yes' })
      }
    }
    assert.deepEqual(await countsOf(site, 'logout_tokens'), {
      'outcome=delivered': 2,
      'outcome=failed': 2,
    })
  })

  it('hostile: contain no name of a user, client or host, and no value that a client sent', async () => {
    await using site = await startSite(withAdmin(withSessions()))
    const { browser } = await loggedIn(site)
    await sessionOn(browser)
    await refusalOf(openid.genericGrantRequest(await site.client('spa'), 'made-up', {}))
    const { body } = await read(site.authz.admin, '/metrics')
    const labels = body.split('\n').filter((line) => line.startsWith('countersign_'))
    for (const name of ['alice', 'spa', 'example.org', 'made-up', '127.0.0.1']) {
      assert.deepEqual(
        labels.filter((line) => line.replace(/^\w+/, '').includes(name)),
        [],
      )
    }
    const metrics = new IssuerMetrics()
    metrics.tokensRefused('an invalid error code')
    const page = new MetricsPage(metrics.all, new FakeClock())
    const series = readPrometheus((await page.render()).body)
    assert.deepEqual(seriesOf(series, 'countersign_token_refusals_total'), { 'error=other': 1 })
  })
})
