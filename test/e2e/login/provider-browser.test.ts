// Away to a provider of others and back, in a real browser and through the real Envoy: by the policy of
// the page and by the rules of its cookies.

import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { CALLBACK, ISSUER } from '../../issuer/authorization-server.ts'
import { skipWithoutChromium, startChromium } from '../../servers/chromium.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startNodeOidc } from '../../servers/node-oidc.ts'
import { createPki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { startSite } from '../site.ts'

const SKIP = skipWithoutEnvoy() || skipWithoutChromium()
const SECRET = 'client-secret-of-the-test'

// RFC 7636, appendix B.
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

describe('a provider of others, in a browser', { skip: SKIP }, () => {
  it('is one click away, and leads back to the application', async () => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const pki = stack.use(await createPki())
    const oidc = stack.use(
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
    const keys = folder.file('keys')
    await mkdir(keys)
    await writeSigningKeys(keys, [await madeKey('ES256')])
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
    const site = stack.use(
      await startSite({
        issuer: {
          url: ISSUER,
          keys,
          login: { authenticators: ['staff'], providers: { corp } },
          clients: { spa: { name: 'Dashboards', redirectUris: [CALLBACK] } },
        },
        authenticators: { nobody: { anonymous: {} } },
        // The application, as far as people see it here.
        routes: [
          {
            name: 'app',
            match: { hosts: ['app.example.org'] },
            authenticate: ['nobody'],
            authorize: [{ allow: 'everybody' }],
          },
        ],
      }),
    )
    const chromium = await startChromium([
      `--host-resolver-rules=MAP *.example.org:443 127.0.0.1:${site.target.port}`,
    ])
    stack.defer(() => chromium.close())
    const context = await chromium.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const said: string[] = []
    page.on('console', (message) => said.push(message.text()))
    const asked = new URL('/authorize', ISSUER)
    asked.search = new URLSearchParams({
      client_id: 'spa',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      state: 'there',
    }).toString()
    await page.goto(asked.href)
    await page.getByRole('button', { name: 'Continue with Example Corporation' }).click()
    await page.waitForURL(`${CALLBACK}?**`)
    const { searchParams } = new URL(page.url())
    assert.equal(searchParams.get('state'), 'there')
    assert.ok(searchParams.has('code'))
    assert.deepEqual(said, [])
    const audit = await readFile(site.files.audit, 'utf8')
    assert.match(
      audit,
      /"event":"login".*"outcome":"succeeded".*"user":"alice".*"authenticator":"corp"/,
    )
  })
})
