// A login at an upstream IdP and the way back, in a real browser and through the real Envoy: by the policy
// of the page and by the rules of its cookies.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { CALLBACK, ISSUER } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startNodeOidc, type NodeOidc } from '../../servers/node-oidc.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { usersAt } from '../browser-users.ts'
import type { Site } from '../site.ts'
import { authorizationUrl, loginsAt, startLoginSite } from './login-site.ts'

const SECRET = 'client-secret-of-the-test'

const skip = skipWithoutEnvoy() || skipWithoutChromium()

describe('an upstream IdP, in a browser', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let pki: Pki
  let oidc: NodeOidc
  let site: Site
  before(async () => {
    const folder = stack.use(await temporaryFolder())
    pki = stack.use(await createPki())
    oidc = stack.use(
      await startNodeOidc(pki.upstream, [
        {
          client_id: 'countersign',
          client_secret: SECRET,
          redirect_uris: [`${ISSUER}/login/callback/corp`],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          id_token_signed_response_alg: 'ES256',
        },
      ]),
    )
    await writeFile(folder.file('secret'), SECRET)
    const corp = {
      name: 'Example Corporation',
      issuer: oidc.issuer,
      ca: pki.ca,
      clientId: 'countersign',
      clientSecret: `file:${folder.file('secret')}`,
      scopes: ['openid', 'profile'],
      identity: { user: 'claims.preferred_username' },
    }
    const login = { authenticators: ['staff'], providers: { corp } }
    site = stack.use(await startLoginSite({ login }))
  })
  const open = usersAt(() => ({ site, servers: [pki.upstream.certificate] }))
  after(() => stack.disposeAsync())

  it('is one click away, and leads back to the application', async () => {
    const { page } = await open()
    await page.goto(authorizationUrl())
    await page.getByRole('button', { name: 'Continue with Example Corporation' }).click()
    await page.waitForURL(`${CALLBACK}?**`)
    const { searchParams } = new URL(page.url())
    assert.equal(searchParams.get('state'), 'there')
    assert.ok(searchParams.has('code'))
    const login = (await loginsAt(site)).at(-1)
    assert.deepEqual(
      [login?.['outcome'], login?.['user'], login?.['authenticator']],
      ['succeeded', 'alice', 'corp'],
    )
  })

  it('an upstream IdP that refuses leads back to the login page with a message', async () => {
    oidc.settings.login = 'refuse'
    const { page } = await open({ refusals: [403] })
    await page.goto(authorizationUrl())
    await page.getByRole('button', { name: 'Continue with Example Corporation' }).click()
    const alert = page.getByRole('alert')
    assert.match(await alert.innerText(), /Example Corporation failed/)
    assert.equal(await page.getByLabel('Password').count(), 1)
  })
})
