// Attacks on the authorization server (RFC 9700, OWASP): each case is what an attacker does.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import * as openid from 'openid-client'
import {
  authorization,
  CALLBACK,
  ISSUER,
  logIn,
  refusalOf,
  startSite,
  type Site,
} from './authorization-server.ts'

describe('the authorization server under attack', () => {
  let site: Site
  before(async () => {
    site = await startSite()
  })
  after(() => site[Symbol.asyncDispose]())

  const codeOf = async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    return { client, checks, back: await logIn(site.browser(), url) }
  }

  describe('an authorization code', () => {
    it('is redeemed once; a second use revokes the tokens of the first (RFC 6749 §4.1.2)', async () => {
      const client = await site.client('web')
      const { url, checks } = await authorization(client)
      const back = await logIn(site.browser(), url)
      const tokens = await openid.authorizationCodeGrant(client, back, checks)
      const again = openid.authorizationCodeGrant(client, back, checks)
      assert.equal(await refusalOf(again), 'invalid_grant')
      const introspected = await openid.tokenIntrospection(client, tokens.access_token)
      assert.equal(introspected.active, false)
    })

    it('is redeemed by one of several simultaneous requests', async () => {
      const { client, checks, back } = await codeOf()
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, async () =>
          refusalOf(openid.authorizationCodeGrant(client, back, checks)),
        ),
      )
      assert.equal(outcomes.filter((outcome) => outcome === undefined).length, 1)
    })

    it('is refused with another code_verifier', async () => {
      const { client, checks, back } = await codeOf()
      const pkceCodeVerifier = openid.randomPKCECodeVerifier()
      const stolen = openid.authorizationCodeGrant(client, back, { ...checks, pkceCodeVerifier })
      assert.equal(await refusalOf(stolen), 'invalid_grant')
    })

    it('is refused for another client', async () => {
      const { checks, back } = await codeOf()
      const other = await site.client('web')
      assert.equal(
        await refusalOf(openid.authorizationCodeGrant(other, back, checks)),
        'invalid_grant',
      )
    })
  })

  for (const [name, change] of Object.entries<(url: URL) => void>({
    'no challenge': (url) => {
      url.searchParams.delete('code_challenge')
      url.searchParams.delete('code_challenge_method')
    },
    'a plain challenge': (url) => url.searchParams.set('code_challenge_method', 'plain'),
    'a challenge of no method, which would be plain': (url) =>
      url.searchParams.delete('code_challenge_method'),
    'a token in the answer': (url) => url.searchParams.set('response_type', 'token'),
    'an ID token in the answer': (url) => url.searchParams.set('response_type', 'code id_token'),
  })) {
    it(`refuses an authorization request with ${name}`, async () => {
      const { url } = await authorization(await site.client('spa'))
      change(url)
      const { url: back } = await site.browser().get(url)
      const said = new URLSearchParams(back.hash.slice(1) || back.search)
      assert.match(said.get('error') ?? '', /^(invalid_request|unsupported_response_type)$/)
      assert.equal(said.get('iss'), ISSUER, 'RFC 9207: also of an error')
      assert.equal(said.get('code'), null)
    })
  }

  for (const target of [
    'https://app.example.org/callback/',
    'https://app.example.org/callback?next=1',
    'https://app.example.org/callback/../evil',
    'https://app.example.org:8443/callback',
    'http://app.example.org/callback',
    'https://app.example.org.evil.example/callback',
    'https://evil.example/callback',
    'javascript:alert(1)',
    '//evil.example',
  ]) {
    it(`does not redirect to ${target}`, async () => {
      const { url } = await authorization(await site.client('spa'), { redirect_uri: target })
      const page = await site.browser().get(url)
      assert.equal(page.url.host, new URL(ISSUER).host)
      assert.equal(page.status, 400)
      assert.equal(
        page.headers['content-security-policy']?.includes("frame-ancestors 'none'"),
        true,
      )
    })
  }

  it('answers an unknown client with a page, without a redirect', async () => {
    const { url } = await authorization(await site.client('spa'))
    url.searchParams.set('client_id', 'unknown')
    const page = await site.browser().get(url)
    assert.equal(page.status, 400)
    assert.match(page.body, /Unknown application/)
  })

  it('does not redirect to an unregistered address after a logout', async () => {
    const client = await site.client('spa')
    const url = openid.buildEndSessionUrl(client, {
      post_logout_redirect_uri: 'https://evil.example/',
    })
    assert.equal((await site.browser().get(url)).status, 400)
  })

  describe('the login page', () => {
    const opened = async () => {
      const browser = site.browser()
      const { url } = await authorization(await site.client('spa'))
      return { browser, page: await browser.get(url) }
    }

    it('refuses a form without its CSRF token', async () => {
      const { browser, page } = await opened()
      const credentials = { user: 'alice', password: 'wonderland' }
      const url = new URL(`${page.url.pathname}/password`, page.url)
      const bare = await browser.post(url, credentials)
      assert.equal(bare.status, 400)
      const other = await opened()
      const otherToken = /name="csrf" value="([^"]*)"/.exec(other.page.body)?.[1] ?? ''
      assert.equal((await browser.post(url, { ...credentials, csrf: otherToken })).status, 400)
    })

    it('has expired in another browser', async () => {
      const { page } = await opened()
      const otherBrowser = site.browser()
      const visit = await otherBrowser.get(page.url)
      assert.equal(visit.status, 400)
      assert.match(visit.body, /This page has expired/)
    })

    it('needs the cookies of its own address, whichever further cookies are sent', async () => {
      const [one, other] = [await opened(), await opened()]
      for (const [name, value] of other.browser.cookiesOf(ISSUER)) {
        if (name.includes('interaction')) one.browser.plant(ISSUER, name, value)
      }
      assert.equal((await one.browser.get(other.page.url)).status, 400)
      const otherBrowser = site.browser()
      for (const [name, value] of other.browser.cookiesOf(ISSUER)) {
        otherBrowser.plant(ISSUER, name, value)
      }
      assert.equal(
        (await otherBrowser.get(other.page.url)).status,
        200,
        'the cookies are valid there',
      )
      assert.equal((await otherBrowser.get(one.page.url)).status, 400)
    })

    it('gives a new session id at each login (session fixation)', async () => {
      const { browser, page } = await opened()
      const session = () => browser.cookiesOf(ISSUER).get('__Host-countersign-login')
      await browser.submit(page, '/password', { user: 'alice', password: 'wonderland' })
      const first = session()
      const again = await browser.get(
        (await authorization(await site.client('spa'), { prompt: 'login' })).url,
      )
      const earlier = browser.copy()
      await browser.submit(again, '/password', { user: 'alice', password: 'wonderland' })
      assert.notEqual(session(), first)
      const { url } = await authorization(await site.client('spa'), { prompt: 'none' })
      assert.equal((await earlier.get(url)).url.searchParams.get('error'), 'login_required')
    })

    it('does not keep a session cookie that an attacker planted', async () => {
      const browser = site.browser()
      browser.plant(ISSUER, '__Host-countersign-login', 'made-up')
      browser.plant(ISSUER, '__Host-countersign-login.sig', 'made-up')
      const { url } = await authorization(await site.client('spa'))
      const back = await logIn(browser, url)
      assert.ok(back.searchParams.has('code'))
      assert.notEqual(browser.cookiesOf(ISSUER).get('__Host-countersign-login'), 'made-up')
    })

    it('cannot be framed or cached, and loads nothing', async () => {
      const { page } = await opened()
      const { headers } = page
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.match(policy, /form-action 'self' https:\/\/app\.example\.org/)
      assert.equal(headers['x-frame-options'], 'DENY')
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['referrer-policy'], 'no-referrer')
    })

    it('sets cookies that are Secure, HttpOnly, SameSite=Lax and without a domain', async () => {
      const { url } = await authorization(await site.client('spa'))
      const response = await fetch(`http://127.0.0.1:${site.port}${url.pathname}${url.search}`, {
        redirect: 'manual',
      })
      const lines = response.headers.getSetCookie()
      assert.ok(lines.length >= 2)
      for (const line of lines) {
        assert.match(line, /; secure/i)
        assert.match(line, /; httponly/i)
        assert.match(line, /; samesite=lax/i)
        assert.doesNotMatch(line, /; domain=/i)
      }
    })

    it('ignores X-Forwarded-Host and X-Forwarded-Proto', async () => {
      const { url } = await authorization(await site.client('spa'))
      const response = await fetch(`http://127.0.0.1:${site.port}${url.pathname}${url.search}`, {
        redirect: 'manual',
        headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
      })
      assert.match(response.headers.get('location') ?? '', /^\/login\//)
      const metadata = await fetch(
        `http://127.0.0.1:${site.port}/.well-known/openid-configuration`,
        {
          headers: { 'x-forwarded-host': 'evil.example' },
        },
      )
      assert.doesNotMatch(await metadata.text(), /evil/)
    })
  })

  it('refuses introspection without a valid client secret', async () => {
    const response = await fetch(`http://127.0.0.1:${site.port}/introspect`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'token=x',
    })
    assert.equal(response.status, 400)
    const wrong = await fetch(`http://127.0.0.1:${site.port}/introspect`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from('web:wrong').toString('base64')}`,
      },
      body: 'token=x',
    })
    assert.equal(wrong.status, 401)
  })

  it('refuses the password grant, the implicit grant and unknown grants', async () => {
    for (const grant of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer']) {
      const response = await fetch(`http://127.0.0.1:${site.port}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `grant_type=${encodeURIComponent(grant)}&client_id=spa&username=alice&password=wonderland`,
      })
      assert.equal(response.status, 400)
      assert.match(await response.text(), /unsupported_grant_type/)
    }
  })

  it('allows the token endpoint to the client’s own origin only (CORS)', async () => {
    const ask = async (origin: string) => {
      const response = await fetch(`http://127.0.0.1:${site.port}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin },
        body: `grant_type=authorization_code&code=x&client_id=spa&redirect_uri=${encodeURIComponent(CALLBACK)}&code_verifier=${'x'.repeat(43)}`,
      })
      return response.headers.get('access-control-allow-origin')
    }
    assert.equal(await ask('https://app.example.org'), 'https://app.example.org')
    assert.equal(await ask('https://evil.example'), null)
  })
})
