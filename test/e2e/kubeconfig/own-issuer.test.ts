import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import { countersign } from '../../cli/run.ts'
import { run, start } from '../../cli/login/running.ts'
import { Browser } from '../../fakes/browser.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { http1 } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer } from '../asking.ts'
import { PASSWORDS, received, startSite, type Site } from '../site.ts'

const RESOURCE = 'https://kube.example.org'

describe('countersign login at the own issuer', { skip: skipWithoutEnvoy() }, () => {
  const owned = new AsyncDisposableStack()
  let folder: TemporaryFolder
  let site: Site
  let issuer: string
  before(async () => {
    folder = owned.use(await temporaryFolder())
    const keys = folder.file('keys')
    await mkdir(keys)
    await writeSigningKeys(keys, [await madeKey('ES256')])
    const port = await freePort()
    issuer = `https://localhost:${port}`
    site = owned.use(
      await startSite({
        listener: { address: `127.0.0.1:${port}` },
        issuer: {
          url: issuer,
          keys,
          login: { authenticators: ['staff'] },
          clients: {
            'countersign-cli': {
              name: 'Command line',
              grantTypes: ['authorization_code', 'refresh_token', 'device_code'],
              redirectUris: ['http://127.0.0.1/callback'],
              resources: [RESOURCE],
            },
          },
          resources: { [RESOURCE]: {} },
        },
        authenticators: {
          own: {
            bearer: { issuer, audiences: [RESOURCE] },
            identity: { user: 'claims.sub', groups: 'claims.?groups.orValue([])' },
          },
        },
        route: { authenticate: ['own'] },
      }),
    )
  })
  after(() => owned.disposeAsync())

  it('9. logs in at the login page; the token opens a route, is refreshed, and revoked', async () => {
    const at = ['--issuer', issuer, '--ca', site.pki.ca, '--resource', RESOURCE]
    const state = folder.path
    await using login = start(['login', ...at, '--no-browser'], { state })
    const [, url = ''] = await login.says(/^ {2}(https:\/\/\S+)$/m)
    const tls = { ca: await readFile(site.pki.ca) }
    const browser = new Browser({ port: site.target.port, tls })
    const page = await browser.get(url)
    const { alice } = PASSWORDS
    const form = await browser.submit(page, '/password', { user: 'alice', password: alice })
    // The issuer cannot distinguish the programs on her device, so she has to consent.
    const { url: callback } = await browser.submit(form, '/consent', { answer: 'allow' })
    assert.equal((await fetch(callback)).status, 200)
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /as alice until \S+Z, renewed/)
    const whoAmI = async (): Promise<readonly string[]> => {
      const {
        status: exit,
        stdout: answer,
        stderr: why,
      } = await run(['credential', ...at], { state })
      assert.equal(exit, 0, why)
      const { token } = JSON.parse(answer).status
      // RFC 9068 §2.2.1: how she logged in, also in refreshed tokens.
      const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
      assert.deepEqual([claims.amr, typeof claims.auth_time], [['pwd'], 'number'])
      const reply = await http1(site.target, { headers: [bearer(token)] })
      const traced = await countersign(['trace', claims.jti, '--audit', site.files.audit])
      assert.match(
        traced.stdout,
        /login: succeeded by password[^]*tokens-issued:[^]*Countersign decided: allow/,
      )
      return received(reply, 'x-remote-user')
    }
    assert.deepEqual(await whoAmI(), ['alice'])
    const cache = new TokenCache(join(state, 'countersign/tokens'))
    for (const entry of await cache.list()) {
      assert.ok(entry.outcome === 'login')
      const accessToken = { value: 'ended', expires: Date.now() - 1 }
      await cache.write({ ...entry.login, accessToken })
    }
    assert.deepEqual(await whoAmI(), ['alice'])
    const elsewhere = ['--issuer', issuer, '--resource', 'https://other.example.org']
    assert.equal((await run(['logout', ...elsewhere], { state })).stdout, 'There are no logins.\n')
    const logout = await run(['logout', ...at, '--client-id', 'countersign-cli'], { state })
    assert.match(logout.stdout, /revoked there, removed here/)
    // authz has the keys of its own issuer: it fetches none by way of Envoy, which was not up when it started.
    assert.doesNotMatch(site.authz.log, /token keys/)
  })

  it('10. logs in with a code on another device', async () => {
    await using home = await temporaryFolder()
    const at = ['--issuer', issuer, '--ca', site.pki.ca]
    const args = ['login', ...at, '--scope', 'openid groups offline_access', '--device']
    await using login = start(args, { state: home.path })
    const [, url = ''] = await login.says(/^ {2}(https:\/\/\S+user_code=\S+)$/m)
    const tls = { ca: await readFile(site.pki.ca) }
    const browser = new Browser({ port: site.target.port, tls })
    const confirmed = await browser.submit(await browser.get(url), '/device')
    const loginPage = await browser.submit(confirmed, '/device', { confirm: 'yes' })
    const { alice: password } = PASSWORDS
    await browser.submit(loginPage, '/password', { user: 'alice', password })
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /as alice until \S+Z, renewed/)
    // The order of scopes has no meaning.
    const words = ['logout', ...at, '--scope', 'offline_access,groups,openid']
    assert.match((await run(words, { state: home.path })).stdout, /revoked there, removed here/)
  })
})
