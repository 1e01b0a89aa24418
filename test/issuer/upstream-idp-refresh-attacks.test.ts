// A hostile upstream IdP while a login at it lasts: its refreshes and its logout tokens. They cannot change the
// user of a login, and only valid ones end it.
//
// Slow: it waits until tokens have expired, in most tests.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Visit } from '../fakes/browser.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import { startFakeOpenId, type FakeOpenId } from '../fakes/openid-provider.ts'
import { callbackOf, siteWith } from './upstream-idp-site.ts'
import { isIn, withSessions } from './session/browsing.ts'

const APP = 'https://app.example.org'
const COOKIE = '__Host-countersign'
const OVERDUE_MS = 2_100

/** Logs in there, with tokens that have to be renewed soon. */
const begin = async (
  fake: FakeOpenId,
  claims: Readonly<Record<string, unknown>> = {},
  further: Readonly<Record<string, unknown>> = {},
) => {
  const site = await siteWith(
    [
      {
        id: 'fake',
        issuer: fake.issuer,
        further: { identity: { user: 'claims.sub' }, ...further },
      },
    ],
    '[staff]',
    withSessions(),
  )
  const browser = site.browser()
  const begun = await browser.get(`${APP}/.countersign/login`)
  const page = await browser.get(begun.url)
  const { url: left } = await browser.submit(page, '/provider', { provider: 'fake' })
  const back = new URL(callbackOf('fake'))
  back.search = new URLSearchParams({
    code: 'c',
    state: left.searchParams.get('state') ?? '',
  }).toString()
  fake.settings.tokens = { refresh_token: 'r', expires_in: 2 }
  fake.settings.claims = { nonce: left.searchParams.get('nonce'), ...claims }
  const done = await browser.get(back)
  await browser.get(done.url)
  const cookie = `${COOKIE}=${browser.cookiesOf(APP).get(COOKIE) ?? assert.fail(done.body)}`
  fake.settings.claims = claims
  return {
    site,
    cookie,
    status: async (): Promise<string> => {
      using client = new EnvoyClient(site.authz.address)
      const headers = [['cookie', cookie]] as const
      const outcome = await client.check({ host: 'app.example.org', path: '/', headers })
      return outcome.allow ? (outcome.set['x-remote-user'] ?? '') : outcome.status
    },
    notify: async (token: string): Promise<Visit> =>
      await site.browser().post(`${callbackOf('fake')}/logout`, { logout_token: token }),
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  }
}

describe('the refresh of a login at an upstream IdP', () => {
  it('accepts an answer without an ID token, with the claims of the userinfo endpoint', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.userinfo = { sub: 'u-1', team: 'old' }
    await using login = await begin(
      fake,
      {},
      { identity: { user: 'claims.sub', groups: '[claims.team]' } },
    )
    fake.settings.userinfo = { sub: 'u-1', team: 'new' }
    fake.settings.tokens = { expires_in: 60, id_token: undefined }
    await sleep(OVERDUE_MS)
    assert.equal(await login.status(), 'u-1')
    const [renewed] = await login.site.audit('login-renewed')
    assert.deepEqual(renewed?.['groups'], ['new'])
  })

  it('works with a refresh token that is not rotated', async () => {
    await using fake = await startFakeOpenId()
    await using login = await begin(fake)
    fake.settings.tokens = { expires_in: 2 }
    for (let round = 0; round < 2; round += 1) {
      await sleep(OVERDUE_MS)
      assert.equal(await login.status(), 'u-1')
    }
  })

  const HOSTILE: readonly {
    readonly name: string
    readonly set: (fake: FakeOpenId) => void
    readonly status: 'Unauthorized' | 'ServiceUnavailable'
  }[] = [
    {
      name: 'the ID token has another subject',
      set: ({ settings }) => (settings.claims = { sub: 'u-2' }),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the userinfo endpoint has another subject',
      set: ({ settings }) => (settings.userinfo = { sub: 'u-2' }),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the ID token is signed with another key',
      set: ({ settings }) => (settings.signs = 'other-key'),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the ID token is for another client',
      set: ({ settings }) => (settings.claims = { aud: 'another' }),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the upstream IdP refuses the client (invalid_client)',
      set: (fake) => refuseWith(fake, 401, 'invalid_client'),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the upstream IdP has an internal error',
      set: (fake) => refuseWith(fake, 500, 'server_error'),
      status: 'ServiceUnavailable',
    },
    {
      name: 'the upstream IdP refuses the refresh token (invalid_grant)',
      set: (fake) => refuseWith(fake, 400, 'invalid_grant'),
      status: 'Unauthorized',
    },
  ]
  for (const { name, set, status } of HOSTILE) {
    it(`hostile: is ${status} where ${name}`, async () => {
      await using fake = await startFakeOpenId()
      fake.settings.userinfo = { sub: 'u-1' }
      await using login = await begin(fake)
      set(fake)
      await sleep(OVERDUE_MS)
      assert.equal(await login.status(), status)
      assert.equal((await login.site.audit('login-renewed')).length, 0)
    })
  }

  it('hostile: ends the login where the mapping yields another user', async () => {
    await using fake = await startFakeOpenId()
    await using login = await begin(
      fake,
      { email: 'eve@example.org' },
      { identity: { user: 'claims.email' } },
    )
    assert.equal(await login.status(), 'eve@example.org')
    fake.settings.claims = { email: 'alice@example.org' }
    await sleep(OVERDUE_MS)
    assert.equal(await login.status(), 'Unauthorized')
  })
})

describe('a logout token of an upstream IdP', () => {
  it('ends the logins of a subject, or of the session that it names', async () => {
    await using fake = await startFakeOpenId()
    for (const claims of [{}, { sid: 's-1' }, { sid: 's-1', sub: undefined }]) {
      await using login = await begin(fake, { sid: 's-1' })
      const notified = await login.notify(await fake.logoutToken(claims))
      assert.equal(notified.status, 200, notified.body)
      assert.equal(await isIn(login.site.authz, login.cookie), false, JSON.stringify(claims))
    }
  })

  it('of another session of that subject does not end this login', async () => {
    await using fake = await startFakeOpenId()
    await using login = await begin(fake, { sid: 's-1' })
    assert.equal((await login.notify(await fake.logoutToken({ sid: 's-2' }))).status, 200)
    assert.equal(await isIn(login.site.authz, login.cookie), true)
  })

  it('used again ends no login that has begun since', async () => {
    await using fake = await startFakeOpenId()
    await using login = await begin(fake)
    const token = await fake.logoutToken({ sub: 'u-2' })
    assert.equal((await login.notify(token)).status, 200)
    const again = await fake.logoutToken({ jti: decoded(token)['jti'] })
    assert.equal((await login.notify(again)).status, 200)
    assert.equal(await isIn(login.site.authz, login.cookie), true)
  })

  const HOSTILE: readonly {
    readonly name: string
    readonly claims?: Readonly<Record<string, unknown>>
    readonly header?: Readonly<Record<string, unknown>>
    readonly signs?: 'other-key' | 'no-key'
  }[] = [
    { name: 'signed with another key', signs: 'other-key' },
    { name: 'without a signature', signs: 'no-key' },
    { name: 'with a symmetric algorithm', header: { alg: 'HS256' } },
    { name: 'for another client', claims: { aud: 'another' } },
    { name: 'of another issuer', claims: { iss: 'https://evil.example.net' } },
    { name: 'that has expired', claims: { exp: 1_000_000_000 } },
    { name: 'without exp', claims: { exp: undefined } },
    { name: 'with an old iat', claims: { iat: Math.floor(Date.now() / 1_000) - 3_600 } },
    { name: 'without jti', claims: { jti: undefined } },
    { name: 'without sub', claims: { sub: undefined } },
    { name: 'that is an ID token (with nonce)', claims: { nonce: 'n' } },
    { name: 'about another event', claims: { events: { 'https://example.org/x': {} } } },
    { name: 'without events', claims: { events: undefined } },
    {
      name: 'about an event that is not an object',
      claims: { events: { 'http://schemas.openid.net/event/backchannel-logout': 1 } },
    },
  ]
  it('hostile: does nothing where it is invalid', async (context) => {
    await using fake = await startFakeOpenId()
    await using login = await begin(fake)
    fake.settings.tokens = { expires_in: 600 }
    for (const { name, claims, header, signs = 'own-key' } of HOSTILE) {
      await context.test(`hostile: ${name}`, async () => {
        fake.settings.signs = signs
        const token = await fake.logoutToken(claims, header)
        const notified = await login.notify(token)
        assert.equal(notified.status, 400)
        assert.deepEqual(JSON.parse(notified.body)['error'], 'invalid_request')
      })
    }
    fake.settings.signs = 'own-key'
    for (const text of ['', 'x', 'a.b.c']) {
      assert.equal((await login.notify(text)).status, 400)
    }
    const other = await login.site.browser().post(`${callbackOf('unknown')}/logout`, {
      logout_token: await fake.logoutToken(),
    })
    assert.equal(other.status, 400, 'a provider that is not configured')
    assert.equal(await login.status(), 'u-1')
  })

  it('is answered with 503 while the upstream keys cannot be fetched', async () => {
    await using fake = await startFakeOpenId()
    await using login = await begin(fake)
    const token = await fake.logoutToken()
    fake.settings.intercept = (_request, response) => {
      response.writeHead(500).end()
      return true
    }
    assert.equal((await login.notify(token)).status, 503)
    fake.settings.intercept = () => false
    await sleep(100)
    assert.equal((await login.notify(token)).status, 200)
    assert.equal(await isIn(login.site.authz, login.cookie), false)
  })
})

const refuseWith = ({ settings }: FakeOpenId, status: number, error: string): void => {
  settings.intercept = ({ url }, response) => {
    if (url !== '/token') return false
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error }))
    return true
  }
}

const decoded = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
