// The authorization server with a client library of another project (openid-client): what it offers, and which
// tokens it issues for a login or a client secret.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import {
  atSocket,
  authorization,
  CALLBACK,
  configuration,
  ISSUER,
  logIn,
  startSite,
  type Site,
} from './authorization-server.ts'

const API = 'https://api.example.org'

describe('the authorization server, by openid-client', () => {
  let site: Site
  before(async () => {
    site = await startSite(atSocket(configuration()))
  })
  after(() => site[Symbol.asyncDispose]())

  /** Verified as an upstream does it, by the published keys alone. */
  const verified = async (token: string) => {
    const response = await fetch(`http://127.0.0.1:${site.port}/jwks`)
    const jwks: Parameters<typeof createLocalJWKSet>[0] = JSON.parse(await response.text())
    return await jwtVerify(token, createLocalJWKSet(jwks), { issuer: ISSUER })
  }

  it('publishes metadata with secure options only', async () => {
    const metadata = (await site.client('spa')).serverMetadata()
    assert.equal(metadata.issuer, ISSUER)
    assert.equal(metadata.jwks_uri, `${ISSUER}/jwks`)
    assert.deepEqual(metadata.response_types_supported, ['code'])
    assert.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
    assert.deepEqual(metadata.id_token_signing_alg_values_supported, ['ES256', 'EdDSA'])
    assert.equal(metadata.authorization_response_iss_parameter_supported, true)
    assert.deepEqual([...(metadata.grant_types_supported ?? [])].toSorted(), [
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ])
  })

  it('issues a code for a login, and tokens for the code', async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client, { scope: 'openid groups email' })
    const back = await logIn(site.browser(), url)
    assert.equal(`${back.origin}${back.pathname}`, CALLBACK)
    assert.equal(back.searchParams.get('iss'), ISSUER, 'RFC 9207')
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    const { payload, protectedHeader } = await verified(tokens.id_token ?? '')
    assert.equal(protectedHeader.alg, 'ES256')
    assert.equal(payload.sub, 'alice')
    assert.equal(payload.aud, 'spa')
    assert.deepEqual(payload['groups'], ['dev', 'ops'])
    assert.equal(payload['email'], 'alice@example.org')
    assert.equal(payload['tenant'], 'acme')
    assert.deepEqual(payload['amr'], ['pwd'])
    assert.ok(typeof payload['auth_time'] === 'number')
    const userinfo = await openid.fetchUserInfo(client, tokens.access_token, 'alice')
    assert.deepEqual(userinfo['groups'], ['dev', 'ops'])
  })

  it('records logins and issued tokens in the audit log', async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    const back = await logIn(site.browser({ 'x-countersign-source': '203.0.113.9' }), url)
    await openid.authorizationCodeGrant(client, back, checks)
    const login = (await site.audit('login')).at(-1)
    assert.deepEqual(
      [
        login?.['outcome'],
        login?.['user'],
        login?.['groups'],
        login?.['client'],
        login?.['source'],
      ],
      ['succeeded', 'alice', ['dev', 'ops'], 'spa', '203.0.113.9'],
    )
    const issued = (await site.audit('tokens-issued')).at(-1)
    assert.deepEqual(
      [issued?.['grantType'], issued?.['user'], issued?.['client'], issued?.['scope']],
      ['authorization_code', 'alice', 'spa', 'openid groups'],
    )
  })

  it('includes only the claims of the requested scopes', async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client, { scope: 'openid' })
    const tokens = await openid.authorizationCodeGrant(
      client,
      await logIn(site.browser(), url),
      checks,
    )
    assert.equal(tokens.claims()?.['groups'], undefined)
    assert.equal(tokens.claims()?.['email'], undefined)
  })

  it('does not ask for a password again for the next application', async () => {
    const browser = site.browser()
    const spa = await site.client('spa')
    await logIn(browser, (await authorization(spa)).url)
    const web = await site.client('web')
    const { url, checks } = await authorization(web, { resource: API })
    const { url: back } = await browser.get(url)
    const tokens = await openid.authorizationCodeGrant(web, back, checks)
    assert.equal(tokens.claims()?.sub, 'alice')
  })

  it('asks for a password again with prompt=login', async () => {
    const browser = site.browser()
    const client = await site.client('spa')
    await logIn(browser, (await authorization(client)).url)
    const { body } = await browser.get((await authorization(client, { prompt: 'login' })).url)
    assert.match(body, /type="password"/)
  })

  describe('access tokens for a resource (RFC 8707, RFC 9068)', () => {
    it('have its audience, claims, algorithm and lifetime', async () => {
      const client = await site.client('web')
      const { url, checks } = await authorization(client, {
        resource: API,
        scope: 'openid groups read delete',
      })
      const back = await logIn(site.browser(), url)
      const tokens = await openid.authorizationCodeGrant(client, back, checks)
      const { payload, protectedHeader } = await verified(tokens.access_token)
      assert.deepEqual([protectedHeader.alg, protectedHeader.typ], ['EdDSA', 'at+jwt'])
      assert.equal(payload.aud, API)
      assert.equal(payload.sub, 'alice')
      assert.equal(payload['client_id'], 'web')
      assert.equal(payload['scope'], 'read')
      assert.deepEqual(payload['groups'], ['dev', 'ops'])
      assert.deepEqual(payload['team'], ['dev', 'ops'])
      assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 600)
      assert.equal((await site.audit('tokens-issued')).at(-1)?.['resource'], API)
    })

    it('are refused to a client that may not use the resource', async () => {
      const client = await site.client('spa')
      const { url } = await site.browser().get((await authorization(client, { resource: API })).url)
      assert.equal(url.searchParams.get('error'), 'invalid_target')
    })

    it('are issued to a client itself by its secret (client_credentials)', async () => {
      const client = await site.client('robot')
      const tokens = await openid.clientCredentialsGrant(client, { resource: API, scope: 'write' })
      const { payload } = await verified(tokens.access_token)
      assert.deepEqual(
        [payload.sub, payload['client_id'], payload.aud, payload['scope'], payload['groups']],
        ['robot', 'robot', API, 'write', undefined],
      )
      assert.equal((await site.audit('tokens-issued')).at(-1)?.['client'], 'robot')
    })
  })

  it('introspects opaque tokens (RFC 7662), and revokes them (RFC 7009)', async () => {
    const web = await site.client('web')
    const { url, checks } = await authorization(web, { scope: 'openid' })
    const back = await logIn(site.browser(), url)
    const { access_token: token } = await openid.authorizationCodeGrant(web, back, checks)
    const introspected = await openid.tokenIntrospection(web, token)
    assert.deepEqual(
      [introspected.active, introspected.sub, introspected.client_id],
      [true, 'alice', 'web'],
    )
    const otherClient = await site.client('spa')
    assert.equal((await openid.tokenIntrospection(otherClient, token)).active, false)
    await openid.tokenRevocation(web, token)
    assert.equal((await openid.tokenIntrospection(web, token)).active, false)
  })

  it('accepts a pushed authorization request (RFC 9126) once', async () => {
    const client = await site.client('web')
    const { url, checks } = await authorization(client)
    const parameters = Object.fromEntries(url.searchParams)
    const pushed = await openid.buildAuthorizationUrlWithPAR(client, parameters)
    assert.deepEqual([...pushed.searchParams.keys()].toSorted(), ['client_id', 'request_uri'])
    const back = await logIn(site.browser(), pushed)
    const tokens = await openid.authorizationCodeGrant(client, back, checks)
    assert.equal(tokens.claims()?.sub, 'alice')
    const { body } = await site.browser().get(pushed)
    assert.match(body, /request_uri is invalid, expired, or was already used/)
  })

  describe('a client that is not first-party', () => {
    const partner = async () => {
      const client = await site.client('partner')
      const redirect = { redirect_uri: 'https://partner.example.net/cb', scope: 'openid email' }
      const { url, checks } = await authorization(client, redirect)
      const browser = site.browser()
      const login = await browser.get(url)
      const credentials = { user: 'bob', password: 'builder' }
      return {
        client,
        browser,
        checks,
        question: await browser.submit(login, '/password', credentials),
      }
    }

    it('gets tokens with the user’s consent, which is remembered', async () => {
      const { client, browser, checks, question } = await partner()
      assert.match(question.body, /Partner &amp; Sons/)
      assert.match(question.body, /partner\.example\.net/)
      const { url: back } = await browser.submit(question, '/consent', { answer: 'allow' })
      const tokens = await openid.authorizationCodeGrant(client, back, checks)
      assert.equal(tokens.claims()?.['email'], 'bob@example.org')
      const again = await authorization(client, {
        redirect_uri: 'https://partner.example.net/cb',
        scope: 'openid email',
      })
      assert.ok((await browser.get(again.url)).url.searchParams.has('code'))
    })

    it('gets access_denied where the user denies', async () => {
      const { browser, question } = await partner()
      const { url } = await browser.submit(question, '/consent', { answer: 'deny' })
      assert.equal(url.searchParams.get('error'), 'access_denied')
      assert.equal(url.searchParams.get('iss'), ISSUER)
    })
  })

  it('asks for consent before a program on a device uses a session (RFC 8252 §8.6)', async () => {
    const browser = site.browser()
    await logIn(browser, (await authorization(await site.client('spa'))).url)
    const cli = await site.client('cli')
    const redirect = { redirect_uri: 'http://127.0.0.1:45123/callback' }
    const { url, checks } = await authorization(cli, redirect)
    const question = await browser.get(url)
    assert.equal(question.status, 200)
    const { url: back } = await browser.submit(question, '/consent', { answer: 'allow' })
    assert.equal(back.port, '45123', 'any port of a loopback address')
    const tokens = await openid.authorizationCodeGrant(cli, back, checks)
    assert.equal(tokens.claims()?.sub, 'alice')
  })
})
