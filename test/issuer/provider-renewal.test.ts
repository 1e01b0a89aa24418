// Logins at a provider of others, a library's that is not ours, while they last: it is asked again before
// what it said expires, what it says then counts, and who is out there is out here.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { authorizationCodeGrant, refreshTokenGrant } from 'openid-client'
import { startAuthz } from '../../src/authz.ts'
import { Browser, type Visit } from '../fakes/browser.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import { FAKE_CLIENT } from '../fakes/openid-provider.ts'
import { startNodeOidc, type NodeOidc } from '../servers/node-oidc.ts'
import { createPki, type Pki } from '../servers/pki.ts'
import { authorization, logIn, refusalOf, type Site } from './authorization-server.ts'
import { callbackOf, leave, siteWith } from './provider-site.ts'
import { hasToLogIn, isIn, sessionOn, withSessions } from './session/browsing.ts'

const APP = 'https://app.example.org'
const COOKIE = '__Host-countersign'

/** How long the provider stands by what it says, in seconds, and when it is asked again, in milliseconds. */
const LIFETIME_S = 3
const DUE_MS = 2_100
const OVERDUE_MS = 3_100

describe('a login at a provider of others', () => {
  let pki: Pki
  let oidc: NodeOidc
  before(async () => {
    pki = await createPki()
    oidc = await startNodeOidc(pki.upstream, [
      {
        client_id: FAKE_CLIENT.id,
        client_secret: FAKE_CLIENT.secret,
        redirect_uris: [callbackOf('corp')],
        post_logout_redirect_uris: [`${callbackOf('corp')}/logout`],
        backchannel_logout_uri: `${callbackOf('corp')}/logout`,
        backchannel_logout_session_required: true,
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: 'ES256',
      },
    ])
  })
  beforeEach(async () => {
    oidc.reset()
    Object.assign(oidc.settings, { lifetime: LIFETIME_S, account: 'there', groups: ['staff'] })
    await oidc.start()
  })
  after(async () => {
    await oidc[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  const start = async (further: Readonly<Record<string, unknown>> = {}, state = '') => {
    const corp = {
      scopes: ['openid', 'profile', 'groups', 'offline_access'],
      parameters: { prompt: 'consent' },
      identity: { user: 'claims.preferred_username', groups: 'claims.groups' },
      ...further,
    }
    const providers = [{ id: 'corp', issuer: oidc.issuer, ca: pki.ca, further: corp }]
    return await siteWith(providers, '[staff]', withSessions(state))
  }

  /** A browser as the provider sees it; that keeps its cookies too. */
  const there = async (): Promise<Browser> =>
    new Browser({ port: Number(new URL(oidc.issuer).port), tls: { ca: await readFile(pki.ca) } })

  /** Logs in at the provider for a route of ours; the cookie of the session. */
  const sessionBy = async (site: Site) => {
    const [browser, elsewhere] = [site.browser(), await there()]
    const begun = await browser.get(`${APP}/.countersign/login`)
    const page = await browser.get(begun.url)
    const left = await browser.submit(page, '/provider', { provider: 'corp' })
    const back = await elsewhere.get(left.url)
    const done = await browser.get(back.url)
    await browser.get(done.url)
    const text = browser.cookiesOf(APP).get(COOKIE)
    assert.ok(text, done.body)
    return { browser, elsewhere, cookie: `${COOKIE}=${text}` }
  }

  /** What the upstream is told of whoever has the cookie. */
  const groupsOf = async (site: Site, cookie: string): Promise<string | undefined> => {
    using client = new EnvoyClient(site.authz.address)
    const headers = [
      ['accept', 'text/html'],
      ['cookie', cookie],
    ] as const
    const outcome = await client.check({ host: 'app.example.org', path: '/', headers })
    return outcome.allow ? outcome.set['x-remote-group'] : undefined
  }

  const statusOf = async (site: Site, cookie: string): Promise<string> => {
    using client = new EnvoyClient(site.authz.address)
    const headers = [['cookie', cookie]] as const
    const outcome = await client.check({ host: 'app.example.org', path: '/', headers })
    return outcome.allow ? 'OK' : outcome.status
  }

  const renewals = (): number => oidc.granted.filter((grant) => grant === 'refresh_token').length

  /** Nobody waits for that. */
  const givenBack = async (): Promise<void> => {
    for (let left = 100; left > 0 && oidc.revoked() === 0; left -= 1) await sleep(20)
    assert.equal(oidc.revoked(), 1)
  }

  it('is not asked about while what it said is young', async () => {
    await using site = await start()
    const { cookie } = await sessionBy(site)
    assert.equal(await groupsOf(site, cookie), 'staff')
    assert.equal(renewals(), 0)
  })

  it('is asked about in the background before that expires, once for many requests', async () => {
    await using site = await start()
    const { cookie } = await sessionBy(site)
    oidc.settings.groups = ['owners']
    await sleep(DUE_MS)
    const all = await Promise.all(Array.from({ length: 30 }, () => groupsOf(site, cookie)))
    assert.ok(
      all.every((groups) => groups !== undefined),
      'nobody is kept waiting',
    )
    assert.equal(all[0], 'staff', 'what it said before is still good')
    for (let left = 50; left > 0 && (await groupsOf(site, cookie)) !== 'owners'; left -= 1) {
      await sleep(20)
    }
    assert.equal(await groupsOf(site, cookie), 'owners', 'what it says now')
    assert.equal(renewals(), 1)
    const [renewed] = await site.audit('login-renewed')
    assert.deepEqual([renewed?.['user'], renewed?.['groups']], ['alice', ['owners']])
  })

  it('is waited for when nobody was there in time, and once for many', async () => {
    await using site = await start()
    const { cookie } = await sessionBy(site)
    oidc.settings.groups = ['owners']
    await sleep(OVERDUE_MS)
    const all = await Promise.all(Array.from({ length: 30 }, () => groupsOf(site, cookie)))
    assert.deepEqual([...new Set(all)], ['owners'])
    assert.equal(renewals(), 1)
  })

  it('is asked about by one of the replicas that share the state', async () => {
    await using site = await start({}, 'state: { sqlite: state.db }')
    const file = site.folder.file('countersign.yaml')
    const other = site.folder.file('other.yaml')
    await writeFile(other, (await readFile(file, 'utf8')).replace('audit.jsonl', 'other.jsonl'))
    await using replica = await startAuthz(other)
    const { cookie } = await sessionBy(site)
    await sleep(OVERDUE_MS)
    const both = Array.from({ length: 10 }, () => [site.authz, replica]).flat()
    const all = await Promise.all(both.map((authz) => isIn(authz, cookie)))
    assert.deepEqual([...new Set(all)], [true])
    assert.equal(renewals(), 1)
  })

  it('survives a restart, and is asked about by a process that nobody has logged in at', async () => {
    await using site = await start({}, 'state: { sqlite: state.db }')
    const { cookie } = await sessionBy(site)
    await site.authz[Symbol.asyncDispose]()
    await sleep(OVERDUE_MS)
    await using authz = await startAuthz(site.folder.file('countersign.yaml'))
    assert.equal(await isIn(authz, cookie), true)
    assert.equal(renewals(), 1)
  })

  it('goes on and on with tokens that are good once', async () => {
    await using site = await start()
    const { cookie } = await sessionBy(site)
    for (let round = 0; round < 3; round += 1) {
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
    }
    assert.equal(renewals(), 3)
    assert.deepEqual(oidc.refused, [])
  })

  it('ends here when the provider does not know the person any more', async () => {
    await using site = await start()
    const { browser, cookie } = await sessionBy(site)
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true, 'not only the session, the login too')
    const [ended] = await site.audit('login-ended')
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'not-renewed'])
  })

  it('ends here when what the provider says is nobody’s here any more', async () => {
    await using site = await start({
      identity: { user: 'claims.preferred_username', groups: 'claims.groups', limits: {} },
    })
    const { cookie } = await sessionBy(site)
    oidc.settings.groups = ['system:masters']
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'identity-reserved')
    await givenBack()
  })

  it('is neither good nor over while the provider is out of reach', async () => {
    await using site = await start()
    const { cookie } = await sessionBy(site)
    await oidc.stop()
    await sleep(DUE_MS)
    assert.equal(await isIn(site.authz, cookie), true, 'there is time left')
    await sleep(OVERDUE_MS - DUE_MS)
    assert.equal(await statusOf(site, cookie), 'ServiceUnavailable')
    await oidc.start()
    assert.equal(await isIn(site.authz, cookie), true)
  })

  it('is asked about when the login leads to another application', async () => {
    await using site = await start()
    const { browser } = await sessionBy(site)
    const first = await browser.get(`${APP}/.countersign/login`)
    assert.ok((await browser.get(first.url)).url.searchParams.has('code'), 'no question is asked')
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    const begun = await browser.get(`${APP}/.countersign/login`)
    assert.match((await browser.get(begun.url)).body, /name="password"/)
  })

  it('is asked about when a client refreshes its tokens', async () => {
    await using site = await start()
    const { client, checks, browser, left } = await leave(site, 'corp')
    const back = await browser.get((await (await there()).get(left.url)).url)
    const tokens = await authorizationCodeGrant(client, back.url, checks)
    oidc.settings.groups = ['owners']
    await sleep(OVERDUE_MS)
    const renewed = await refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.deepEqual(renewed.claims()?.['groups'], ['owners'])
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    const refused = refreshTokenGrant(client, renewed.refresh_token ?? '')
    assert.equal(await refusalOf(refused), 'invalid_grant')
  })

  it('is asked about for what outlives its end, too', async () => {
    await using site = await start()
    const wanted = { scope: 'openid offline_access', prompt: 'consent' }
    const { client, checks, browser, left } = await leave(site, 'corp', wanted)
    const asked = await browser.get((await (await there()).get(left.url)).url)
    const { url } = await browser.submit(asked, '/consent', { answer: 'allow' })
    const tokens = await authorizationCodeGrant(client, url, checks)
    const question = await browser.get('https://id.example.org/logout')
    await browser.submit(question, '/logout/confirm', { logout: 'yes' })
    assert.equal(await hasToLogIn(browser), true)
    await sleep(OVERDUE_MS)
    const renewed = await refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.equal(renewals(), 1)
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    const refused = refreshTokenGrant(client, renewed.refresh_token ?? '')
    assert.equal(await refusalOf(refused), 'invalid_grant')
  })

  it('is forgotten where the same person logs in again with a password', async () => {
    await using site = await start()
    const { browser } = await sessionBy(site)
    const client = await site.client('spa')
    const { url } = await authorization(client, { prompt: 'login' })
    const end = await logIn(browser, url)
    assert.ok(end.searchParams.has('code'), end.href)
    const cookie = await sessionOn(browser)
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), true)
    assert.equal(renewals(), 0)
  })

  it('is not renewed where that is turned off, or there is nothing to renew it by', async () => {
    for (const further of [
      { refresh: false },
      { scopes: ['openid', 'profile', 'groups'], parameters: {} },
    ]) {
      await using site = await start(further)
      const { cookie } = await sessionBy(site)
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
      assert.equal(renewals(), 0)
    }
  })

  it('is given back when it ends here', async () => {
    await using site = await start()
    const { browser, cookie } = await sessionBy(site)
    const page = await browser.get(`https://id.example.org/account`)
    await browser.submit(page, '/here')
    assert.equal(await isIn(site.authz, cookie), false)
    await givenBack()
  })

  describe('with logout there', () => {
    const path = (visit: Visit): string => `${visit.url.origin}${visit.url.pathname}`

    it('ends there too, and the browser comes back to where it was going', async () => {
      await using site = await start({ logout: true })
      const { browser, elsewhere, cookie } = await sessionBy(site)
      const leaving = await browser.get(`${APP}/.countersign/logout`)
      const question = await browser.get(leaving.url)
      const csp = String(question.headers['content-security-policy'])
      assert.ok(csp.includes(new URL(oidc.issuer).origin), 'the form may lead there')
      const away = await browser.submit(question, '/logout/confirm', { logout: 'yes' })
      assert.equal(path(away), `${oidc.issuer}/session/end`)
      assert.equal(await isIn(site.authz, cookie), false)
      const confirmed = await elsewhere.get(away.url)
      const back = await elsewhere.submit(confirmed, '/session/end/confirm', { logout: 'yes' })
      assert.equal(path(back), `${callbackOf('corp')}/logout`)
      assert.equal((await browser.get(back.url)).url.origin, APP)
      assert.equal((await browser.get(back.url)).url.pathname, '/logout/success', 'once')
    })

    it('ends there from the account page', async () => {
      await using site = await start({ logout: true })
      const { browser } = await sessionBy(site)
      const page = await browser.get(`https://id.example.org/account`)
      const away = await browser.submit(page, '/everywhere')
      assert.equal(path(away), `${oidc.issuer}/session/end`)
      assert.ok(away.url.searchParams.get('id_token_hint'))
    })

    it('only ends here where the provider cannot be reached', async () => {
      await using site = await start({ logout: true })
      const { browser, cookie } = await sessionBy(site)
      const page = await browser.get(`https://id.example.org/account`)
      await oidc.stop()
      // It is found anew after an hour; until then it is known where to go.
      assert.equal(path(await browser.submit(page, '/here')), `${oidc.issuer}/session/end`)
      assert.equal(await isIn(site.authz, cookie), false)
    })
  })

  it('ends here when the provider tells us that it has ended there', async () => {
    await using site = await start()
    const { browser, elsewhere, cookie } = await sessionBy(site)
    const question = await elsewhere.get(`${oidc.issuer}/session/end`)
    await elsewhere.submit(question, '/session/end/confirm', { logout: 'yes' })
    const [token = ''] = oidc.logoutTokens
    assert.ok(token)
    assert.equal(await isIn(site.authz, cookie), true, 'nobody has told us')
    const told = await site.browser().post(`${callbackOf('corp')}/logout`, { logout_token: token })
    assert.equal(told.status, 200, told.body)
    assert.equal(told.headers['cache-control'], 'no-store')
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true)
    const [ended] = await site.audit('login-ended')
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'logged-out-there'])
  })
})
