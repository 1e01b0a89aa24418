// Logouts here and at a provider of others, a library's that is not ours: each leads to the other where
// that is wanted.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { countersign } from '../cli/run.ts'
import type { Visit } from '../fakes/browser.ts'
import type { NodeOidc } from '../servers/node-oidc.ts'
import { callbackOf } from './upstream-idp-site.ts'
import { ACCOUNT, hasToLogIn, isIn } from './session/browsing.ts'
import { startVouching, type Vouching } from './federated-logins.ts'

const APP = 'https://app.example.org'

describe('a login at a provider of others, with logout there', () => {
  let vouching: Vouching
  let oidc: NodeOidc
  before(async () => {
    vouching = await startVouching()
    oidc = vouching.oidc
  })
  beforeEach(async () => await vouching.reset())
  after(async () => await vouching[Symbol.asyncDispose]())

  const path = (visit: Visit): string => `${visit.url.origin}${visit.url.pathname}`

  it('ends there too, and the browser comes back to where it was going', async () => {
    await using site = await vouching.start({ logout: true })
    const { browser, elsewhere, cookie } = await vouching.sessionBy(site)
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
    await using site = await vouching.start({ logout: true })
    const { browser } = await vouching.sessionBy(site)
    const page = await browser.get(ACCOUNT)
    const away = await browser.submit(page, '/everywhere')
    assert.equal(path(away), `${oidc.issuer}/session/end`)
    assert.ok(away.url.searchParams.get('id_token_hint'))
  })

  it('only ends here where the provider cannot be reached', async () => {
    await using site = await vouching.start({ logout: true })
    const { browser, cookie } = await vouching.sessionBy(site)
    const page = await browser.get(ACCOUNT)
    await oidc.stop()
    // It is found anew after an hour; until then it is known where to go.
    assert.equal(path(await browser.submit(page, '/here')), `${oidc.issuer}/session/end`)
    assert.equal(await isIn(site.authz, cookie), false)
  })

  it('ends here when the provider tells us that it has ended there', async () => {
    await using site = await vouching.start()
    const { browser, elsewhere, cookie } = await vouching.sessionBy(site)
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
    assert.deepEqual([ended?.['user'], ended?.['cause']], ['alice', 'upstream-logout'])
  })

  for (const args of [['--user', 'alice'], ['--all']]) {
    it(`is given back there when an operator ends it: ${args.join(' ')}`, async () => {
      await using site = await vouching.start({}, 'state: { sqlite: state.db }')
      const { cookie } = await vouching.sessionBy(site)
      const config = site.folder.file('countersign.yaml')
      await countersign(['sessions', 'end', ...args, '--config', config])
      assert.equal(await isIn(site.authz, cookie), false)
      await vouching.givenBack()
    })
  }
})
