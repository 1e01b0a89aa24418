// An interaction that its browser keeps in cookies until an identity is proven: then it ends in every copy of the
// cookies, and no other user can end it.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import * as openid from 'openid-client'
import type { Browser, Visit } from '../../fakes/browser.ts'
import { memoryState } from '../../../src/state/state.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { authorization, CALLBACK, ISSUER, startSite, type Site } from '../authorization-server.ts'
import { startIssuerOn } from '../issuer-on.ts'

const ALICE = { user: 'alice', password: 'wonderland' }
const BOB = { user: 'bob', password: 'builder' }
const KEPT = '__Secure-countersign-request-'

describe('an interaction that its browser keeps', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  let browser: Browser
  let page: Visit
  beforeEach(async () => {
    browser = site.browser()
    page = await browser.get((await authorization(await site.client('spa'))).url)
  })

  const kept = (one: Browser): readonly string[] =>
    [...one.cookiesOf(ISSUER).keys()].filter((name) => name.startsWith(KEPT))

  const isIn = ({ url }: Visit): boolean =>
    url.href.startsWith(CALLBACK) && url.searchParams.has('code')

  const succeeded = async (): Promise<number> =>
    (await site.audit('login')).filter(({ outcome }) => outcome === 'succeeded').length

  it('is removed from the browser once an identity is proven', async () => {
    assert.equal(kept(browser).length, 1)
    const proven = await browser.send(page, '/password', ALICE)
    assert.equal(proven.status, 303)
    assert.deepEqual(kept(browser), [])
    assert.ok(isIn(await browser.get(new URL(proven.headers.location ?? '', page.url))))
  })

  it('cannot be used again with a copy of its cookies, by the same user or another', async () => {
    const copy = browser.copy()
    assert.ok(isIn(await browser.submit(page, '/password', ALICE)))
    const earlier = await succeeded()
    for (const user of [ALICE, BOB]) {
      const again = await copy.submit(page, '/password', user)
      assert.equal(again.status, 400)
      assert.match(again.body, /<h1>This page has expired/)
    }
    assert.equal((await copy.get(page.url)).status, 400)
    assert.equal(await succeeded(), earlier, 'nothing was proven')
  })

  it('cannot be completed by another user before it is resumed', async () => {
    const copy = browser.copy()
    const proven = await browser.send(page, '/password', ALICE)
    const other = await copy.submit(page, '/password', BOB)
    assert.equal(other.status, 400)
    const back = await browser.get(new URL(proven.headers.location ?? '', page.url))
    assert.ok(isIn(back))
    assert.match((await browser.get(`${ISSUER}/account`)).body, />alice</)
  })

  it('is completed by one of two users who log in simultaneously', async () => {
    const copy = browser.copy()
    const ends = await Promise.all([
      browser.send(page, '/password', ALICE),
      copy.send(page, '/password', BOB),
    ])
    assert.deepEqual(new Set(ends.map(({ status }) => status)), new Set([303, 400]))
  })

  it('can have every parameter at its longest, and so can the forms of its page', async () => {
    const client = await site.client('web')
    const { url, checks } = await authorization(client, {
      resource: 'https://api.example.org',
      login_hint: 'x'.repeat(256),
      ui_locales: 'x'.repeat(100),
      claims_locales: 'x'.repeat(100),
      acr_values: 'x'.repeat(256),
      scope: `openid ${'x'.repeat(1_017)}`,
      state: 'x'.repeat(2_048),
      nonce: 'x'.repeat(512),
    })
    const visitor = site.browser()
    // Of a logout that was not confirmed.
    await visitor.get(`${ISSUER}/logout?client_id=spa&state=${'x'.repeat(2_048)}`)
    const login = await visitor.get(url)
    assert.equal(login.status, 200)
    assert.equal(
      (await visitor.submit(login, '/password', { ...ALICE, password: 'x' })).status,
      403,
    )
    const back = await visitor.submit(login, '/password', ALICE)
    assert.ok(isIn(back))
    const tokens = await openid.authorizationCodeGrant(client, back.url, {
      ...checks,
      expectedState: 'x'.repeat(2_048),
      expectedNonce: 'x'.repeat(512),
    })
    assert.equal(tokens.claims()?.sub, 'alice')
  })

  it('continues in a browser with an open device page and logout page', async () => {
    const form = await browser.get(`${ISSUER}/device`)
    assert.ok(isIn(await browser.submit(page, '/password', ALICE)))
    const entered = await browser.submit(form, '/device', { user_code: 'BCDF-GHJK' })
    assert.equal(entered.status, 200)
    assert.match(entered.body, /role="alert"/)
  })
})

describe('an interaction at one of two replicas that share their state', () => {
  it('continues at the other one', async () => {
    const state = memoryState(systemClock)
    await using one = await startIssuerOn(state)
    await using other = await startIssuerOn(state)
    const [here, there] = [one.browser(), other.browser()]
    const page = await here.get(`${ISSUER}/account`)
    for (const [name, value] of here.cookiesOf(ISSUER)) there.plant(ISSUER, name, value)
    assert.equal((await there.get(page.url)).status, 200)
    const account = await there.submit(page, '/password', ALICE)
    assert.match(account.body, />alice</)
    assert.equal((await here.submit(page, '/password', BOB)).status, 400)
  })
})
