// `countersign credential` as kubectl runs it: many at once, without a terminal and with one, while the
// provider is there and while it is not.

import assert from 'node:assert/strict'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { TokenCache } from '../../../src/cli/login/cache/token-cache.ts'
import type { Login } from '../../../src/cli/login/login-record.ts'
import { openProvider } from '../../../src/cli/login/provider/provider.ts'
import { NODE_CLIENTS, startNodeOidc, type NodeOidc } from '../../servers/node-oidc.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { atTerminal, skipWithoutTerminal } from '../../servers/terminal.ts'
import type { Result } from '../run.ts'
import { newBrowser } from './browsing.ts'
import { run, runProcess, start } from './running.ts'

const EXEC_INFO = JSON.stringify({
  apiVersion: 'client.authentication.k8s.io/v1beta1',
  kind: 'ExecCredential',
  spec: { interactive: true },
})

interface LoggedIn extends AsyncDisposable {
  readonly state: string
  readonly cache: TokenCache
  readonly login: Login
  credential(...more: readonly string[]): Promise<Result>
  /** Keeps the login with other members. */
  keep(changes: Partial<Login>): Promise<void>
}

describe('countersign credential', () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  let provider: NodeOidc
  before(async () => {
    pki = owned.use(await createPki())
    provider = owned.use(await startNodeOidc(pki.upstream))
  })
  after(() => owned.disposeAsync())

  const at = (): readonly string[] => ['--issuer', provider.issuer, '--ca', pki.ca]

  /** A home in which alice is logged in. */
  const loggedIn = async (clientId: string = NODE_CLIENTS.cli): Promise<LoggedIn> => {
    await using stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const state = folder.path
    const cache = new TokenCache(join(state, 'countersign/tokens'))
    const request = { issuer: provider.issuer, clientId }
    const opened = await openProvider(request, { ca: pki.ca })
    const begun = await opened.beginCode('http://127.0.0.1:1/callback', { consent: true })
    const browser = await newBrowser(pki.ca)
    const { url } = await browser.go(begun.url, {
      until: ({ hostname }) => hostname === '127.0.0.1',
    })
    const login: Login = { ...request, ca: pki.ca, ...(await begun.finish(url)) }
    await cache.write(login)
    provider.reset()
    const disposable = stack.move()
    const words = clientId === NODE_CLIENTS.cli ? [] : ['--client-id', clientId]
    return {
      state,
      cache,
      login,
      credential: (...more) => runProcess(['credential', ...at(), ...words, ...more], { state }),
      keep: (changes) => cache.write({ ...login, ...changes }),
      [Symbol.asyncDispose]: () => disposable.disposeAsync(),
    }
  }

  /** A token that has ended. */
  const over = (token: string) => ({ value: token, expires: Date.now() - 1 })

  /** A token in its last seconds. */
  const ending = (token: string) => ({ value: token, expires: Date.now() + 30_000 })

  const tokenIn = ({ stdout }: Result): string => JSON.parse(stdout).status.token

  it('refreshes once, though ten run at once with an expired token', async () => {
    await using home = await loggedIn()
    await home.keep({ idToken: over('ended') })
    const results = await Promise.all(Array.from({ length: 10 }, () => home.credential()))
    assert.deepEqual(
      new Set(results.map(({ status, stderr }) => `${status}${stderr}`)),
      new Set(['0']),
    )
    const tokens = new Set(results.map(tokenIn))
    assert.equal(tokens.size, 1)
    assert.deepEqual(provider.granted, ['refresh_token'])
    assert.deepEqual(provider.refused, [])
    const kept = await home.cache.read(home.login)
    assert.deepEqual(tokens, new Set([kept?.idToken.value]))
    assert.notEqual(kept?.refreshToken, home.login.refreshToken)
    assert.equal((await readdir(home.cache.folder)).length, 1)
  })

  it('without the lock would be logged out, since the provider detects reuse (the control)', async () => {
    await using home = await loggedIn()
    const opened = await openProvider(home.login, { ca: pki.ca })
    const refreshToken = home.login.refreshToken ?? ''
    const renewals = [await opened.renew({ ...home.login, refreshToken })]
    renewals.push(await opened.renew({ ...home.login, refreshToken }))
    const [first] = renewals
    const rotated = first?.kind === 'renewed' ? (first.tokens.refreshToken ?? '') : ''
    renewals.push(await opened.renew({ ...home.login, refreshToken: rotated }))
    assert.deepEqual(
      renewals.map(({ kind }) => kind),
      ['renewed', 'refused', 'refused'],
    )
  })

  it('refreshes repeatedly, each time with the newest refresh token', async () => {
    await using home = await loggedIn()
    for (const _ of [1, 2, 3]) {
      const kept = await home.cache.read(home.login)
      await home.cache.write({ ...(kept ?? home.login), idToken: over('ended') })
      assert.equal((await home.credential()).status, 0)
    }
    assert.deepEqual(provider.granted, ['refresh_token', 'refresh_token', 'refresh_token'])
  })

  it('sends no request while a token is fresh', async () => {
    await using home = await loggedIn()
    await provider.stop()
    try {
      const result = await home.credential()
      assert.deepEqual([result.status, result.stderr], [0, ''])
      assert.equal(tokenIn(result), home.login.idToken.value)
    } finally {
      await provider.start()
    }
  })

  it('uses a token to its end while the provider is down, then reports that', async () => {
    await using home = await loggedIn()
    await provider.stop()
    try {
      const idToken = ending('in-its-last-seconds')
      await home.keep({ idToken, obtained: Date.now() - 600_000 })
      const result = await home.credential()
      assert.deepEqual([result.status, result.stderr], [0, ''])
      assert.equal(tokenIn(result), 'in-its-last-seconds')
      // kubectl asks again before it may end on its way to the API server.
      const { expirationTimestamp } = JSON.parse(result.stdout).status
      assert.ok(Date.parse(expirationTimestamp) <= idToken.expires - 5_000)
      await home.keep({ idToken: over('ended') })
      const { status, stdout, stderr } = await home.credential()
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(
        stderr,
        /^countersign: the tokens of \S+ have expired and cannot be renewed: \S+ cannot be reached: .*ECONNREFUSED.*\n$/,
      )
      assert.equal((await home.cache.read(home.login))?.refreshToken, home.login.refreshToken)
    } finally {
      await provider.start()
    }
    assert.equal((await home.credential()).status, 0)
  })

  it('prints the login command when the login has ended, and does not query the provider again', async () => {
    await using home = await loggedIn()
    await home.keep({ idToken: over('ended'), refreshToken: 'unknown' })
    for (const says of [/the login has ended \(invalid_grant/, /issued no refresh token/]) {
      const { status, stdout, stderr } = await home.credential()
      assert.deepEqual([status, stdout], [1, ''])
      assert.match(stderr, says)
      assert.match(stderr, /; run: countersign login --issuer=\S+ --ca=\S+\n$/)
    }
    assert.deepEqual(provider.refused, ['invalid_grant'])
  })

  it('prints the login command where there is no refresh token', async () => {
    await using home = await loggedIn(NODE_CLIENTS.brief)
    assert.equal(home.login.refreshToken, undefined)
    assert.equal((await home.credential()).status, 0)
    await home.keep({ idToken: over('ended') })
    const { status, stderr } = await home.credential()
    assert.equal(status, 1)
    assert.match(stderr, /; run: countersign login --issuer=\S+ --client-id=brief --ca=\S+\n$/)
  })

  it('completes a refresh after an interruption: the new refresh token is kept', async () => {
    await using home = await loggedIn()
    await home.keep({ idToken: over('ended') })
    await using running = start(['credential', ...at()], { state: home.state })
    const lock = /\.lock$/
    while (!(await readdir(home.cache.folder)).some((name) => lock.test(name))) {
      await new Promise((settle) => setTimeout(settle, 1))
    }
    running.signal('SIGINT')
    assert.equal((await running.ended).signal, 'SIGINT')
    assert.deepEqual(provider.granted, ['refresh_token'])
    const kept = await home.cache.read(home.login)
    assert.notEqual(kept?.refreshToken, home.login.refreshToken)
    assert.equal((await home.credential()).status, 0)
    assert.deepEqual(provider.granted, ['refresh_token'])
    assert.deepEqual(
      (await readdir(home.cache.folder)).filter((name) => lock.test(name)),
      [],
    )
  })

  it('does not wait for a process that was killed during a refresh', async () => {
    await using home = await loggedIn()
    await home.keep({ idToken: over('ended') })
    await using running = start(['credential', ...at()], { state: home.state })
    while (!(await readdir(home.cache.folder)).some((file) => file.endsWith('.lock'))) {
      await new Promise((settle) => setTimeout(settle, 1))
    }
    running.signal('SIGKILL')
    await running.ended
    const began = performance.now()
    const { status, stderr } = await home.credential()
    // The provider decides whether the refresh token is still valid; the lock of an ended process is not awaited.
    assert.ok(performance.now() - began < 20_000)
    assert.ok(status === 0 || /the login has ended/.test(stderr), stderr)
  })

  it('refuses damaged files and tokens that other users could read', async () => {
    await using home = await loggedIn()
    const [name = ''] = await readdir(home.cache.folder)
    const file = join(home.cache.folder, name)
    await chmod(file, 0o644)
    const loose = await home.credential()
    assert.deepEqual([loose.status, loose.stdout], [1, ''])
    assert.match(loose.stderr, /^countersign: \S+ has mode 0644, so other users may know .*\n$/)
    await chmod(file, 0o600)
    await writeFile(file, '{"version":1,')
    const damaged = await home.credential()
    assert.deepEqual([damaged.status, damaged.stdout], [1, ''])
    assert.match(damaged.stderr, /^countersign: \S+ is damaged; `countersign login` replaces it\n$/)
  })

  const MISUNDERSTOOD: readonly {
    name: string
    args?: readonly string[]
    info?: string
    says: RegExp
  }[] = [
    { name: 'an unknown option', args: ['--password', 'x'], says: /unknown option '--password'/ },
    { name: 'an unknown token', args: ['--token', 'refresh_token'], says: /Allowed choices/ },
    { name: 'scopes without openid', args: ['--scope', 'email'], says: /must include "openid"/ },
    {
      name: 'two kinds of tokens at once',
      args: ['--device', '--no-browser'],
      says: /omit --no-browser/,
    },
    { name: 'a resource other than a URI', args: ['--resource', 'x'], says: /absolute URI/ },
    { name: 'an invalid KUBERNETES_EXEC_INFO', info: 'x', says: /is this run by kubectl\?/ },
  ]
  for (const { name, args = [], info = '', says } of MISUNDERSTOOD) {
    it(`ends with 2 for ${name}`, async () => {
      await using folder = await temporaryFolder()
      const { status, stdout, stderr } = await run(['credential', ...at(), ...args], {
        state: folder.path,
        environment: { KUBERNETES_EXEC_INFO: info },
      })
      assert.deepEqual([status, stdout], [2, ''])
      assert.match(stderr, says)
    })
  }

  it('starts no login where standard input is a pipe, whatever kubectl says', async () => {
    await using folder = await temporaryFolder()
    const { status, stdout, stderr } = await run(['credential', ...at()], {
      state: folder.path,
      environment: { KUBERNETES_EXEC_INFO: EXEC_INFO },
    })
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /there is no login/)
  })

  it(
    'logs a user in at a terminal, and prints the credential only',
    {
      skip: skipWithoutTerminal(),
    },
    async () => {
      await using folder = await temporaryFolder()
      const program = resolve(import.meta.dirname, '../../../src/countersign.ts')
      const stdout = folder.file('stdout')
      const words = [process.execPath, program, 'credential', ...at(), '--no-browser']
      await using terminal = atTerminal(['sh', '-c', `${words.join(' ')} >${stdout}`], {
        XDG_STATE_HOME: folder.path,
        KUBERNETES_EXEC_INFO: EXEC_INFO,
      })
      const [, url = ''] = await terminal.shows(/^ {2}(https:\S+)$/m)
      await (await newBrowser(pki.ca)).go(url)
      const { status, screen } = await terminal.ended
      assert.equal(status, 0, screen)
      assert.match(screen, /there is no login at [^]*Logged in at https:\S+ as alice/)
      const answer = JSON.parse(await readFile(stdout, 'utf8'))
      assert.equal(answer.apiVersion, 'client.authentication.k8s.io/v1beta1')
      assert.ok(!screen.includes(answer.status.token))
    },
  )
})
