// The effect of unauthenticated clients on the records that users’ logins left in `state`.
//
// Slow: it floods a server for seconds.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { freePort } from '../../servers/ports.ts'
import { eventually } from '../../state/redis/settings.ts'
import { authorization, startSite, type Site } from '../authorization-server.ts'
import { flood } from '../flooding.ts'
import { ACCOUNT, BOB, isIn, loggedIn, sessionOn } from './browsing.ts'
import { API, answerTo, withTokens } from './tokens.ts'

/** As large as a request may be (`parameter-limits.ts`). */
const LARGE = { login_hint: 'x'.repeat(256), state: 'x'.repeat(2_048), nonce: 'x'.repeat(512) }

/** Begins logins without a cookie and pushes requests (RFC 9126), in turn, as fast as they are answered. */
const begin = async (site: Site, count: number): Promise<void> => {
  const { url } = await authorization(await site.client('spa'), LARGE)
  const path = `${url.pathname}${url.search}`
  const form = Object.fromEntries(url.searchParams)
  await flood(
    site.port,
    count,
    (number) => (number % 2 === 0 ? { path } : { path: '/par', form }),
    ({ status, location }) =>
      assert.ok(status === 201 || location.includes('/login/'), `${status}`),
  )
}

describe('a flood of authorization requests without a login', () => {
  it('undoes no sign-out and ends no session, where state is in memory', async () => {
    await using site = await startSite(withTokens('', await freePort()))
    const { browser: phone } = await loggedIn(site)
    const client = await site.client('web')
    const { url, checks } = await authorization(client, { resource: API, scope: 'openid read' })
    const back = (await phone.get(url)).url
    const { access_token: token } = await openid.authorizationCodeGrant(client, back, checks)
    assert.equal(decodeJwt(token).sub, 'alice')
    // The keys are fetched by the first request, which may come before the issuer listens.
    await eventually(async () => assert.equal((await answerTo(site.authz, token)).allow, true))
    const { browser: bystander } = await loggedIn(site, BOB)
    const session = await sessionOn(bystander)
    await phone.submit(await phone.get(ACCOUNT), '/everywhere')
    assert.equal((await answerTo(site.authz, token)).allow, false)

    await begin(site, 5_000)

    const after = await answerTo(site.authz, token)
    assert.deepEqual(after.allow ? 'allowed' : after.status, 'Unauthorized')
    assert.equal(await isIn(site.authz, session), true)
  })

  it('prevents no login and ends no session, where state is a file of 16 MB', async () => {
    const state = 'state: { sqlite: { file: state.db, maxBytes: 16777216 } }'
    await using site = await startSite(withTokens(state, await freePort()))
    const { browser: bystander } = await loggedIn(site, BOB)
    const session = await sessionOn(bystander)
    await begin(site, 1_000)
    assert.equal(await isIn(site.authz, session), true)
    const { browser } = await loggedIn(site)
    assert.equal(await isIn(site.authz, await sessionOn(browser)), true)
    await browser.submit(await browser.get(ACCOUNT), '/everywhere')
    assert.equal((await site.audit('sessions-ended')).length, 1)
  })
})
