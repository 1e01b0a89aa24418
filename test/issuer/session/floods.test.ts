// What clients that prove nothing can do to what people who have logged in left in `state`.

import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import * as openid from 'openid-client'
import { freePort } from '../../servers/daemon.ts'
import { eventually } from '../../state/redis/settings.ts'
import { authorization, startSite } from '../authorization-server.ts'
import { ACCOUNT, BOB, isIn, loggedIn, sessionOn } from './browsing.ts'
import { API, shown, withTokens } from './tokens.ts'

/** As large as a request may be (`parameter-limits.ts`). */
const LARGE = { login_hint: 'x'.repeat(256), state: 'x'.repeat(2_048), nonce: 'x'.repeat(512) }

/** Sends authorization requests without a cookie, as fast as they are answered; all begin a login. */
const flood = async (url: URL, port: number, count: number): Promise<void> => {
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 20 }), {
    [Symbol.dispose]: () => agent.destroy(),
  })
  const path = `${url.pathname}${url.search}`
  const send = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    request({ agent, host: '127.0.0.1', port, path, maxHeaderSize: 65_536 }, (response) => {
      const { location = '' } = response.headers
      const begun = location.includes('/login/')
      response
        .resume()
        .on('end', () =>
          begun ? resolve() : reject(new Error(`no login: ${response.statusCode}`)),
        )
    })
      .on('error', reject)
      .end()
    await promise
  }
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other on each connection
      for (let sent = 0; sent < count / 20; sent += 1) await send()
    }),
  )
}

describe('authorization requests without a login, as many as fill the state', () => {
  it('undo no sign-out and end no session, where state is in memory', async () => {
    await using site = await startSite(withTokens('', await freePort()))
    const { browser: phone } = await loggedIn(site)
    const client = await site.client('web')
    const { url, checks } = await authorization(client, { resource: API, scope: 'openid read' })
    const back = (await phone.get(url)).url
    const { access_token: token } = await openid.authorizationCodeGrant(client, back, checks)
    assert.equal(decodeJwt(token).sub, 'alice')
    // The keys are fetched by the first request, which may come before the issuer listens.
    await eventually(async () => assert.equal((await shown(site.authz, token)).allow, true))
    const { browser: bystander } = await loggedIn(site, BOB)
    const session = await sessionOn(bystander)
    await phone.submit(await phone.get(ACCOUNT), '/everywhere')
    assert.equal((await shown(site.authz, token)).allow, false)

    await flood((await authorization(client, LARGE)).url, site.port, 6_000)

    const after = await shown(site.authz, token)
    assert.deepEqual(after.allow ? 'allowed' : after.status, 'Unauthorized')
    assert.equal(await isIn(site.authz, session), true)
  })

  it('keep nobody from logging in and end no session, where state is a file of 16 MB', async () => {
    const state = 'state: { sqlite: { file: state.db, maxBytes: 16777216 } }'
    await using site = await startSite(withTokens(state, await freePort()))
    const { browser: bystander } = await loggedIn(site, BOB)
    const session = await sessionOn(bystander)
    const client = await site.client('web')
    await flood((await authorization(client, LARGE)).url, site.port, 2_500)
    assert.equal(await isIn(site.authz, session), true)
    const { browser } = await loggedIn(site)
    assert.equal(await isIn(site.authz, await sessionOn(browser)), true)
    await browser.submit(await browser.get(ACCOUNT), '/everywhere')
    assert.equal((await site.audit('sessions-ended')).length, 1)
  })
})
