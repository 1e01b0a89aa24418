// `countersign logout`: what it ends, and what it says when that could not be done.

import assert from 'node:assert/strict'
import { chmod, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import type { Login } from '../../../src/cli/login/login-record.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import {
  PATHS,
  startHostileProvider,
  withMembers,
  type HostileProvider,
} from './hostile-provider.ts'
import { run } from './running.ts'

describe('countersign logout', { concurrency: 2 }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  const loginAt = (issuer: string, changes: Partial<Login> = {}): Login => ({
    issuer,
    clientId: 'countersign-cli',
    ca: pki.ca,
    subject: 'u-1',
    user: 'alice',
    idToken: { value: 'id' },
    accessToken: { value: 'access' },
    refreshToken: 'refresh',
    obtained: 1,
    ...changes,
  })

  /** Logs out where these logins are; says what is left. */
  const logOut = async (logins: readonly Login[], ...args: readonly string[]) => {
    await using folder = await temporaryFolder()
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    await Promise.all(logins.map((login) => cache.write(login)))
    const result = await run(['logout', ...args], { state: folder.path })
    return { ...result, left: await cache.list() }
  }

  const revokedAt = ({ server }: HostileProvider): readonly (readonly unknown[])[] =>
    server.requests
      .filter(({ path }) => path === PATHS.revocation)
      .map(({ form }) => [form['token'], form['token_type_hint']])

  it('does nothing without a login', async () => {
    for (const args of [[], ['--all'], ['--issuer', 'https://id.example.org']]) {
      const { status, stdout, stderr } = await logOut([], ...args)
      assert.deepEqual([status, stdout, stderr], [0, 'There are no logins.\n', ''])
    }
  })

  it('revokes the refresh token, or the access token where there is none', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    await logOut([loginAt(provider.issuer)])
    const { refreshToken: _, ...without } = loginAt(provider.issuer)
    const { status, stdout, left } = await logOut([without])
    assert.deepEqual([status, left], [0, []])
    assert.equal(stdout, `Logged out at ${provider.issuer} (alice): revoked there, removed here.\n`)
    assert.deepEqual(revokedAt(provider), [
      ['refresh', 'refresh_token'],
      ['access', 'access_token'],
    ])
  })

  it('deletes the login where the provider has no revocation, and reports it', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.discovery, withMembers({ revocation_endpoint: undefined }))
    const { status, stdout, left } = await logOut([loginAt(provider.issuer)])
    assert.deepEqual([status, left], [0, []])
    assert.match(stdout, /: removed here; the provider does not support revocation\.\n$/)
  })

  it('deletes the login where the revocation fails, reports it, and ends with 1', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.revocation, () => ({
      status: 400,
      body: { error: 'unsupported_token_type' },
    }))
    const { status, stdout, left } = await logOut([loginAt(provider.issuer)])
    assert.deepEqual([status, left], [1, []])
    assert.match(stdout, /removed here, but not revoked: unsupported_token_type\.\n$/)
    const gone = await logOut([loginAt('https://localhost:1')])
    assert.deepEqual([gone.status, gone.left], [1, []])
    assert.match(
      gone.stdout,
      /but not revoked: https:\/\/localhost:1 cannot be reached: .*ECONNREFUSED/,
    )
  })

  it('takes the options of a login, and ends the logins that had them', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const { issuer } = provider
    const request = { clientId: 'b', scope: 'openid email', resource: 'https://kube.example.org' }
    const logins = [
      loginAt(issuer),
      loginAt(issuer, request),
      loginAt(issuer, { ...request, resource: 'https://other.example.org' }),
      loginAt(issuer, { audience: 'kube' }),
    ]
    const { clientId, scope, resource } = request
    const words = ['--client-id', clientId, '--scope', scope, '--resource', resource]
    const some = await logOut(logins, '--issuer', issuer, ...words)
    assert.deepEqual([some.status, some.left.length], [0, 3], some.stderr)
    const one = await logOut(logins, '--issuer', issuer, '--audience', 'kube')
    assert.deepEqual([one.status, one.left.length], [0, 3], one.stderr)
    const otherOrder = ['--scope', 'email,openid', '--resource', resource]
    const same = await logOut(logins, '--issuer', issuer, ...otherOrder)
    assert.deepEqual([same.status, same.left.length], [0, 3], same.stderr)
    const none = await logOut(logins, '--issuer', issuer, '--audience', 'other')
    assert.deepEqual([none.status, none.left.length], [0, 4], none.stderr)
  })

  it('authenticates by the secret of the option, and else by that of the login', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    await using folder = await temporaryFolder()
    const [file, moved] = [folder.file('gone'), folder.file('secret')]
    await writeFile(moved, 's3cret\n')
    const login = loginAt(provider.issuer, { clientSecretFile: file })
    const without = await logOut([login])
    assert.deepEqual([without.status, without.left], [1, []])
    assert.match(without.stdout, /but not revoked: .*gone/)
    const { status, left } = await logOut([login], '--client-secret-file', moved, '--ca', pki.ca)
    assert.deepEqual([status, left], [0, []])
    const { headers } = provider.server.requests.at(-1) ?? {}
    assert.match(headers?.authorization ?? '', /^Basic /)
  })

  it('ends one of several logins only with --issuer or --all', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const here = [loginAt(provider.issuer), loginAt(provider.issuer, { clientId: 'b' })]
    const elsewhere = loginAt('https://localhost:1')
    const unclear = await logOut([...here, elsewhere])
    assert.deepEqual([unclear.status, unclear.stdout, unclear.left.length], [2, '', 3])
    assert.match(
      unclear.stderr,
      /^countersign: there are 3 logins: say --all, or --issuer with one of https:\S+, https:\S+\n$/,
    )
    const some = await logOut([...here, elsewhere], '--issuer', provider.issuer)
    assert.deepEqual([some.status, some.left.length], [0, 1])
    const one = await logOut(here, '--issuer', provider.issuer, '--client-id', 'b')
    assert.deepEqual([one.status, one.left.length], [0, 1])
    const all = await logOut([...here, elsewhere], '--all', '--json')
    assert.deepEqual([all.status, all.left], [1, []])
    const outcomes = JSON.parse(all.stdout).map(({ outcome }: { outcome: string }) => outcome)
    assert.deepEqual(outcomes.toSorted(), ['failed', 'revoked', 'revoked'])
  })

  it('refuses --all together with --issuer', async () => {
    const { status, stderr } = await logOut([], '--all', '--issuer', 'https://id.example.org')
    assert.equal(status, 2)
    assert.match(stderr, /cannot be used with/)
  })

  it('removes damaged files with --all', async () => {
    await using folder = await temporaryFolder()
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    await cache.write(loginAt('https://localhost:1'))
    await writeFile(join(cache.folder, `${'0'.repeat(64)}.json`), '{', { mode: 0o600 })
    const { status, stdout } = await run(['logout', '--all'], { state: folder.path })
    assert.equal(status, 1)
    assert.match(stdout, /is damaged; .*\. It was removed, and nothing was revoked\.\n/)
    assert.deepEqual(await readdir(cache.folder), [])
  })

  it('revokes tokens that other users could read, once the mode of the folder is corrected', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    await using folder = await temporaryFolder()
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    await cache.write(loginAt(provider.issuer))
    await chmod(cache.folder, 0o755)
    const refused = await run(['logout', '--all'], { state: folder.path })
    assert.equal(refused.status, 1)
    const match = /`(chmod 700 \S+)`, then `countersign (logout --all)`/.exec(refused.stderr)
    assert.equal(match?.[1], `chmod 700 ${cache.folder}`)
    await chmod(cache.folder, 0o700)
    assert.equal((await run(['logout', '--all'], { state: folder.path })).status, 0)
    assert.deepEqual(revokedAt(provider), [['refresh', 'refresh_token']])
  })

  it('revokes tokens that another process refreshed meanwhile', async (t) => {
    await using provider = await startHostileProvider(pki.upstream)
    await using folder = await temporaryFolder()
    const cache = new TokenCache(join(folder.path, 'countersign/tokens'))
    const login = loginAt(provider.issuer)
    await cache.write(login)
    const turn = await cache.lock(login, { wait: 0 })
    const waits = Promise.withResolvers<void>()
    // oxlint-disable-next-line typescript/unbound-method -- called with its own `this`
    const { lock } = TokenCache.prototype
    t.mock.method(
      TokenCache.prototype,
      'lock',
      async function waiting(this: TokenCache, ...args: Parameters<typeof lock>) {
        const locked = lock.apply(this, args)
        if (this.folder === cache.folder) waits.resolve()
        return await locked
      },
    )
    const running = run(['logout'], { state: folder.path })
    await waits.promise // it has read the login
    await cache.write({ ...login, refreshToken: 'refresh-2' })
    await turn?.[Symbol.asyncDispose]()
    assert.equal((await running).status, 0)
    assert.deepEqual(revokedAt(provider), [['refresh-2', 'refresh_token']])
    assert.deepEqual(await cache.list(), [])
  })
})
