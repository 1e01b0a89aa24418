// Logouts at Countersign and at an upstream IdP (oidc-provider): each causes the other where that is configured.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { countersign } from '../cli/run.ts'
import type { Visit } from '../fakes/browser.ts'
import type { NodeOidc } from '../servers/node-oidc.ts'
import { callbackOf } from './upstream-idp-site.ts'
import { ACCOUNT, hasToLogIn, isIn } from './session/browsing.ts'
import { startUpstreamIdp, type UpstreamIdp } from './federated-logins.ts'

const APP = 'https://app.example.org'

describe('the logout of a login at an upstream IdP', () => {
  let upstream: UpstreamIdp
  let oidc: NodeOidc
  before(async () => {
    upstream = await startUpstreamIdp()
    oidc = upstream.oidc
  })
  beforeEach(async () => await upstream.reset())
  after(async () => await upstream[Symbol.asyncDispose]())

  const path = (visit: Visit): string => `${visit.url.origin}${visit.url.pathname}`

  it('leads to the upstream IdP and back to the application', async () => {
    await using site = await upstream.start({ logout: true })
    const { browser, browserThere, cookie } = await upstream.sessionBy(site)
    const leaving = await browser.get(`${APP}/.countersign/logout`)
    const question = await browser.get(leaving.url)
    const csp = String(question.headers['content-security-policy'])
    assert.ok(csp.includes(new URL(oidc.issuer).origin), 'the form may lead there')
    const away = await browser.submit(question, '/logout/confirm', { logout: 'yes' })
    assert.equal(path(away), `${oidc.issuer}/session/end`)
    assert.equal(await isIn(site.authz, cookie), false)
    const confirmed = await browserThere.get(away.url)
    const back = await browserThere.submit(confirmed, '/session/end/confirm', { logout: 'yes' })
    assert.equal(path(back), `${callbackOf('corp')}/logout`)
    assert.equal((await browser.get(back.url)).url.origin, APP)
    assert.equal((await browser.get(back.url)).url.pathname, '/logout/success', 'once')
  })

  it('leads to the upstream IdP from the account page', async () => {
    await using site = await upstream.start({ logout: true })
    const { browser } = await upstream.sessionBy(site)
    const page = await browser.get(ACCOUNT)
    const away = await browser.submit(page, '/everywhere')
    assert.equal(path(away), `${oidc.issuer}/session/end`)
    assert.ok(away.url.searchParams.get('id_token_hint'))
  })

  it('ends the login at Countersign even if the upstream IdP is down', async () => {
    await using site = await upstream.start({ logout: true })
    const { browser, cookie } = await upstream.sessionBy(site)
    const page = await browser.get(ACCOUNT)
    await oidc.stop()
    // It is found anew after an hour; until then it is known where to go.
    assert.equal(path(await browser.submit(page, '/here')), `${oidc.issuer}/session/end`)
    assert.equal(await isIn(site.authz, cookie), false)
  })

  it('is caused by a back-channel logout of the upstream IdP', async () => {
    await using site = await upstream.start()
    const { browser, browserThere, cookie } = await upstream.sessionBy(site)
    const question = await browserThere.get(`${oidc.issuer}/session/end`)
    await browserThere.submit(question, '/session/end/confirm', { logout: 'yes' })
    const [token = ''] = oidc.logoutTokens
    assert.ok(token)
    assert.equal(await isIn(site.authz, cookie), true, 'before the logout token')
    const notified = await site
      .browser()
      .post(`${callbackOf('corp')}/logout`, { logout_token: token })
    assert.equal(notified.status, 200, notified.body)
    assert.equal(notified.headers['cache-control'], 'no-store')
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(browser), true)
    const [ended] = await site.audit('login-ended')
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'upstream-logout'])
  })

  for (const args of [['--user', 'alice'], ['--all']]) {
    it(`by an operator revokes the upstream refresh token: ${args.join(' ')}`, async () => {
      await using site = await upstream.start({}, 'state: { sqlite: state.db }')
      const { cookie } = await upstream.sessionBy(site)
      const config = site.folder.file('countersign.yaml')
      await countersign(['sessions', 'end', ...args, '--config', config])
      assert.equal(await isIn(site.authz, cookie), false)
      await upstream.untilRevoked()
    })
  }
})
