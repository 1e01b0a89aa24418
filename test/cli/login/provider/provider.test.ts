// What is kept of a provider's answer, and what is sent to it.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import type { Tokens } from '../../../../src/cli/login/login-record.ts'
import type { LoginRequest } from '../../../../src/cli/login/login-request.ts'
import { openProvider, type Provider } from '../../../../src/cli/login/provider/provider.ts'
import { makeKey } from '../../../authenticate/bearer/issuing.ts'
import { createPki, type Pki } from '../../../servers/pki.ts'
import { startScriptedHttp } from '../../../servers/scripted-http.ts'
import { temporaryFolder } from '../../../servers/temporary.ts'
import {
  CLIENT,
  PATHS,
  startHostileProvider,
  withMembers,
  type HostileProvider,
} from '../hostile-provider.ts'

const REDIRECT = 'http://127.0.0.1:1234/callback'

const LOGIN: Tokens & { readonly refreshToken: string } = {
  subject: 'u-alice',
  user: 'alice',
  idToken: { value: 'id-1', expires: 1 },
  accessToken: { value: 'access-1', expires: 1 },
  refreshToken: 'refresh-1',
  obtained: 0,
}

describe('the provider of a login', { concurrency: true }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  const open = async (
    provider: HostileProvider,
    changes: Partial<LoginRequest> = {},
  ): Promise<Provider> =>
    await openProvider({ issuer: provider.issuer, clientId: CLIENT, ...changes }, { ca: pki.ca })

  const logIn = async (provider: HostileProvider): Promise<Tokens> => {
    const login = await (await open(provider)).beginCode(REDIRECT, { consent: true })
    provider.nonce = login.url.searchParams.get('nonce') ?? ''
    const answer = new URL(REDIRECT)
    const iss = provider.issuer
    answer.search = new URLSearchParams({ code: 'c', state: login.state, iss }).toString()
    return await login.finish(answer)
  }

  const NAMES: readonly { name: string; claims: object; want: string }[] = [
    {
      name: 'preferred_username',
      claims: { preferred_username: 'a', email: 'b', name: 'c' },
      want: 'a',
    },
    { name: 'email', claims: { preferred_username: '', email: 'b', name: 'c' }, want: 'b' },
    { name: 'name', claims: { email: 7, name: 'c' }, want: 'c' },
    { name: 'subject', claims: {}, want: 'u-alice' },
  ]
  for (const { name, claims, want } of NAMES) {
    it(`identifies the user by the ${name}`, async () => {
      await using provider = await startHostileProvider(pki.upstream)
      provider.claims = { ...claims }
      assert.equal((await logIn(provider)).user, want)
    })
  }

  // What remains of it, in seconds.
  const now = Math.floor(Date.now() / 1_000)
  const LIVES: readonly { name: string; claims: object; want: number }[] = [
    { name: 'from iat and exp', claims: {}, want: 300 },
    {
      name: 'where the provider’s clock is ahead',
      claims: { iat: now + 3_600, exp: now + 3_900 },
      want: 300,
    },
    { name: 'with an old iat', claims: { iat: now - 3_600, exp: now + 60 }, want: 60 },
    { name: 'that has just expired', claims: { iat: now - 300, exp: now - 20 }, want: -20 },
    { name: 'with hardly any lifetime', claims: { exp: 9e15 }, want: 31_622_400 },
  ]
  for (const { name, claims, want } of LIVES) {
    it(`gives an ID token a lifetime: ${name}`, async () => {
      await using provider = await startHostileProvider(pki.upstream)
      provider.claims = { ...claims }
      const { idToken, obtained } = await logIn(provider)
      const life = ((idToken.expires ?? 0) - obtained) / 1_000
      assert.ok(Math.abs(life - want) <= 6, `${life} s`)
    })
  }

  it('gives an access token a lifetime: by expires_in, by its own claims, or unknown', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const lifeOf = async (tokens: object): Promise<number | undefined> => {
      provider.tokens = { ...tokens }
      const { accessToken, obtained } = await logIn(provider)
      return accessToken.expires === undefined ? undefined : accessToken.expires - obtained
    }
    const jwt = await provider.key.token({ iat: 1, exp: 601 })
    assert.equal(await lifeOf({ expires_in: 120 }), 120_000)
    assert.equal(await lifeOf({ expires_in: undefined, access_token: jwt }), 600_000)
    assert.equal(await lifeOf({ expires_in: undefined, access_token: 'a.b.c' }), undefined)
    assert.equal(await lifeOf({ expires_in: undefined, access_token: 'opaque' }), undefined)
  })

  it('is requested with consent for refresh tokens, unless consent is disabled', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const promptOf = async (changes: Partial<LoginRequest>, consent: boolean) => {
      const { url } = await (await open(provider, changes)).beginCode(REDIRECT, { consent })
      return url.searchParams.get('prompt')
    }
    assert.equal(await promptOf({}, true), 'consent')
    assert.equal(await promptOf({}, false), null)
    assert.equal(await promptOf({ scope: 'openid' }, true), null)
  })

  it('is requested with the given scope and resource', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const request = { scope: 'openid x', resource: 'urn:a', audience: 'b' }
    const { url } = await (await open(provider, request)).beginCode(REDIRECT, { consent: true })
    const parameters = Object.fromEntries(url.searchParams)
    assert.deepEqual(
      [parameters['scope'], parameters['resource'], parameters['audience']],
      ['openid x', 'urn:a', 'b'],
    )
  })

  it('is requested with the scope `openid` when the provider lists no scopes', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.discovery, withMembers({ scopes_supported: undefined }))
    const { url } = await (await open(provider)).beginCode(REDIRECT, { consent: true })
    assert.equal(url.searchParams.get('scope'), 'openid')
  })

  it('refreshes: values that are not sent again stay', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.tokens = { id_token: undefined, refresh_token: undefined }
    const opened = await open(provider, { resource: 'urn:a' })
    const renewal = await opened.renew(LOGIN)
    assert.equal(renewal.kind, 'renewed')
    const { subject, user, idToken, refreshToken, accessToken } =
      renewal.kind === 'renewed' ? renewal.tokens : LOGIN
    assert.deepEqual(
      { subject, user, refreshToken },
      { subject: 'u-alice', user: 'alice', refreshToken: 'refresh-1' },
    )
    assert.equal(idToken.value, 'id-1')
    assert.match(accessToken.value, /^access-\d+$/)
    assert.notEqual(accessToken.value, 'access-1')
    const { form } = provider.server.requests.find(({ path }) => path === PATHS.token) ?? {}
    assert.deepEqual(form, {
      resource: 'urn:a',
      client_id: CLIENT,
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
    })
  })

  it('refuses a renewed ID token of another subject', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.claims = { sub: 'u-mallory' }
    assert.deepEqual(await (await open(provider)).renew(LOGIN), {
      kind: 'unsound',
      why: 'the renewed ID token has another subject',
    })
  })

  it('refuses a refreshed ID token by another key', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.signer = await makeKey()
    const renewal = await (await open(provider)).renew(LOGIN)
    assert.equal(renewal.kind, 'unsound')
  })

  it('receives no refresh token while its keys cannot be fetched, since it would be used up', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const opened = await open(provider)
    for (const [answer, kind] of [
      [{ status: 503 }, 'unavailable'],
      [{ body: { keys: 'none' } }, 'unsound'],
      [{ body: '<html>' }, 'unsound'],
    ] as const) {
      provider.lies.set(PATHS.keys, () => answer)
      assert.equal((await opened.renew(LOGIN)).kind, kind)
    }
    assert.ok(!provider.server.requests.some(({ path }) => path === PATHS.token))
  })

  it('revokes a token, has no revocation, or fails', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const opened = await open(provider)
    assert.deepEqual(await opened.revoke('r', 'refresh_token'), { kind: 'revoked' })
    const { form } = provider.server.requests.at(-1) ?? {}
    assert.deepEqual(form, { client_id: CLIENT, token: 'r', token_type_hint: 'refresh_token' })
    provider.lies.set(PATHS.revocation, () => ({ status: 503 }))
    assert.equal((await opened.revoke('r', 'refresh_token')).kind, 'unavailable')
    provider.lies.set(PATHS.discovery, withMembers({ revocation_endpoint: undefined }))
    const without = await open(provider)
    assert.deepEqual(await without.revoke('r', 'refresh_token'), { kind: 'not-offered' })
  })

  it('receives the client secret by the method of its metadata', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    await using folder = await temporaryFolder()
    const clientSecretFile = folder.file('secret')
    await writeFile(clientSecretFile, 's3cret\n')
    const authenticatedBy = async (methods: readonly string[] | undefined) => {
      provider.lies.set(
        PATHS.discovery,
        withMembers({ token_endpoint_auth_methods_supported: methods }),
      )
      const access = { ca: pki.ca, clientSecretFile }
      const opened = await openProvider({ issuer: provider.issuer, clientId: CLIENT }, access)
      await opened.revoke('r', 'refresh_token')
      const { headers, form } = provider.server.requests.at(-1) ?? {}
      return [headers?.authorization, form?.['client_secret']]
    }
    // RFC 6749 §2.3.1.
    const basic = `Basic ${Buffer.from('countersign%2Dcli:s3cret').toString('base64')}`
    assert.deepEqual(await authenticatedBy(undefined), [basic, undefined])
    assert.deepEqual(await authenticatedBy(['client_secret_post', 'client_secret_basic']), [
      basic,
      undefined,
    ])
    assert.deepEqual(await authenticatedBy(['client_secret_post']), [undefined, 's3cret'])
    await writeFile(clientSecretFile, '\n')
    await assert.rejects(authenticatedBy(undefined), {
      code: 'file-unreadable',
      message: /is empty$/,
    })
  })

  it('is not used with an unreadable CA', async () => {
    const access = { ca: '/nowhere/ca.pem' }
    await assert.rejects(
      openProvider({ issuer: 'https://localhost:1', clientId: CLIENT }, access),
      {
        code: 'file-unreadable',
        message: /^\/nowhere\/ca\.pem cannot be read/,
      },
    )
  })

  it('may use http: on this machine, but no http: endpoints elsewhere', async () => {
    const documents: Record<string, string> = {}
    await using server = await startScriptedHttp(({ path }) => ({
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(
        JSON.stringify(path === '/keys' ? { keys: [] } : { issuer: server.origin, ...documents }),
      ),
    }))
    const opened = async (): Promise<Provider> =>
      await openProvider({ issuer: server.origin, clientId: CLIENT }, {})
    documents['authorization_endpoint'] = `${server.origin}/authorize`
    const { url } = await (await opened()).beginCode(REDIRECT, { consent: true })
    assert.equal(url.origin, server.origin)
    documents['authorization_endpoint'] = 'http://elsewhere.example.org/authorize'
    await assert.rejects((await opened()).beginCode(REDIRECT, { consent: true }), {
      code: 'login-failed',
      message: /its login page is not at an https URL$/,
    })
    documents['authorization_endpoint'] = 'file:///etc/passwd'
    await assert.rejects((await opened()).beginCode(REDIRECT, { consent: true }), {
      code: 'login-failed',
    })
    documents['jwks_uri'] = `${server.origin}/keys`
    documents['token_endpoint'] = 'http://elsewhere.example.org/token'
    const renewal = await (await opened()).renew(LOGIN)
    assert.deepEqual(renewal, {
      kind: 'unsound',
      why: 'http://elsewhere.example.org/token is not https: nothing is sent there',
    })
  })
})
