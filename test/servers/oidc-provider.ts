// An OpenID provider of another project: the example server of github.com/zitadel/oidc, which Go builds
// from its module. It speaks plain HTTP, and its issuer ends with a slash.

import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { freePort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const CACHE = process.env['COUNTERSIGN_CACHE'] ?? join(ROOT, '.cache')
const VERSION = 'v3.51.17'
const PROGRAM = join(CACHE, 'go', `zitadel-oidc-${VERSION}`)

/** A running provider. */
export interface OidcProvider extends AsyncDisposable {
  readonly issuer: string
  /** Logs alice in, and gives the ID token; its audience is `native`. */
  idToken(): Promise<string>
  /** Logs alice in at the client {@link WEB}, and gives the access token, which is opaque. */
  accessToken(): Promise<string>
  /** Revokes an access token of that client (RFC 7009). */
  revoke(token: string): Promise<void>
  /** What it says of an access token of that client, such as one that it gave in exchange (RFC 7662). */
  introspect(token: string): Promise<Readonly<Record<string, unknown>>>
  /** Ends it; {@link OidcProvider.restart} starts it anew. */
  stop(): Promise<void>
  /** Ends it and starts it anew, which gives it another key. */
  restart(): Promise<void>
}

/** For `skip` of node:test: why the provider is not available, or `false` when it is. */
export const skipWithoutOidcProvider = (): string | false => {
  if (existsSync(PROGRAM)) return false
  const folder = join(CACHE, 'go')
  mkdirSync(folder, { recursive: true })
  const part = mkdtempSync(join(folder, 'part-'))
  try {
    const built = spawnSync(
      'go',
      ['install', `github.com/zitadel/oidc/v3/example/server@${VERSION}`],
      { encoding: 'utf8', env: { ...process.env, GOFLAGS: '', GOBIN: part } },
    )
    if (built.status !== 0) {
      const why = built.error?.message ?? built.stderr.trimEnd().split('\n').at(-1) ?? ''
      if (process.env['CI'] === 'true') throw new Error(`the OIDC provider: ${why}`)
      return `the OIDC provider cannot be built: ${why}`
    }
    renameSync(join(part, 'server'), PROGRAM)
    return false
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
}

/** The only user, who logs in at `/login/username`. */
export const USER = {
  ID: 'u-alice',
  Username: 'alice',
  Password: 'alice-secret',
  FirstName: 'Alice',
  LastName: 'Adams',
  Email: 'alice@example.org',
  EmailVerified: true,
  PreferredLanguage: 'en',
}

const REDIRECT_URI = 'http://localhost:9999/cb'
// Of a native application, with any port (RFC 8252 §7.3).
const LOOPBACK_URI = 'http://127.0.0.1/callback'
const CLIENT = 'native' // public, with PKCE; compiled in

/** A public client for native applications, compiled in; not for other devices (RFC 8628). */
export const NATIVE = { id: CLIENT } as const
/** A client with a secret, compiled in. */
export const WEB = { id: 'web', secret: 'secret' } as const
/** A service that has tokens of its own (RFC 6749 §4.4), compiled in. */
export const SERVICE = { id: 'sid1', secret: 'verysecret' } as const
const WEB_AUTHORIZATION = `Basic ${Buffer.from(`${WEB.id}:${WEB.secret}`).toString('base64')}`
const START_LIMIT = 20_000

/**
 * Starts the provider on a free port.
 *
 * @param options.redirectUris further ones, of all clients
 * @param options.exchanges whether alice's tokens may be exchanged (RFC 8693); other tokens get 500
 */
export const startOidcProvider = async (
  options: { readonly exchanges?: boolean; readonly redirectUris?: readonly string[] } = {},
): Promise<OidcProvider> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const users = folder.file('users.json')
  const user = { ...USER, IsAdmin: options.exchanges === true }
  await writeFile(users, JSON.stringify({ [USER.ID]: user }))
  const port = await freePort()
  const origin = `http://localhost:${port}`
  let child: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const { promise, resolve: settle } = Promise.withResolvers<void>()
    child.once('exit', () => settle())
    child.kill()
    await promise
  }
  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, [], {
      env: {
        PORT: String(port),
        USERS_FILE: users,
        REDIRECT_URI: [REDIRECT_URI, LOOPBACK_URI, ...(options.redirectUris ?? [])].join(','),
      },
      stdio: 'ignore',
    })
    await untilReady(origin)
  }
  stack.defer(stop)
  await start()
  const owned = stack.move()
  return {
    issuer: `${origin}/`,
    idToken: async () => (await logIn(origin, CLIENT)).id_token,
    accessToken: async () => (await logIn(origin, WEB.id)).access_token,
    async revoke(token) {
      const response = await fetch(`${origin}/revoke`, {
        method: 'POST',
        headers: { authorization: WEB_AUTHORIZATION },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
      })
      assert.equal(response.status, 200, await response.text())
    },
    async introspect(token) {
      const response = await fetch(`${origin}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: WEB_AUTHORIZATION },
        body: new URLSearchParams({ token }),
      })
      return z.looseObject({}).parse(await response.json())
    },
    stop,
    async restart() {
      await stop()
      await start()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const DISCOVERY = '/.well-known/openid-configuration'

const untilReady = async (origin: string): Promise<void> => {
  const limit = Date.now() + START_LIMIT
  for (;;) {
    const ready = await fetch(`${origin}${DISCOVERY}`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) return
    assert.ok(Date.now() < limit, 'the OIDC provider does not start')
    await sleep(50)
  }
}

/** The authorization code flow with PKCE (RFC 7636), with the browser's part in it. */
const logIn = async (origin: string, client: string): Promise<z.output<typeof tokensSchema>> => {
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: client,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile email',
    state: 'state',
    nonce: 'nonce',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const endpoints = endpointsSchema.parse(await (await fetch(`${origin}${DISCOVERY}`)).json())
  const login = await redirectOf(`${endpoints.authorization_endpoint}?${query.toString()}`)
  const id = login.searchParams.get('authRequestID') ?? ''
  const callback = await redirectOf(
    `${origin}/login/username`,
    new URLSearchParams({ id, username: USER.Username, password: USER.Password }),
  )
  const done = await redirectOf(callback.href)
  const response = await fetch(endpoints.token_endpoint, {
    method: 'POST',
    headers: client === WEB.id ? { authorization: WEB_AUTHORIZATION } : {},
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: done.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
      ...(client === WEB.id ? {} : { client_id: client }),
    }),
  })
  return tokensSchema.parse(await response.json())
}

const endpointsSchema = z.object({ authorization_endpoint: z.url(), token_endpoint: z.url() })
const tokensSchema = z.object({ id_token: z.string(), access_token: z.string() })

const redirectOf = async (url: string, form?: URLSearchParams): Promise<URL> => {
  const response = await fetch(url, {
    redirect: 'manual',
    ...(form === undefined ? {} : { method: 'POST', body: form }),
  })
  assert.equal(response.status, 302, await response.text())
  return new URL(response.headers.get('location') ?? '', url)
}
