// Logins at an upstream IdP (oidc-provider) while they last: the upstream tokens are refreshed before they expire,
// the new claims are used, and a login that has ended there ends at Countersign.
//
// Slow: it waits until tokens have expired, in most tests.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { authorizationCodeGrant, refreshTokenGrant } from 'openid-client'
import { startAuthz } from '../../src/authz.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import type { NodeOidc } from '../servers/node-oidc.ts'
import { authorization, logIn, refusalOf, type Site } from './authorization-server.ts'
import { leave } from './upstream-idp-site.ts'
import { hasToLogIn, isIn, sessionOn } from './session/browsing.ts'
import { DUE_MS, OVERDUE_MS, startUpstreamIdp, type UpstreamIdp } from './federated-logins.ts'

const APP = 'https://app.example.org'

describe('the upstream tokens of a federated login', () => {
  let upstream: UpstreamIdp
  let oidc: NodeOidc
  before(async () => {
    upstream = await startUpstreamIdp()
    oidc = upstream.oidc
  })
  beforeEach(async () => await upstream.reset())
  after(async () => await upstream[Symbol.asyncDispose]())

  /** The groups that the upstream receives for a request with the cookie. */
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

  it('are not refreshed while they are recent', async () => {
    await using site = await upstream.start()
    const { cookie } = await upstream.sessionBy(site)
    assert.equal(await groupsOf(site, cookie), 'staff')
    assert.equal(renewals(), 0)
  })

  it('are refreshed in the background before they expire, once for many requests', async () => {
    await using site = await upstream.start()
    const { cookie } = await upstream.sessionBy(site)
    oidc.settings.groups = ['owners']
    await sleep(DUE_MS)
    const all = await Promise.all(Array.from({ length: 30 }, () => groupsOf(site, cookie)))
    assert.ok(
      all.every((groups) => groups !== undefined),
      'no request is delayed',
    )
    assert.equal(all[0], 'staff', 'the earlier claims are still valid')
    for (let left = 50; left > 0 && (await groupsOf(site, cookie)) !== 'owners'; left -= 1) {
      await sleep(20)
    }
    assert.equal(await groupsOf(site, cookie), 'owners', 'the new claims')
    assert.equal(renewals(), 1)
    const [renewed] = await site.audit('login-renewed')
    assert.deepEqual([renewed?.['user'], renewed?.['groups']], ['alice', ['owners']])
  })

  it('are refreshed once for many waiting requests after they have expired', async () => {
    await using site = await upstream.start()
    const { cookie } = await upstream.sessionBy(site)
    oidc.settings.groups = ['owners']
    await sleep(OVERDUE_MS)
    const all = await Promise.all(Array.from({ length: 30 }, () => groupsOf(site, cookie)))
    assert.deepEqual([...new Set(all)], ['owners'])
    assert.equal(renewals(), 1)
  })

  it('are refreshed by one of the replicas that share the state', async () => {
    await using site = await upstream.start({}, 'state: { sqlite: state.db }')
    const file = site.folder.file('countersign.yaml')
    const other = site.folder.file('other.yaml')
    await writeFile(other, (await readFile(file, 'utf8')).replace('audit.jsonl', 'other.jsonl'))
    await using replica = await startAuthz(other)
    const { cookie } = await upstream.sessionBy(site)
    await sleep(OVERDUE_MS)
    const both = Array.from({ length: 10 }, () => [site.authz, replica]).flat()
    const all = await Promise.all(both.map((authz) => isIn(authz, cookie)))
    assert.deepEqual([...new Set(all)], [true])
    assert.equal(renewals(), 1)
  })

  it('survive a restart, and are refreshed by a process without logins of its own', async () => {
    await using site = await upstream.start({}, 'state: { sqlite: state.db }')
    const { cookie } = await upstream.sessionBy(site)
    await site.authz[Symbol.asyncDispose]()
    await sleep(OVERDUE_MS)
    await using authz = await startAuthz(site.folder.file('countersign.yaml'))
    assert.equal(await isIn(authz, cookie), true)
    assert.equal(renewals(), 1)
  })

  it('are refreshed repeatedly where refresh tokens are rotated', async () => {
    await using site = await upstream.start()
    const { cookie } = await upstream.sessionBy(site)
    for (let round = 0; round < 3; round += 1) {
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
    }
    assert.equal(renewals(), 3)
    assert.deepEqual(oidc.refused, [])
  })

  it('the upstream tokens of a federated login that are refused end the login', async () => {
    await using site = await upstream.start()
    const { browser, cookie } = await upstream.sessionBy(site)
    oidc.settings.account = 'removed'
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true, 'not only the session, the login too')
    const [ended] = await site.audit('login-ended')
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'not-renewed'])
  })

  it('the upstream tokens of a federated login that yield a reserved identity end the login', async () => {
    await using site = await upstream.start({
      identity: { user: 'claims.preferred_username', groups: 'claims.groups', limits: {} },
    })
    const { cookie } = await upstream.sessionBy(site)
    oidc.settings.groups = ['system:masters']
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'identity-reserved')
    await upstream.untilRevoked()
  })

  it('the upstream tokens of a federated login that cannot be refreshed make the login unavailable until the upstream IdP is up', async () => {
    await using site = await upstream.start()
    const { cookie } = await upstream.sessionBy(site)
    await oidc.stop()
    await sleep(DUE_MS)
    assert.equal(await isIn(site.authz, cookie), true, 'there is time left')
    await sleep(OVERDUE_MS - DUE_MS)
    assert.equal(await statusOf(site, cookie), 'ServiceUnavailable')
    await oidc.start()
    assert.equal(await isIn(site.authz, cookie), true)
  })

  it('are refreshed when the login leads to another application', async () => {
    await using site = await upstream.start()
    const { browser } = await upstream.sessionBy(site)
    const first = await browser.get(`${APP}/.countersign/login`)
    assert.ok((await browser.get(first.url)).url.searchParams.has('code'), 'no question is asked')
    oidc.settings.account = 'removed'
    await sleep(OVERDUE_MS)
    const begun = await browser.get(`${APP}/.countersign/login`)
    assert.match((await browser.get(begun.url)).body, /name="password"/)
  })

  it('are refreshed when a client refreshes its own tokens', async () => {
    await using site = await upstream.start()
    const { client, checks, browser, left } = await leave(site, 'corp')
    const back = await browser.get((await upstream.browser().get(left.url)).url)
    const tokens = await authorizationCodeGrant(client, back.url, checks)
    oidc.settings.groups = ['owners']
    await sleep(OVERDUE_MS)
    const renewed = await refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.deepEqual(renewed.claims()?.['groups'], ['owners'])
    oidc.settings.account = 'removed'
    await sleep(OVERDUE_MS)
    const refused = refreshTokenGrant(client, renewed.refresh_token ?? '')
    assert.equal(await refusalOf(refused), 'invalid_grant')
  })

  it('are refreshed for offline access after a logout', async () => {
    await using site = await upstream.start()
    const wanted = { scope: 'openid offline_access', prompt: 'consent' }
    const { client, checks, browser, left } = await leave(site, 'corp', wanted)
    const form = await browser.get((await upstream.browser().get(left.url)).url)
    const { url } = await browser.submit(form, '/consent', { answer: 'allow' })
    const tokens = await authorizationCodeGrant(client, url, checks)
    const question = await browser.get('https://id.example.org/logout')
    await browser.submit(question, '/logout/confirm', { logout: 'yes' })
    assert.equal(await hasToLogIn(browser), true)
    await sleep(OVERDUE_MS)
    const renewed = await refreshTokenGrant(client, tokens.refresh_token ?? '')
    assert.equal(renewals(), 1)
    oidc.settings.account = 'removed'
    await sleep(OVERDUE_MS)
    const refused = refreshTokenGrant(client, renewed.refresh_token ?? '')
    assert.equal(await refusalOf(refused), 'invalid_grant')
  })

  it('are not used any longer where the same user logs in again with a password', async () => {
    await using site = await upstream.start()
    const { browser } = await upstream.sessionBy(site)
    const client = await site.client('spa')
    const { url } = await authorization(client, { prompt: 'login' })
    const end = await logIn(browser, url)
    assert.ok(end.searchParams.has('code'), end.href)
    const cookie = await sessionOn(browser)
    oidc.settings.account = 'removed'
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), true)
    assert.equal(renewals(), 0)
  })

  it('are not refreshed with `refresh: false`, or without a refresh token', async () => {
    for (const further of [
      { refresh: false },
      { scopes: ['openid', 'profile', 'groups'], parameters: {} },
    ]) {
      await using site = await upstream.start(further)
      const { cookie } = await upstream.sessionBy(site)
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
      assert.equal(renewals(), 0)
    }
  })

  it('are revoked when the login ends', async () => {
    await using site = await upstream.start()
    const { browser, cookie } = await upstream.sessionBy(site)
    const page = await browser.get(`https://id.example.org/account`)
    await browser.submit(page, '/here')
    assert.equal(await isIn(site.authz, cookie), false)
    await upstream.untilRevoked()
  })
})
