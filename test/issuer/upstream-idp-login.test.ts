// Logging in at an upstream IdP (oidc-provider). The browser that returns has to be the one that left, with the
// answer to its own request, from the upstream IdP that received it.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { authorizationCodeGrant } from 'openid-client'
import { Browser, type Visit } from '../fakes/browser.ts'
import { FAKE_CLIENT } from '../fakes/openid-provider.ts'
import { startNodeOidc, type NodeOidc } from '../servers/node-oidc.ts'
import { createPki, type Pki } from '../servers/pki.ts'
import { ISSUER } from './authorization-server.ts'
import { callbackOf, leave, refusals, siteWith, type ProviderText } from './upstream-idp-site.ts'

describe('a login at an upstream IdP', () => {
  let pki: Pki
  let oidc: NodeOidc
  before(async () => {
    pki = await createPki()
    oidc = await startNodeOidc(pki.upstream, [
      {
        client_id: FAKE_CLIENT.id,
        client_secret: FAKE_CLIENT.secret,
        redirect_uris: [callbackOf('corp'), callbackOf('other')],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        id_token_signed_response_alg: 'ES256',
      },
    ])
  })
  after(async () => {
    await oidc[Symbol.asyncDispose]()
    await pki[Symbol.asyncDispose]()
  })

  const corp = (further: Readonly<Record<string, unknown>> = {}): ProviderText => ({
    id: 'corp',
    issuer: oidc.issuer,
    ca: pki.ca,
    further: {
      scopes: ['openid', 'profile', 'groups'],
      identity: { user: 'claims.preferred_username', groups: 'claims.groups' },
      ...further,
    },
  })
  /** What the provider does with the browser; where it sends it back to. */
  const visit = async (url: URL): Promise<URL> => {
    const tls = { ca: await readFile(pki.ca) }
    return (await new Browser({ port: Number(new URL(oidc.issuer).port), tls }).get(url)).url
  }

  it('yields tokens with the identity from the upstream IdP', async () => {
    await using site = await siteWith([corp()])
    const { client, checks, browser, page, left } = await leave(site, 'corp')
    assert.match(page.body, /Continue with The corp/)
    assert.equal(left.url.origin, oidc.issuer)
    assert.equal(left.url.searchParams.get('code_challenge_method'), 'S256')
    const back = await visit(left.url)
    assert.equal(`${back.origin}${back.pathname}`, callbackOf('corp'))
    const { url } = await browser.get(back)
    const tokens = await authorizationCodeGrant(client, url, checks)
    assert.equal(tokens.claims()?.sub, 'alice')
    assert.deepEqual(tokens.claims()?.['groups'], ['developers', 'staff'])
    const [login] = await site.audit('login')
    assert.deepEqual(
      [login?.['outcome'], login?.['authenticator'], login?.['authentication'], login?.['user']],
      ['succeeded', 'corp', 'bearer', 'alice'],
    )
  })

  it('is one of several login methods, or the only one', async () => {
    await using both = await siteWith([corp()])
    assert.match((await leave(both, 'corp')).page.body, /name="password"/)
    await using only = await siteWith([corp()], '[]')
    const { page, browser, left } = await leave(only, 'corp')
    assert.doesNotMatch(page.body, /name="password"/)
    assert.ok((await browser.get(await visit(left.url))).url.searchParams.has('code'))
  })

  it('is allowed by the policy of the login page (form-action)', async () => {
    await using site = await siteWith([corp()])
    const { page } = await leave(site, 'corp')
    const policy = String(page.headers['content-security-policy'])
    assert.ok(/form-action [^;]*/.exec(policy)?.[0].includes(oidc.issuer), policy)
  })

  it('has the issuer and subject as its user where no mapping is configured', async () => {
    await using site = await siteWith([corp({ identity: undefined })])
    const { browser, left, client, checks } = await leave(site, 'corp')
    const { url } = await browser.get(await visit(left.url))
    const tokens = await authorizationCodeGrant(client, url, checks)
    assert.equal(tokens.claims()?.sub, `${oidc.issuer}#u-alice`)
  })

  it('hostile: is refused with a reserved name', async () => {
    await using site = await siteWith([corp({ identity: { user: '"system:admin"' } })])
    const { browser, left } = await leave(site, 'corp')
    assert.equal((await browser.get(await visit(left.url))).status, 403)
    assert.deepEqual(await refusals(site), [['refused', 'identity-reserved', 'corp']])
  })

  it('is repeated at the upstream IdP with prompt=login', async () => {
    await using site = await siteWith([corp()])
    const first = await leave(site, 'corp')
    await first.browser.get(await visit(first.left.url))
    const again = await leave(site, 'corp', { prompt: 'login' }, first.browser)
    assert.equal(again.left.url.searchParams.get('prompt'), 'login')
    const { url } = await first.browser.get(await visit(again.left.url))
    assert.ok(url.searchParams.has('code'), url.href)
  })

  describe('hostile: is refused', () => {
    const CASES: readonly {
      readonly name: string
      readonly leaving?: (url: URL) => void
      readonly returning?: (url: URL) => void
      readonly status: number
      readonly reason?: string
    }[] = [
      {
        name: 'with the iss of another issuer (mix-up)',
        returning: (url) => url.searchParams.set('iss', 'https://evil.example.net'),
        status: 403,
        reason: 'provider-response-invalid',
      },
      {
        name: 'without iss, where the upstream IdP always sends it',
        returning: (url) => url.searchParams.delete('iss'),
        status: 403,
        reason: 'provider-response-invalid',
      },
      {
        name: 'at the callback of another upstream IdP (mix-up)',
        returning: (url) => (url.pathname = '/login/callback/other'),
        status: 400,
      },
      {
        name: 'with an unknown state',
        returning: (url) => url.searchParams.set('state', 'A'.repeat(43)),
        status: 400,
      },
      {
        name: 'without a state',
        returning: (url) => url.searchParams.delete('state'),
        status: 400,
      },
      {
        name: 'with two states',
        returning: (url) => url.searchParams.append('state', 'x'),
        status: 403,
        reason: 'provider-response-invalid',
      },
      {
        name: 'with a token for another nonce',
        leaving: (url) => url.searchParams.set('nonce', 'another'),
        status: 403,
        reason: 'provider-response-invalid',
      },
      {
        name: 'with a code for another code_challenge',
        leaving: (url) => url.searchParams.set('code_challenge', 'A'.repeat(43)),
        status: 403,
        reason: 'provider-refused',
      },
      {
        name: 'with an unknown code',
        returning: (url) => url.searchParams.set('code', 'none'),
        status: 403,
        reason: 'provider-refused',
      },
    ]
    for (const { name, leaving, returning, status, reason } of CASES) {
      it(name, async () => {
        await using site = await siteWith([corp(), { ...corp(), id: 'other' }])
        const { browser, left } = await leave(site, 'corp')
        leaving?.(left.url)
        const back = await visit(left.url)
        returning?.(back)
        const end = await browser.get(back)
        assert.equal(end.status, status)
        assert.equal(end.url.searchParams.has('code') && end.url.origin !== ISSUER, false)
        const want = reason === undefined ? [] : [['refused', reason, 'corp']]
        assert.deepEqual(await refusals(site), want)
      })
    }
  })

  it('hostile: is refused in another browser, and still succeeds in its own', async () => {
    await using site = await siteWith([corp()])
    const { browser, left } = await leave(site, 'corp')
    const back = await visit(left.url)
    // One without any login, and one with a login of its own: the victim of a forged login.
    assert.equal((await site.browser().get(back)).status, 400)
    const victim = await leave(site, 'corp')
    assert.equal((await victim.browser.get(back)).status, 400)
    assert.ok((await browser.get(back)).url.searchParams.has('code'))
  })

  it('hostile: is refused at the address of another login', async () => {
    await using site = await siteWith([corp()])
    const attacker = await leave(site, 'corp')
    const back = await visit(attacker.left.url)
    const victim = await leave(site, 'corp')
    const uid = victim.page.url.pathname.split('/')[2] ?? ''
    const end = await victim.browser.get(`${ISSUER}/login/${uid}/returned${back.search}`)
    assert.equal(end.status, 400)
    assert.ok((await attacker.browser.get(back)).url.searchParams.has('code'))
  })

  it('hostile: is redeemed by one of several callbacks', async () => {
    await using site = await siteWith([corp()])
    const { browser, left } = await leave(site, 'corp')
    const back = await visit(left.url)
    const copy = browser.copy()
    const ends = await Promise.all([browser.get(back), copy.get(back)])
    const isIn = ({ url }: Visit): boolean => url.origin !== ISSUER && url.searchParams.has('code')
    assert.equal(ends.filter(isIn).length, 1)
    assert.equal(isIn(await browser.copy().get(back)), false)
    assert.equal((await refusals(site)).filter(([outcome]) => outcome === 'succeeded').length, 1)
  })

  it('hostile: is not started by a form without its CSRF token, or for an unknown upstream IdP', async () => {
    await using site = await siteWith([corp()])
    const { browser, page } = await leave(site, 'corp')
    const forged = await browser.post(new URL(`${page.url.pathname}/provider`, page.url), {
      provider: 'corp',
    })
    assert.equal(forged.status, 400)
    const unknown = await browser.submit(page, '/provider', { provider: 'evil' })
    assert.equal(unknown.status, 400)
    assert.equal(unknown.headers.location, undefined)
  })

  it('returns to the login page where the upstream IdP refuses', async () => {
    oidc.settings.login = 'refuse'
    try {
      await using site = await siteWith([corp()])
      const { browser, left } = await leave(site, 'corp')
      const end = await browser.get(await visit(left.url))
      assert.equal(end.status, 403)
      assert.match(end.body, /The corp.* failed/s)
      assert.match(end.body, /name="password"/)
      const [login] = await site.audit('login')
      assert.deepEqual(
        [login?.['reason'], login?.['detail']],
        ['provider-refused', 'access_denied'],
      )
    } finally {
      oidc.settings.login = 'alice'
    }
  })

  it('is 503 while the upstream IdP is down, and succeeds when it is up again', async () => {
    await using site = await siteWith([corp()])
    await oidc.stop()
    const { browser, left } = await leave(site, 'corp')
    assert.equal(left.status, 503)
    assert.match(left.body, /name="password"/)
    await oidc.start()
    const second = await browser.submit(left, '/provider', { provider: 'corp' })
    const back = await visit(second.url)
    await oidc.stop()
    assert.equal((await browser.get(back)).status, 503)
    await oidc.start()
    const down = ['refused', 'authenticator-unavailable', 'corp']
    assert.deepEqual(await refusals(site), [down, down])
    const third = await leave(site, 'corp')
    const { url } = await third.browser.get(await visit(third.left.url))
    assert.ok(url.searchParams.has('code'))
  })
})
