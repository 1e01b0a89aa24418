// Logging in at an upstream IdP written in Go: it serves plain HTTP on this machine, and its issuer ends with a
// slash.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  NATIVE,
  skipWithoutOidcProvider,
  startOidcProvider,
  USER,
  type OidcProvider,
} from '../../servers/oidc-provider.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { newBrowser } from './browsing.ts'
import { run, start } from './running.ts'

describe('countersign login at an upstream IdP', { skip: skipWithoutOidcProvider() }, () => {
  const owned = new AsyncDisposableStack()
  let provider: OidcProvider
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
    provider = owned.use(await startOidcProvider())
  })
  after(() => owned.disposeAsync())

  const CREDENTIALS = { username: USER.Username, password: USER.Password }

  it('gets a token by code, PKCE and any loopback port, which kubectl uses, and revokes it', async () => {
    await using folder = await temporaryFolder()
    const state = folder.path
    const at = ['--issuer', provider.issuer, '--client-id', NATIVE.id]
    await using login = start(['login', ...at, '--no-browser'], { state })
    const [, url = ''] = await login.says(/^ {2}(http:\/\/\S+)$/m)
    const browser = await newBrowser(pki.ca)
    const isLogin = ({ searchParams }: URL): boolean => searchParams.has('authRequestID')
    const page = await browser.go(url, { until: isLogin })
    const form = new URLSearchParams({
      id: page.url.searchParams.get('authRequestID') ?? '',
      ...CREDENTIALS,
    })
    const done = await browser.go(new URL('/login/username', provider.issuer), { form })
    assert.equal(done.status, 200)
    const { status, stdout, stderr } = await login.ended
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^Logged in at http:\/\/localhost:\d+ as u-alice until \S+Z, renewed/)
    const first = await run(['credential', ...at], { state })
    assert.equal(first.status, 0, first.stderr)
    const { token } = JSON.parse(first.stdout).status
    assert.equal(
      JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).aud[0],
      'native',
    )
    const logout = await run(['logout'], { state })
    assert.deepEqual([logout.status, logout.stderr], [0, ''])
    assert.match(logout.stdout, /revoked there, removed here/)
  })

  it('reports that no client may use the device grant', async () => {
    await using folder = await temporaryFolder()
    const at = ['--issuer', provider.issuer, '--client-id', NATIVE.id]
    const { status, stdout, stderr } = await run(['login', ...at, '--device'], {
      state: folder.path,
    })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(
      stderr,
      /^countersign: http:\S+ refused: unauthorized_client: client missing grant type/,
    )
  })
})
