// `countersign login`, `credential` and `logout` as processes, at a real upstream IdP.
//
// Slow: it starts a process for each login.

import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import type { Login } from '../../../src/cli/login/login-record.ts'
import {
  NODE_CLIENTS,
  NODE_RESOURCE,
  startNodeOidc,
  type NodeOidc,
} from '../../servers/node-oidc.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { eventually } from '../../e2e/site.ts'
import { confirmDevice, newBrowser } from './browsing.ts'
import { run, start } from './running.ts'

const URL_LINE = /^ {2}(https:\/\/\S+)$/m

const credentialSchema = z.strictObject({
  apiVersion: z.literal('client.authentication.k8s.io/v1'),
  kind: z.literal('ExecCredential'),
  status: z.strictObject({ token: z.string(), expirationTimestamp: z.iso.datetime() }),
})

const claimsOf = (token: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))

describe('countersign login at a real provider', () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  let provider: NodeOidc
  before(async () => {
    pki = owned.use(await createPki())
    provider = owned.use(await startNodeOidc(pki.upstream))
  })
  after(() => owned.disposeAsync())

  const at = (): readonly string[] => ['--issuer', provider.issuer, '--ca', pki.ca]

  /** Logs alice in, in her browser. */
  const logIn = async (state: string, ...more: readonly string[]) => {
    await using login = start(['login', ...at(), '--no-browser', ...more], { state })
    const [, url = ''] = await login.says(URL_LINE)
    const browser = await newBrowser(pki.ca)
    const page = await browser.go(url)
    return { page, url: new URL(url), ...(await login.ended) }
  }

  const tokensIn = async (folder: TemporaryFolder): Promise<readonly Login[]> => {
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    return (await cache.list()).flatMap((entry) => (entry.outcome === 'login' ? [entry.login] : []))
  }

  it('logs in by the browser: code, PKCE, state, nonce, on a port of 127.0.0.1', async () => {
    await using folder = await temporaryFolder()
    const { page, url, status, stdout, stderr } = await logIn(folder.path)
    assert.deepEqual([status, stderr.includes('countersign:')], [0, false])
    assert.match(
      stdout,
      /^Logged in at https:\/\/localhost:\d+ as alice until \S+Z, renewed as long as the provider allows\.\n$/,
    )
    assert.equal(page.status, 200)
    assert.match(page.body, /<h1>You are logged in<\/h1>/)
    assert.match(
      String(page.headers['content-security-policy']),
      /^default-src 'none'; style-src 'sha256-[^' ]+'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
    const { searchParams: parameters } = url
    assert.match(parameters.get('redirect_uri') ?? '', /^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    assert.equal(parameters.get('code_challenge_method'), 'S256')
    for (const name of ['state', 'nonce', 'code_challenge'])
      assert.ok((parameters.get(name) ?? '').length >= 43)
    assert.equal(parameters.get('scope'), 'openid profile email groups offline_access')
  })

  it('opens the browser, and prints the URL in case it does not open', async () => {
    await using folder = await temporaryFolder()
    const opened = folder.file('opened')
    const script = `#!/bin/sh\nprintf '%s\\n' "$#" "$1" >${opened}.part && mv ${opened}.part ${opened}\n`
    await writeFile(folder.file('xdg-open'), script, { mode: 0o755 })
    const PATH = [folder.path, process.env['PATH']].join(delimiter)
    const environment = { PATH, DISPLAY: ':0' }
    await using login = start(['login', ...at()], { state: folder.path, environment })
    await login.says(/^Log in with the browser that opens\. If none opens, open this URL/)
    const [, url = ''] = await login.says(URL_LINE)
    const read = async (): Promise<string> => await readFile(opened, 'utf8').catch(() => '')
    assert.equal(await eventually(read, (text) => text !== ''), `1\n${url}\n`)
    await (await newBrowser(pki.ca)).go(url)
    assert.equal((await login.ended).status, 0)
  })

  it('prints the URL where no program opens a browser', async () => {
    await using folder = await temporaryFolder()
    const environment = { PATH: folder.path, DISPLAY: ':0' }
    await using login = start(['login', ...at()], { state: folder.path, environment })
    const [, url = ''] = await login.says(URL_LINE)
    await login.says(/^Open this URL in a browser on this machine:/)
    await (await newBrowser(pki.ca)).go(url)
    assert.equal((await login.ended).status, 0)
  })

  it('keeps the tokens for their owner only, and prints none', async () => {
    await using folder = await temporaryFolder()
    const { stdout, stderr } = await logIn(folder.path)
    const tokens = join(folder.path, 'countersign/tokens')
    assert.equal((await stat(tokens)).mode & 0o777, 0o700)
    const names = await readdir(tokens)
    assert.equal(names.length, 1)
    assert.match(names[0] ?? '', /^[0-9a-f]{64}\.json$/)
    const file = join(tokens, names[0] ?? '')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const [login] = await tokensIn(folder)
    assert.ok(login?.refreshToken !== undefined)
    for (const secret of [login.idToken.value, login.accessToken.value, login.refreshToken]) {
      assert.ok(!`${stdout}${stderr}`.includes(secret))
      assert.ok((await readFile(file, 'utf8')).includes(secret))
    }
  })

  it('prints the user as JSON for programs', async () => {
    await using folder = await temporaryFolder()
    const { stdout } = await logIn(folder.path, '--json', '--resource', NODE_RESOURCE)
    const { expires, ...rest } = JSON.parse(stdout)
    assert.deepEqual(rest, {
      issuer: provider.issuer,
      clientId: 'countersign-cli',
      resource: NODE_RESOURCE,
      subject: 'u-alice',
      user: 'alice',
      renewable: true,
    })
    assert.ok(Math.abs(Date.parse(expires) - Date.now() - 300_000) < 10_000)
  })

  it('prints the refusal of the provider', async () => {
    await using folder = await temporaryFolder()
    provider.settings.login = 'refuse'
    try {
      const { page, status, stdout, stderr } = await logIn(folder.path)
      assert.deepEqual([status, stdout, page.status], [1, '', 400])
      assert.match(
        stderr,
        /countersign: https:\S+ refused: access_denied: alice \?\[31mdeclined\n$/,
      )
      assert.match(page.body, /You are not logged in/)
      assert.doesNotMatch(page.body, /declined/)
    } finally {
      provider.settings.login = 'alice'
    }
    assert.deepEqual(await tokensIn(folder), [])
  })

  it('ends on Ctrl-C, and closes its port', async () => {
    await using folder = await temporaryFolder()
    await using login = start(['login', ...at(), '--no-browser'], { state: folder.path })
    const [, url = ''] = await login.says(URL_LINE)
    login.signal('SIGINT')
    const { signal, stdout, stderr } = await login.ended
    assert.deepEqual([signal, stdout], ['SIGINT', ''])
    assert.doesNotMatch(stderr, /Error|countersign:/)
    const callback = new URL(url).searchParams.get('redirect_uri') ?? ''
    await assert.rejects(fetch(callback), { message: 'fetch failed' })
  })

  it('logs in on another device, and waits for it', async () => {
    await using folder = await temporaryFolder()
    await using login = start(['login', ...at(), '--device'], { state: folder.path })
    const [, url = ''] = await login.says(/^ {2}(https:\/\/\S+\?user_code=\S+)$/m)
    const done = await confirmDevice(await newBrowser(pki.ca), url)
    assert.match(done.body, /Sign-in Success/)
    const { status, stdout } = await login.ended
    assert.equal(status, 0)
    assert.match(stdout, /^Logged in at \S+ as alice until /)
    assert.match((await tokensIn(folder))[0]?.refreshToken ?? '', /./)
  })

  it('authenticates a client that has a secret, from a file', async () => {
    await using folder = await temporaryFolder()
    const { id, secret } = NODE_CLIENTS.secret
    await writeFile(folder.file('secret'), `${secret}\n`)
    const good = await logIn(
      folder.path,
      '--client-id',
      id,
      '--client-secret-file',
      folder.file('secret'),
    )
    assert.equal(good.status, 0, good.stderr)
    await writeFile(folder.file('secret'), 'another')
    const bad = await logIn(
      folder.path,
      '--client-id',
      id,
      '--client-secret-file',
      folder.file('secret'),
    )
    assert.equal(bad.status, 1)
    assert.match(
      bad.stderr,
      /refused: it does not know this client, or the client’s secret is another\n$/,
    )
  })

  it('provides kubectl with the ID token, or the access token for a resource', async () => {
    await using folder = await temporaryFolder()
    await logIn(folder.path)
    const { status, stdout, stderr } = await run(['credential', ...at()], { state: folder.path })
    assert.deepEqual([status, stderr], [0, ''])
    const { token, expirationTimestamp } = credentialSchema.parse(JSON.parse(stdout)).status
    const { iss, aud, preferred_username: user, groups, exp } = claimsOf(token)
    assert.deepEqual(
      { iss, aud, user, groups },
      {
        iss: provider.issuer,
        aud: 'countersign-cli',
        user: 'alice',
        groups: ['developers', 'staff'],
      },
    )
    // Asked again a minute before the end.
    assert.ok(Math.abs(Date.parse(expirationTimestamp) - (Number(exp) - 60) * 1_000) <= 2_000)

    await logIn(folder.path, '--resource', NODE_RESOURCE)
    const more = ['--resource', NODE_RESOURCE]
    const access = await run(['credential', ...at(), ...more], { state: folder.path })
    const accessToken = credentialSchema.parse(JSON.parse(access.stdout)).status.token
    assert.equal(claimsOf(accessToken)['aud'], NODE_RESOURCE)
    assert.equal((await tokensIn(folder)).length, 2)
  })

  it('prints the command to run without a login', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await run(
      ['credential', ...at(), '--scope', 'openid,email'],
      {
        state: folder.path,
      },
    )
    assert.deepEqual([status, stdout], [1, ''])
    assert.equal(
      stderr,
      `countersign: there is no login at ${provider.issuer}; run: countersign login --issuer=${provider.issuer} '--scope=openid email' --ca=${pki.ca}\n`,
    )
  })

  it('logs out: tokens are revoked there and deleted here, refreshed ones as well', async () => {
    await using folder = await temporaryFolder()
    await logIn(folder.path)
    const [login] = await tokensIn(folder)
    provider.reset()
    const { status, stdout } = await run(['logout'], { state: folder.path })
    assert.equal(status, 0)
    assert.equal(stdout, `Logged out at ${provider.issuer} (alice): revoked there, removed here.\n`)
    assert.deepEqual(await tokensIn(folder), [])
    assert.equal(provider.revoked(), 1)
    await new TokenCache(join(folder.path, 'countersign/tokens')).write({
      ...login!,
      idToken: { value: 'x', expires: 0 },
    })
    const ended = await run(['credential', ...at()], { state: folder.path })
    assert.equal(ended.status, 1)
    assert.match(ended.stderr, /the login has ended \(invalid_grant.*\); run: countersign login/)
  })
})
