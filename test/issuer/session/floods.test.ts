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

/** Sends authorization requests without a cookie, as fast as they are answered. */
const flood = async (url: URL, port: number, count: number): Promise<void> => {
  using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 20 }), {
    [Symbol.dispose]: () => agent.destroy(),
  })
  const path = `${url.pathname}${url.search}`
  const send = async (): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    request({ agent, host: '127.0.0.1', port, path, maxHeaderSize: 65_536 }, (response) => {
      response.resume().on('end', resolve)
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

describe('3,000 authorization requests without a login', () => {
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

    const large = await authorization(client, { login_hint: 'x'.repeat(28_000) })
    await flood(large.url, site.port, 3_000)

    const after = await shown(site.authz, token)
    assert.deepEqual(after.allow ? 'allowed' : after.status, 'Unauthorized')
    assert.equal(await isIn(site.authz, session), true)
  })
})
