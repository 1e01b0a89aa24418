// Logging in: the texts of the page, the audit events, and what is shared with the other authenticators.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { decodeJwt } from 'jose'
import { existsSync } from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { authorizationCodeGrant, buildEndSessionUrl, refreshTokenGrant } from 'openid-client'
import { basic } from '../fakes/envoy.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'
import {
  atSocket,
  authorization,
  configuration,
  logIn,
  startSite,
  type Site,
} from './authorization-server.ts'

const open = async (site: Site, headers: Readonly<Record<string, string>> = {}) => {
  const browser = site.browser(headers)
  const { url } = await authorization(await site.client('spa'))
  return { browser, page: await browser.get(url) }
}

/** What a page says, without what differs from one login to the next. */
const saidOn = (body: string): string =>
  body
    .replaceAll(/name="csrf" value="[^"]*"/g, '')
    .replaceAll(/\/login\/[\w-]+/g, '')
    .replaceAll(/value="[^"]*"/g, '')

describe('the login page', () => {
  it('has the same text for a wrong password and for an unknown user', async () => {
    await using site = await startSite()
    const { browser, page } = await open(site)
    const wrong = await browser.submit(page, '/password', { user: 'alice', password: 'no' })
    const unknown = await browser.submit(page, '/password', { user: 'zoe', password: 'no' })
    assert.equal(wrong.status, 403)
    assert.equal(unknown.status, 403)
    assert.match(wrong.body, /role="alert"/)
    assert.equal(saidOn(wrong.body), saidOn(unknown.body))
    const events = await site.audit('login')
    assert.deepEqual(
      events.map(({ outcome, reason, user }) => [outcome, reason, user]),
      [
        ['refused', 'credential-wrong', 'alice'],
        ['refused', 'user-unknown', undefined], // it might be a password in the wrong field
      ],
    )
    assert.match(String(events[1]?.['userHash']), /^[\w-]{16}$/)
    assert.ok(!JSON.stringify(events).includes('zoe'))
  })

  it('continues the authorization after a wrong password', async () => {
    await using site = await startSite()
    const { browser, page } = await open(site)
    const wrong = await browser.submit(page, '/password', { user: 'alice', password: 'no' })
    const { url } = await browser.submit(wrong, '/password', {
      user: 'alice',
      password: 'wonderland',
    })
    assert.ok(url.searchParams.has('code'))
  })

  it('does not report a wrong password where the identity is reserved', async () => {
    const reserved = '  staff: { identity: { user: \'"system:admin"\' }, basic:'
    await using site = await startSite(configuration().replace('  staff: { basic:', reserved))
    const { browser, page } = await open(site)
    const denied = await browser.submit(page, '/password', {
      user: 'alice',
      password: 'wonderland',
    })
    assert.equal(denied.status, 403)
    assert.match(denied.body, /This account cannot be used here/)
    assert.equal((await site.audit('login')).at(-1)?.['reason'], 'identity-reserved')
    const wrong = await browser.submit(page, '/password', { user: 'alice', password: 'no' })
    assert.match(wrong.body, /Wrong user name or password/)
  })

  it('reports a missing user name', async () => {
    await using site = await startSite()
    const { browser, page } = await open(site)
    const missing = await browser.submit(page, '/password', { user: ' ', password: 'x' })
    assert.equal(missing.status, 400)
    assert.equal((await site.audit('login')).length, 0)
  })

  it('shares the lock-out of the authenticator with its routes', async () => {
    await using site = await startSite(atSocket(configuration()))
    const from = '203.0.113.7'
    const { browser, page } = await open(site, { 'x-countersign-source': from })
    let last = page
    for (let attempt = 0; attempt < 20 && last.status !== 429; attempt += 1) {
      last = await browser.submit(page, '/password', { user: 'alice', password: `no-${attempt}` })
    }
    assert.equal(last.status, 429)
    assert.ok(Number(last.headers['retry-after']) > 0)
    using envoy = new EnvoyClient(site.authz.address)
    const refused = await envoy.check({
      host: 'app.example.org',
      path: '/',
      headers: [['authorization', basic('alice', 'wonderland')]],
    })
    assert.equal(refused.allow, false)
    const decision = (await site.audit('decision')).at(-1)
    assert.equal(decision?.['reason'], 'too-many-attempts')
  })

  it('is German where the browser or the application prefers it', async () => {
    await using site = await startSite()
    const { page } = await open(site, { 'accept-language': 'de-AT, en;q=0.5' })
    assert.match(page.body, /<html lang="de"/)
    const { url } = await authorization(await site.client('spa'), { ui_locales: 'de' })
    assert.match((await site.browser().get(url)).body, /<html lang="de"/)
  })

  it(
    'logs no user in whose login cannot be recorded',
    { skip: !existsSync('/dev/full') },
    async () => {
      await using site = await startSite()
      const { browser, page } = await open(site)
      await rm(site.folder.file('audit.jsonl'))
      await symlink('/dev/full', site.folder.file('audit.jsonl'))
      await site.authz.reload()
      const refused = await browser.submit(page, '/password', {
        user: 'alice',
        password: 'wonderland',
      })
      assert.equal(refused.status, 503)
      assert.equal(refused.url.searchParams.has('code'), false)
    },
  )

  it('fills in the login_hint of the application', async () => {
    await using site = await startSite()
    const { url } = await authorization(await site.client('spa'), { login_hint: 'al"ice' })
    assert.match((await site.browser().get(url)).body, /value="al&quot;ice"/)
  })

  it('does not exist without an authorization request', async () => {
    await using site = await startSite()
    for (const path of ['/login/', '/login/abc', '/login/abc/password', '/login/a/b/c']) {
      const { status } = await site.browser().get(`https://id.example.org${path}`)
      assert.ok([400, 404, 405].includes(status), `${path}: ${status}`)
    }
  })

  it('keeps two simultaneous logins of one browser apart', async () => {
    await using site = await startSite()
    const browser = site.browser()
    const client = await site.client('spa')
    const [one, two] = [await authorization(client), await authorization(client)]
    const [first, second] = [await browser.get(one.url), await browser.get(two.url)]
    const credentials = { user: 'alice', password: 'wonderland' }
    const back2 = await browser.submit(second, '/password', credentials)
    assert.equal(back2.url.searchParams.get('state'), two.checks.expectedState)
    const back1 = await browser.submit(first, '/password', credentials)
    assert.equal(back1.url.searchParams.get('state'), one.checks.expectedState)
  })
})

describe('a logout', () => {
  it('ends the session and revokes its tokens', async () => {
    await using site = await startSite()
    const client = await site.client('spa')
    const browser = site.browser()
    const { url, checks } = await authorization(client)
    const tokens = await authorizationCodeGrant(client, await logIn(browser, url), checks)
    const leave = buildEndSessionUrl(client, {
      post_logout_redirect_uri: 'https://app.example.org/bye',
      id_token_hint: tokens.id_token ?? '',
      state: 'there',
    })
    const question = await browser.get(leave)
    assert.match(question.body, /name="logout"/)
    const bye = await browser.submit(question, '/confirm', { logout: 'yes' })
    assert.equal(bye.url.href, 'https://app.example.org/bye?state=there')
    await assert.rejects(refreshTokenGrant(client, tokens.refresh_token ?? ''))
    const { url: again } = await authorization(client, { prompt: 'none' })
    assert.equal((await browser.get(again)).url.searchParams.get('error'), 'login_required')
  })

  it('is reported to the clients of the login (back-channel logout)', async () => {
    const forms: URLSearchParams[] = []
    const server = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => forms.push(new URLSearchParams(chunk.toString())))
      request.on('end', () => response.end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const uri = `http://127.0.0.1:${address.port}/logout`
    await using site = await startSite(
      configuration().replace('    spa: { ', `    spa: { backchannelLogout: '${uri}', `),
    )
    const client = await site.client('spa')
    const browser = site.browser()
    const { url, checks } = await authorization(client)
    const tokens = await authorizationCodeGrant(client, await logIn(browser, url), checks)
    const question = await browser.get(buildEndSessionUrl(client, {}))
    await browser.submit(question, '/confirm', { logout: 'yes' })
    server.close()
    assert.equal(forms.length, 1)
    const claims = decodeJwt(forms[0]?.get('logout_token') ?? '')
    assert.equal(claims.sub, 'alice')
    assert.equal(claims['sid'], tokens.claims()?.['sid'])
    assert.ok(claims['events'])
  })

  it('ends nothing where it is not confirmed', async () => {
    await using site = await startSite()
    const client = await site.client('spa')
    const browser = site.browser()
    await logIn(browser, (await authorization(client)).url)
    const question = await browser.get(buildEndSessionUrl(client, {}))
    await browser.submit(question, '/confirm')
    const { url } = await authorization(client, { prompt: 'none' })
    assert.ok((await browser.get(url)).url.searchParams.has('code'))
  })
})
