// Logging in at a hostile upstream IdP: its token is accepted only where it is signed, for this client, and for
// this login.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Visit } from '../fakes/browser.ts'
import { confusedWith } from '../fakes/confused-names.ts'
import { startFakeOpenId, type FakeOpenId } from '../fakes/openid-provider.ts'
import { callbackOf, leave, refusals, siteWith } from './upstream-idp-site.ts'

describe('the codes of callbacks', () => {
  it('hostile: are redeemed a bounded number of times for one address; successful ones do not count', async () => {
    await using fake = await startFakeOpenId()
    await using site = await siteWith([{ id: 'fake', issuer: fake.issuer }])
    /** The status of a page, or of the redirect to the application. */
    const comeBack = async (isGood: boolean): Promise<number> => {
      const { browser, left } = await leave(site, 'fake')
      const parameters = left.url.searchParams
      fake.settings.claims = { nonce: isGood ? (parameters.get('nonce') ?? '') : 'another' }
      const url = new URL(callbackOf('fake'))
      url.search = new URLSearchParams({
        code: 'c',
        state: parameters.get('state') ?? '',
      }).toString()
      const end = await browser.get(url)
      return end.url.pathname.startsWith('/login/') ? end.status : 200
    }
    const good: number[] = []
    for (let time = 0; time < 12; time += 1) good.push(await comeBack(true))
    assert.deepEqual(new Set(good), new Set([200]))
    const bad: number[] = []
    for (let time = 0; time < 14; time += 1) bad.push(await comeBack(false))
    assert.deepEqual([...new Set(bad)], [403, 429])
    assert.equal(fake.requests.filter((path) => path === '/token').length, 12 + 10)
  })
})

describe('a login at a hostile upstream IdP', () => {
  const begin = async (
    fake: FakeOpenId,
    parameters: Readonly<Record<string, string>> = {},
    further: Readonly<Record<string, unknown>> = {},
  ) => {
    const site = await siteWith([{ id: 'fake', issuer: fake.issuer, further }])
    const { browser, left } = await leave(site, 'fake', parameters)
    const back = async (answer: Readonly<Record<string, string>> = {}): Promise<Visit> => {
      const url = new URL(callbackOf('fake'))
      const state = left.url.searchParams.get('state') ?? ''
      url.search = new URLSearchParams({ code: 'c', state, ...answer }).toString()
      return await browser.get(url)
    }
    const nonce = left.url.searchParams.get('nonce') ?? ''
    return { site, left, back, nonce, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() }
  }

  it('succeeds where its token is valid', async () => {
    await using fake = await startFakeOpenId()
    await using setting = await begin(fake)
    fake.settings.claims = { nonce: setting.nonce }
    assert.ok((await setting.back()).url.searchParams.has('code'))
  })

  const CASES: readonly {
    readonly name: string
    readonly claims?: Readonly<Record<string, unknown>>
    readonly signs?: 'other-key' | 'no-key'
    readonly spelling?: (payload: string) => string
  }[] = [
    { name: 'a token signed with another key', signs: 'other-key' },
    { name: 'an unsigned token', signs: 'no-key' },
    { name: 'a token for another client', claims: { aud: 'another' } },
    { name: 'a token of another issuer', claims: { iss: 'https://evil.example.net' } },
    { name: 'a token that has expired', claims: { exp: 1_000_000_000 } },
    { name: 'a token without a subject', claims: { sub: undefined } },
    { name: 'a token with another nonce', claims: { nonce: 'another' } },
    { name: 'a token without a nonce', claims: { nonce: undefined } },
    {
      name: 'a token with a claim twice',
      spelling: (payload) => payload.replace('{', '{"sub":"u-0",'),
    },
  ]
  for (const { name, claims = {}, signs = 'own-key', spelling = String } of CASES) {
    it(`hostile: is refused with ${name}`, async () => {
      await using fake = await startFakeOpenId()
      await using setting = await begin(fake)
      fake.settings.claims = { nonce: setting.nonce, ...claims }
      fake.settings.signs = signs
      fake.settings.spelling = spelling
      assert.equal((await setting.back()).status, 403)
      assert.deepEqual(await refusals(setting.site), [
        ['refused', 'provider-response-invalid', 'fake'],
      ])
    })
  }

  it('adds claims of the userinfo endpoint, without overriding those of the token', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.userinfo = { sub: 'u-1', email: 'eve@example.org', acr: 'high', iss: 'evil' }
    const identity = { user: 'claims.email', groups: '[claims.acr, claims.iss]' }
    await using setting = await begin(fake, {}, { identity })
    fake.settings.claims = { nonce: setting.nonce, acr: 'low' }
    assert.ok((await setting.back()).url.searchParams.has('code'))
    const [login] = await setting.site.audit('login')
    assert.deepEqual(
      [login?.['user'], login?.['groups']],
      ['eve@example.org', ['low', fake.issuer]],
    )
  })

  it('has the claims as they were signed, whatever names were read before', async () => {
    await using fake = await startFakeOpenId()
    const name = 'CORP\\user'
    const identity = { user: `claims[${JSON.stringify(name)}]` }
    await using setting = await begin(fake, {}, { identity })
    fake.settings.claims = { nonce: setting.nonce, [name]: 'alice' }
    fake.settings.spelling = (payload) => {
      JSON.parse(payload.replace(JSON.stringify(name), () => JSON.stringify(confusedWith(name))))
      return payload
    }
    assert.ok((await setting.back()).url.searchParams.has('code'))
    const [login] = await setting.site.audit('login')
    assert.equal(login?.['user'], 'alice')
  })

  it('hostile: is refused with userinfo of another subject', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.userinfo = { sub: 'u-2' }
    await using setting = await begin(fake)
    fake.settings.claims = { nonce: setting.nonce }
    assert.equal((await setting.back()).status, 403)
    assert.deepEqual(await refusals(setting.site), [
      ['refused', 'provider-response-invalid', 'fake'],
    ])
  })

  it('does not request userinfo with `userinfo: false`', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.userinfo = { sub: 'u-1' }
    await using setting = await begin(fake, {}, { userinfo: false })
    fake.settings.claims = { nonce: setting.nonce }
    assert.ok((await setting.back()).url.searchParams.has('code'))
    assert.equal(fake.requests.includes('/userinfo'), false)
  })

  it('hostile: is refused with an old auth_time, where the application wants a new login', async () => {
    for (const time of [undefined, 1_000_000_000]) {
      await using fake = await startFakeOpenId()
      await using setting = await begin(fake, { prompt: 'login' })
      fake.settings.claims = { nonce: setting.nonce, auth_time: time }
      assert.equal((await setting.back()).status, 403)
    }
  })

  it('hostile: does not put a malformed error code into the log', async () => {
    await using fake = await startFakeOpenId()
    await using setting = await begin(fake)
    const end = await setting.back({ error: '\u001b[31m"x"', error_description: '<b>' })
    assert.equal(end.status, 403)
    const [login] = await setting.site.audit('login')
    assert.equal(login?.['detail'], 'an invalid error code')
  })

  for (const path of ['/.well-known/openid-configuration', '/token']) {
    it(`hostile: follows no redirect from ${path}`, async () => {
      await using fake = await startFakeOpenId()
      await using elsewhere = await startFakeOpenId()
      const redirect = { location: `${elsewhere.issuer}${path}` }
      fake.settings.intercept = ({ url }, response) => {
        if (url !== path) return false
        response.writeHead(307, redirect).end()
        return true
      }
      await using setting = await begin(fake)
      fake.settings.claims = { nonce: setting.nonce }
      const end = path === '/token' ? await setting.back() : setting.left
      assert.equal(end.status, 403)
      assert.deepEqual(elsewhere.requests, [])
    })
  }

  it('hostile: is refused with metadata of another issuer, or an unsafe authorization endpoint', async () => {
    for (const metadata of [
      { issuer: 'https://evil.example.net' },
      { authorization_endpoint: 'javascript:alert(1)' },
      { authorization_endpoint: 'http://evil.example.net/auth' },
    ]) {
      await using fake = await startFakeOpenId()
      fake.settings.metadata = metadata
      await using setting = await begin(fake)
      assert.equal(setting.left.status, 403, JSON.stringify(metadata))
    }
  })

  it('hostile: sends no code to an http: token endpoint', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.metadata = { token_endpoint: 'http://evil.example.net/token' }
    await using setting = await begin(fake)
    assert.equal((await setting.back()).status, 403)
  })

  it('is 503 after a deadline, where the upstream IdP does not answer', async () => {
    await using fake = await startFakeOpenId()
    fake.settings.intercept = () => true
    const began = performance.now()
    await using setting = await begin(fake)
    assert.equal(setting.left.status, 503)
    assert.ok(performance.now() - began < 10_000)
  })
})
