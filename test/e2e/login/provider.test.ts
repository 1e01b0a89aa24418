// Logging in at a real upstream IdP, another library's in another process: with the identity that it
// reports, and not while it is down.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { authorizationCodeGrant } from 'openid-client'
import { Browser } from '../../fakes/browser.ts'
import {
  authorization,
  configuration,
  ISSUER,
  startSite,
  type Site,
} from '../../issuer/authorization-server.ts'
import {
  skipWithoutOidcProvider,
  startOidcProvider,
  USER,
  WEB,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'

describe('a login at a real upstream IdP', { skip: skipWithoutOidcProvider() }, () => {
  let provider: OidcProvider
  let site: Site
  before(async () => {
    process.env['REAL_PROVIDER_SECRET'] = WEB.secret
    provider = await startOidcProvider({ redirectUris: [`${ISSUER}/login/callback/real`] })
    const providers = {
      real: {
        name: 'Example Corporation',
        issuer: provider.issuer,
        clientId: WEB.id,
        clientSecret: 'env:REAL_PROVIDER_SECRET',
        identity: { user: 'claims.email', groups: '["guests"]' },
      },
    }
    site = await startSite(
      configuration().replace(
        'authenticators: [staff]\n    claims',
        `authenticators: [staff]\n    providers: ${JSON.stringify(providers)}\n    claims`,
      ),
    )
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  /** What a user does there. */
  const logInThere = async (url: URL): Promise<URL> => {
    const there = new Browser({ port: Number(url.port) })
    const { url: page } = await there.get(url)
    const id = page.searchParams.get('authRequestID') ?? ''
    const { Username: username, Password: password } = USER
    return (await there.post(new URL('/login/username', url), { id, username, password })).url
  }

  it('yields Countersign’s tokens with the mapped identity', async () => {
    const client = await site.client('spa')
    const { url, checks } = await authorization(client)
    const browser = site.browser()
    const left = await browser.submit(await browser.get(url), '/provider', { provider: 'real' })
    const back = await logInThere(left.url)
    assert.equal(`${back.origin}${back.pathname}`, `${ISSUER}/login/callback/real`)
    const { url: done } = await browser.get(back)
    const tokens = await authorizationCodeGrant(client, done, checks)
    assert.equal(tokens.claims()?.sub, USER.Email)
    assert.deepEqual(tokens.claims()?.['groups'], ['guests'])
    const login = (await site.audit('login')).at(-1)
    assert.deepEqual([login?.['outcome'], login?.['authenticator']], ['succeeded', 'real'])
  })

  it('hostile: is refused in another browser than the one that left', async () => {
    const { url } = await authorization(await site.client('spa'))
    const browser = site.browser()
    const left = await browser.submit(await browser.get(url), '/provider', { provider: 'real' })
    const back = await logInThere(left.url)
    assert.equal((await site.browser().get(back)).status, 400)
    assert.ok((await browser.get(back)).url.searchParams.has('code'))
  })

  it('is 503 where the upstream IdP is down when the user returns', async () => {
    const { url } = await authorization(await site.client('spa'))
    const browser = site.browser()
    const left = await browser.submit(await browser.get(url), '/provider', { provider: 'real' })
    const back = await logInThere(left.url)
    await provider.stop()
    const end = await browser.get(back)
    assert.equal(end.status, 503)
    assert.match(end.body, /Example Corporation/)
    assert.match(end.body, /name="password"/)
  })
})
