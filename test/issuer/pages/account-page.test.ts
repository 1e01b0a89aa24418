// The account page over HTTP: what it displays, which logins it ends, and that other users cannot use it.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import type { Browser, Visit } from '../../fakes/browser.ts'
import { authorization, ISSUER, refusalOf, startSite, type Site } from '../authorization-server.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  hasToLogIn,
  isIn,
  loggedIn,
  OTHER,
  sessionOn,
  withSessions,
} from '../session/browsing.ts'

/** The ids of the sessions on a page, the current one first. */
const idsOn = ({ body }: Visit): readonly string[] =>
  [...body.matchAll(/name="session"[^>]*value="([^"]+)"/g)].map(([, id = '']) => id)

const tokensFor = async (site: Site, browser: Browser, scope = 'openid') => {
  const client = await site.client('spa')
  const { url, checks } = await authorization(client, { scope })
  return await openid.authorizationCodeGrant(client, (await browser.get(url)).url, checks)
}

const refreshed = async (site: Site, { refresh_token: token }: openid.TokenEndpointResponse) =>
  await refusalOf(openid.refreshTokenGrant(await site.client('spa'), token ?? ''))

describe('the account page', () => {
  let site: Site
  before(async () => {
    site = await startSite(withSessions())
  })
  after(() => site[Symbol.asyncDispose]())

  it('asks for a login first, and displays the identity then', async () => {
    const agent = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0' }
    const { page } = await loggedIn(site, ALICE, agent)
    assert.equal(page.status, 200)
    for (const said of [/alice/, /alice@example\.org/, /dev/, /ops/, /with your password/]) {
      assert.match(page.body, said)
    }
    assert.match(page.body, /Firefox/)
    assert.match(page.body, /this one/)
  })

  it('has the security headers of every page', async () => {
    const { headers } = (await loggedIn(site)).page
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /^default-src 'none'; /)
    assert.match(policy, /form-action 'self';/)
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['cache-control'], 'no-store')
  })

  it('is in the language of the browser', async () => {
    const { page } = await loggedIn(site, ALICE, { 'accept-language': 'de' })
    assert.match(page.body, /<html lang="de"/)
  })

  it('is displayed without another login to a user who is logged in', async () => {
    const { browser } = await loggedIn(site)
    assert.equal((await browser.get(ACCOUNT)).status, 200)
  })

  it('exists where no route has sessions', async () => {
    await using plain = await startSite()
    assert.match((await loggedIn(plain)).page.body, /alice/)
  })

  it('does not redirect again where the login failed', async () => {
    const browser = site.browser()
    const denied = await browser.get(`${ACCOUNT}/back?error=access_denied`)
    assert.deepEqual([denied.status, denied.headers.location], [403, undefined])
    assert.equal((await browser.get(`${ACCOUNT}/back`)).status, 403)
  })

  it('has no other paths and methods', async () => {
    const { browser } = await loggedIn(site)
    assert.equal((await browser.get(`${ACCOUNT}/other`)).status, 404)
    assert.equal((await browser.post(ACCOUNT, {})).status, 405)
  })

  it('ends another login permanently: its sessions, its tokens and its single sign-on', async () => {
    const phone = await loggedIn(site)
    const [one, two] = [await sessionOn(phone.browser), await sessionOn(phone.browser, OTHER)]
    const tokens = await tokensFor(site, phone.browser, 'openid offline_access')
    const { browser } = await loggedIn(site)
    const own = await sessionOn(browser)
    const page = await browser.get(ACCOUNT)
    const [current] = idsOn(page)
    const [other = ''] = idsOn(await phone.browser.get(ACCOUNT))
    assert.ok(idsOn(page).includes(other))
    const ended = await browser.submit(page, '/session', { session: other })
    assert.match(ended.body, /The session was ended/)
    assert.equal(idsOn(ended)[0], current)
    assert.equal(await isIn(site.authz, one), false)
    assert.equal(await isIn(site.authz, two, OTHER), false)
    assert.equal(await hasToLogIn(phone.browser), true)
    assert.equal(await refreshed(site, tokens), 'invalid_grant')
    assert.equal(await isIn(site.authz, own), true)
    assert.equal(await hasToLogIn(browser), false)
    const event = (await site.audit('sessions-ended')).at(-1)
    assert.deepEqual([event?.['user'], event?.['which']], ['alice', 'one'])
  })

  it('ends the login of this browser, and deletes its cookies', async () => {
    const [here, elsewhere] = [await loggedIn(site), await loggedIn(site)]
    const [cookie, kept] = [await sessionOn(here.browser), await sessionOn(elsewhere.browser)]
    const copy = here.browser.copy()
    const page = await here.browser.get(ACCOUNT)
    const left = await here.browser.submit(page, '/here')
    assert.match(left.body, /You are logged out/)
    const names = [...here.browser.cookiesOf(ISSUER).keys()]
    assert.deepEqual(
      names.filter((name) => name.includes('login')),
      [],
    )
    assert.equal(await isIn(site.authz, cookie), false)
    assert.equal(await hasToLogIn(copy), true)
    assert.equal(await isIn(site.authz, kept), true)
    assert.equal((await site.audit('sessions-ended')).at(-1)?.['which'], 'current')
  })

  it('ends all logins of one user and none of another', async () => {
    const [here, elsewhere, bob] = [
      await loggedIn(site),
      await loggedIn(site),
      await loggedIn(site, BOB),
    ]
    const cookies = [await sessionOn(here.browser), await sessionOn(elsewhere.browser)]
    const [bobs, tokens] = [await sessionOn(bob.browser), await tokensFor(site, elsewhere.browser)]
    const offline = await tokensFor(site, elsewhere.browser, 'openid offline_access')
    const left = await here.browser.submit(await here.browser.get(ACCOUNT), '/everywhere')
    assert.match(left.body, /You are logged out/)
    for (const cookie of cookies) {
      assert.equal(await isIn(site.authz, cookie), false)
    }
    assert.equal(await hasToLogIn(elsewhere.browser), true)
    assert.equal(await refreshed(site, tokens), 'invalid_grant')
    assert.equal(await refreshed(site, offline), 'invalid_grant')
    const spa = await site.client('spa')
    await assert.rejects(openid.fetchUserInfo(spa, offline.access_token, 'alice'))
    assert.equal(await isIn(site.authz, bobs), true)
    assert.equal(await hasToLogIn(bob.browser), false)
    assert.equal((await site.audit('sessions-ended')).at(-1)?.['which'], 'all')
    assert.equal(idsOn((await loggedIn(site)).page).length, 1)
  })

  describe('under attack', () => {
    it('does not display logins of another user', async () => {
      const alice = await loggedIn(site)
      const bob = await loggedIn(site, BOB)
      const idsOfAlice = new Set(idsOn(alice.page))
      assert.deepEqual(
        idsOn(bob.page).filter((id) => idsOfAlice.has(id)),
        [],
      )
    })

    it('does not end a login of another user by its id', async () => {
      const alice = await loggedIn(site)
      const cookie = await sessionOn(alice.browser)
      const [id = ''] = idsOn(await alice.browser.get(ACCOUNT))
      const bob = await loggedIn(site, BOB)
      const count = (await site.audit('sessions-ended')).length
      const answer = await bob.browser.submit(bob.page, '/session', { session: id })
      assert.doesNotMatch(answer.body, /The session was ended/)
      assert.equal(await isIn(site.authz, cookie), true)
      assert.equal(await hasToLogIn(alice.browser), false)
      assert.equal((await site.audit('sessions-ended')).length, count)
    })

    const forged: readonly { name: string; token: (alice: Visit) => Promise<string> }[] = [
      { name: 'without a CSRF token', token: async () => '' },
      {
        name: 'with the CSRF token of another login of the same user',
        token: async () => csrfIn((await loggedIn(site)).page),
      },
      {
        name: 'with the CSRF token of a login page',
        token: async () => csrfIn(await site.browser().get(ACCOUNT)),
      },
      {
        name: 'with a changed CSRF token',
        token: async (page) => `${csrfIn(page).slice(0, -2)}AA`,
      },
    ]
    for (const { name, token } of forged) {
      it(`ends nothing ${name}`, async () => {
        const { browser, page } = await loggedIn(site)
        const [id = ''] = idsOn(page)
        const csrf = await token(page)
        for (const path of ['here', 'everywhere', 'session']) {
          const answer = await browser.post(`${ACCOUNT}/${path}`, { csrf, session: id })
          assert.equal(answer.status, 403, path)
        }
        assert.equal(await hasToLogIn(browser), false)
      })
    }

    it('ends nothing by GET', async () => {
      const { browser } = await loggedIn(site)
      for (const path of ['here', 'everywhere', 'session']) {
        assert.equal((await browser.get(`${ACCOUNT}/${path}`)).status, 405)
      }
      assert.equal(await hasToLogIn(browser), false)
    })

    it('ends nothing in a browser that is not logged in', async () => {
      const { browser, page } = await loggedIn(site)
      const csrf = csrfIn(page)
      const answer = await site.browser().post(`${ACCOUNT}/everywhere`, { csrf })
      assert.match(answer.body, /name="password"/)
      assert.equal(await hasToLogIn(browser), false)
    })

    it('accepts no session cookie without its signature', async () => {
      const { browser } = await loggedIn(site)
      const name = '__Host-countersign-login'
      const withoutSignature = site.browser()
      withoutSignature.plant(ISSUER, name, browser.cookiesOf(ISSUER).get(name) ?? '')
      assert.equal(await hasToLogIn(withoutSignature), true)
    })

    it('accepts no form that is too large', async () => {
      const { browser, page } = await loggedIn(site)
      const fields = { csrf: csrfIn(page), session: 'x'.repeat(40_000) }
      assert.equal((await browser.post(`${ACCOUNT}/session`, fields)).status, 403)
    })
  })
})

const csrfIn = ({ body }: Visit): string => /name="csrf" value="([^"]*)"/.exec(body)?.[1] ?? ''

describe('a client with back-channel logout', () => {
  it('is notified when the user signs out, and its failure does not prevent the logout', async () => {
    const logoutTokens: string[] = []
    const application = createServer((request, response) => {
      const take = (form: string): void => {
        logoutTokens.push(new URLSearchParams(form).get('logout_token') ?? '')
        response.writeHead(500).end()
      }
      void text(request).then(take)
    })
    application.listen(0, '127.0.0.1')
    await once(application, 'listening')
    try {
      const address = application.address()
      assert.ok(typeof address === 'object' && address !== null)
      const uri = `http://127.0.0.1:${address.port}/bye`
      await using site = await startSite(
        withSessions().replace('spa: {', `spa: { backchannelLogout: '${uri}',`),
      )
      const { browser } = await loggedIn(site)
      const { sid } = decodeJwt((await tokensFor(site, browser)).id_token ?? '')
      const cookie = await sessionOn(browser)
      const page = await browser.get(ACCOUNT)
      assert.match((await browser.submit(page, '/everywhere')).body, /You are logged out/)
      assert.equal(logoutTokens.length, 1)
      const token = decodeJwt(logoutTokens[0] ?? '')
      assert.deepEqual([token.iss, token.aud, token['sid']], [ISSUER, 'spa', sid])
      assert.equal(await isIn(site.authz, cookie), false)
    } finally {
      application.close()
    }
  })
})
