// A whole authz with an authorization server, over real HTTP, for the tests of this folder.

import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import * as openid from 'openid-client'
import { startAuthz, type Authz } from '../../src/authz.ts'
import { Browser } from '../fakes/browser.ts'
import { cheapHash } from '../fakes/hashes.ts'
import { writeSigningKeys } from '../fakes/signing-key-files.ts'
import { madeKey } from '../fakes/signing-keys.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

/** `iss`; nothing resolves it, since every request goes to the listener. */
export const ISSUER = 'https://id.example.org'

/** Where the applications live; nothing listens there. */
export const CALLBACK = 'https://app.example.org/callback'

export const SECRET = 'a-secret-of-more-than-32-characters'
const [alice, bob] = await Promise.all([cheapHash('wonderland'), cheapHash('builder')])

const USERS = `
users:
  alice: { password: '${alice}', groups: [dev, ops] }
  bob: { password: '${bob}', groups: [] }
`

/** The configuration, with further keys of `issuer` and further sections. */
export const configuration = (issuer = ''): string => `
version: 1
listen: { authz: "127.0.0.1:0", issuer: "127.0.0.1:0" }
issuer:
  url: ${ISSUER}
  keys: keys
  login:
    authenticators: [staff]
    claims: { email: identity.user + '@example.org', tenant: '"acme"' }
  clients:
    spa: { redirectUris: ['${CALLBACK}'], postLogoutRedirectUris: ['https://app.example.org/bye'] }
    web:
      secret: file:secret
      redirectUris: ['${CALLBACK}']
      resources: [https://api.example.org]
    cli: { grantTypes: [authorization_code, device_code, refresh_token], redirectUris: ['http://127.0.0.1/callback'] }
    partner: { name: Partner & Sons, redirectUris: ['https://partner.example.net/cb'], firstParty: false }
    robot: { secret: file:secret, grantTypes: [client_credentials], resources: [https://api.example.org] }
  resources:
    https://api.example.org: { scopes: [read, write], claims: { team: identity.groups }, algorithm: EdDSA }
${issuer}
authenticators:
  staff: { basic: { realm: Test, verify: [{ users: { file: users.yaml } }] } }
routes:
  - name: app
    match: { hosts: [app.example.org] }
    authenticate: [staff]
    authorize: [{ allow: all }]
    forward: { headers: kubernetes }
audit: { file: audit.jsonl }
log: { level: error }
`

/** The same, where its issuer listens on a UNIX socket, over which it trusts Envoy’s headers about callers. */
export const atSocket = (yaml: string): string =>
  yaml.replace('issuer: "127.0.0.1:0"', 'issuer: "unix:issuer.sock"')

/** A running one. */
export interface Site extends AsyncDisposable {
  readonly folder: TemporaryFolder
  readonly authz: Authz
  readonly port: number
  browser(headers?: Readonly<Record<string, string>>): Browser
  /** A client library of another project, set up for one of the configured clients. */
  client(id: string): Promise<openid.Configuration>
  /** The events of a name in an audit log; by default that of this authz. */
  audit(event: string, log?: string): Promise<readonly Record<string, unknown>[]>
  /** Changes a file of its folder, and waits until authz has read it again. */
  edit(name: string, change: (text: string) => string | Promise<string>): Promise<void>
}

/**
 * Starts one.
 *
 * @param files further ones in its folder, by name
 */
export const startSite = async (
  yaml = configuration(),
  files: Readonly<Record<string, string>> = {},
): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const site = stack.use(await openSite(stack.use(await siteFolder(yaml, files))))
  const running = stack.move()
  return { ...site, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Starts authz in a folder that has all it needs; the folder remains. */
export const openSite = async (folder: TemporaryFolder): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const authz = stack.use(await startAuthz(folder.file('countersign.yaml')))
  const port = await portTo(authz.issuer, stack)
  const reach: openid.CustomFetch = async (url, options) => {
    const { pathname, search } = new URL(url)
    const body = options.body === undefined ? {} : { body: options.body }
    return await fetch(`http://127.0.0.1:${port}${pathname}${search}`, {
      method: options.method,
      headers: options.headers,
      redirect: options.redirect,
      ...body,
    })
  }
  const running = stack.move()
  return {
    folder,
    authz,
    port,
    browser: (headers) => new Browser({ port }, headers),
    async client(id) {
      const isPublic = ['spa', 'cli', 'partner'].includes(id)
      const authentication = isPublic ? openid.None() : openid.ClientSecretBasic(SECRET)
      return await openid.discovery(new URL(ISSUER), id, undefined, authentication, {
        [openid.customFetch]: reach,
      })
    },
    audit: async (event, log) => await eventsIn(folder, event, log),
    async edit(name, change) {
      const file = folder.file(name)
      const before = (await eventsIn(folder, 'configuration-loaded')).length
      await writeFile(file, await change(await readFile(file, 'utf8')))
      const end = performance.now() + LONGEST_RELOAD_MS
      while ((await eventsIn(folder, 'configuration-loaded')).length === before) {
        if (performance.now() > end) throw new Error(`${name} is not read again`)
        await sleep(20)
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A folder with a configuration, `countersign.yaml`, and the files that it names. */
export const siteFolder = async (
  yaml = configuration(),
  files: Readonly<Record<string, string>> = {},
): Promise<TemporaryFolder> => {
  const folder = await temporaryFolder()
  await mkdir(folder.file('keys'))
  await writeSigningKeys(
    folder.file('keys'),
    await Promise.all([madeKey('ES256'), madeKey('EdDSA')]),
  )
  const all = { secret: SECRET, 'users.yaml': USERS, 'countersign.yaml': yaml, ...files }
  for (const [name, content] of Object.entries(all)) {
    await writeFile(folder.file(name), content, { mode: 0o600 })
  }
  return folder
}

// Of a loaded machine.
const LONGEST_RELOAD_MS = 20_000

const eventsIn = async (
  folder: TemporaryFolder,
  event: string,
  log = 'audit.jsonl',
): Promise<readonly Record<string, unknown>[]> => {
  const text = await readFile(folder.file(log), 'utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter((line) => line['event'] === event)
}

/** A port of the issuer, or one that leads to its socket. */
const portTo = async (address: Authz['issuer'], stack: AsyncDisposableStack): Promise<number> => {
  if (address?.kind === 'tcp') return address.port
  if (address === undefined) throw new Error('the issuer listens nowhere')
  const server = createServer((client) => {
    const socket = connect(address.path)
    const end = (): void => void (client.destroy(), socket.destroy())
    client.on('error', end).pipe(socket).on('error', end).pipe(client)
  })
  stack.defer(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  if (typeof bound !== 'object' || bound === null) throw new Error('not bound')
  return bound.port
}

/** An authorization request, and what its client has to remember. */
export const authorization = async (
  client: openid.Configuration,
  parameters: Readonly<Record<string, string>> = {},
) => {
  const verifier = openid.randomPKCECodeVerifier()
  const state = openid.randomState()
  const nonce = openid.randomNonce()
  const url = openid.buildAuthorizationUrl(client, {
    redirect_uri: CALLBACK,
    scope: 'openid groups',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  })
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }
  return { url, checks }
}

/** Logs in on the page; the place that the browser is sent to. */
export const logIn = async (
  browser: Browser,
  url: URL,
  [user, password]: readonly [string, string] = ['alice', 'wonderland'],
): Promise<URL> => {
  const page = await browser.get(url)
  return (await browser.submit(page, '/password', { user, password })).url
}

/** The OAuth error that a call ends with; `undefined` where it succeeds. */
export const refusalOf = async (call: Promise<unknown>): Promise<string | undefined> => {
  try {
    await call
    return undefined
  } catch (cause) {
    if (cause instanceof openid.ResponseBodyError) return cause.error
    if (cause instanceof openid.AuthorizationResponseError) return cause.error
    throw cause
  }
}
