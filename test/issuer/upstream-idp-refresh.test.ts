// Logins at a provider of others, a library's that is not ours, while they last: it is asked again before
// what it said expires, what it says then counts, and who is out there is out here.

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
import { DUE_MS, OVERDUE_MS, startVouching, type Vouching } from './federated-logins.ts'

const APP = 'https://app.example.org'

describe('a login at a provider of others', () => {
  let vouching: Vouching
  let oidc: NodeOidc
  before(async () => {
    vouching = await startVouching()
    oidc = vouching.oidc
  })
  beforeEach(async () => await vouching.reset())
  after(async () => await vouching[Symbol.asyncDispose]())

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

  it('is not asked about while what it said is young', async () => {
    await using site = await vouching.start()
    const { cookie } = await vouching.sessionBy(site)
    assert.equal(await groupsOf(site, cookie), 'staff')
    assert.equal(renewals(), 0)
  })

  it('is asked about in the background before that expires, once for many requests', async () => {
    await using site = await vouching.start()
    const { cookie } = await vouching.sessionBy(site)
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
    await using site = await vouching.start()
    const { cookie } = await vouching.sessionBy(site)
    oidc.settings.groups = ['owners']
    await sleep(OVERDUE_MS)
    const all = await Promise.all(Array.from({ length: 30 }, () => groupsOf(site, cookie)))
    assert.deepEqual([...new Set(all)], ['owners'])
    assert.equal(renewals(), 1)
  })

  it('is asked about by one of the replicas that share the state', async () => {
    await using site = await vouching.start({}, 'state: { sqlite: state.db }')
    const file = site.folder.file('countersign.yaml')
    const other = site.folder.file('other.yaml')
    await writeFile(other, (await readFile(file, 'utf8')).replace('audit.jsonl', 'other.jsonl'))
    await using replica = await startAuthz(other)
    const { cookie } = await vouching.sessionBy(site)
    await sleep(OVERDUE_MS)
    const both = Array.from({ length: 10 }, () => [site.authz, replica]).flat()
    const all = await Promise.all(both.map((authz) => isIn(authz, cookie)))
    assert.deepEqual([...new Set(all)], [true])
    assert.equal(renewals(), 1)
  })

  it('survives a restart, and is asked about by a process that nobody has logged in at', async () => {
    await using site = await vouching.start({}, 'state: { sqlite: state.db }')
    const { cookie } = await vouching.sessionBy(site)
    await site.authz[Symbol.asyncDispose]()
    await sleep(OVERDUE_MS)
    await using authz = await startAuthz(site.folder.file('countersign.yaml'))
    assert.equal(await isIn(authz, cookie), true)
    assert.equal(renewals(), 1)
  })

  it('goes on and on with tokens that are good once', async () => {
    await using site = await vouching.start()
    const { cookie } = await vouching.sessionBy(site)
    for (let round = 0; round < 3; round += 1) {
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
    }
    assert.equal(renewals(), 3)
    assert.deepEqual(oidc.refused, [])
  })

  it('ends here when the provider does not know the person any more', async () => {
    await using site = await vouching.start()
    const { browser, cookie } = await vouching.sessionBy(site)
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true, 'not only the session, the login too')
    const [ended] = await site.audit('login-ended')
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'not-renewed'])
  })

  it('ends here when what the provider says is nobody’s here any more', async () => {
    await using site = await vouching.start({
      identity: { user: 'claims.preferred_username', groups: 'claims.groups', limits: {} },
    })
    const { cookie } = await vouching.sessionBy(site)
    oidc.settings.groups = ['system:masters']
    await sleep(OVERDUE_MS)
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'identity-reserved')
    await vouching.givenBack()
  })

  it('is neither good nor over while the provider is out of reach', async () => {
    await using site = await vouching.start()
    const { cookie } = await vouching.sessionBy(site)
    await oidc.stop()
    await sleep(DUE_MS)
    assert.equal(await isIn(site.authz, cookie), true, 'there is time left')
    await sleep(OVERDUE_MS - DUE_MS)
    assert.equal(await statusOf(site, cookie), 'ServiceUnavailable')
    await oidc.start()
    assert.equal(await isIn(site.authz, cookie), true)
  })

  it('is asked about when the login leads to another application', async () => {
    await using site = await vouching.start()
    const { browser } = await vouching.sessionBy(site)
    const first = await browser.get(`${APP}/.countersign/login`)
    assert.ok((await browser.get(first.url)).url.searchParams.has('code'), 'no question is asked')
    oidc.settings.account = 'gone'
    await sleep(OVERDUE_MS)
    const begun = await browser.get(`${APP}/.countersign/login`)
    assert.match((await browser.get(begun.url)).body, /name="password"/)
  })

  it('is asked about when a client refreshes its tokens', async () => {
    await using site = await vouching.start()
    const { client, checks, browser, left } = await leave(site, 'corp')
    const back = await browser.get((await vouching.there().get(left.url)).url)
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
    await using site = await vouching.start()
    const wanted = { scope: 'openid offline_access', prompt: 'consent' }
    const { client, checks, browser, left } = await leave(site, 'corp', wanted)
    const asked = await browser.get((await vouching.there().get(left.url)).url)
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
    await using site = await vouching.start()
    const { browser } = await vouching.sessionBy(site)
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
      await using site = await vouching.start(further)
      const { cookie } = await vouching.sessionBy(site)
      await sleep(OVERDUE_MS)
      assert.equal(await isIn(site.authz, cookie), true)
      assert.equal(renewals(), 0)
    }
  })

  it('is given back when it ends here', async () => {
    await using site = await vouching.start()
    const { browser, cookie } = await vouching.sessionBy(site)
    const page = await browser.get(`https://id.example.org/account`)
    await browser.submit(page, '/here')
    assert.equal(await isIn(site.authz, cookie), false)
    await vouching.givenBack()
  })
})
