// The base of every scenario: a TLS upstream that trusts only Envoy, `countersign authz` as a separate
// process, and a real Envoy with the generated bootstrap, on ports of the system's choice.

import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { DecisionEvent } from '../../src/audit/event.ts'
import { makeHash } from '../../src/authenticate/password/hash.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { readConfig } from '../../src/configuration/parse.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { pairsOf, type Answer, type HeaderLine, type Target } from '../servers/client.ts'
import { startEnvoy, type Envoy } from '../servers/envoy.ts'
import { freePort } from '../servers/ports.ts'
import { createPki, type Pki } from '../servers/pki.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { startUpstream, type Upstream } from '../servers/upstream.ts'
import { CountersignProcess } from './process.ts'
import { decisionsIn } from './audit-events.ts'

/** The host that the site publishes. */
export const HOST = 'api.example.org'

/** The users of the site: name → password. */
export const PASSWORDS = {
  alice: 'wonderland',
  bob: 'builder', // bcrypt, no groups
  jürgen: 'füße and 密码',
  mallory: 'reserved', // in system:masters
} as const

const USERS_FILE = [{ users: { file: 'users.yaml' } }]

/** A running site. */
export interface Site extends AsyncDisposable {
  readonly pki: Pki
  readonly upstream: Upstream
  readonly envoy: Envoy
  /** The public listener. */
  readonly target: Target
  /** Paths of the configuration and of the users file. */
  readonly files: { readonly config: string; readonly users: string; readonly audit: string }
  /** The authz process; `restart` starts another after it was killed. */
  readonly authz: CountersignProcess
  /** Decision events so far, oldest first. */
  events(): Promise<readonly DecisionEvent[]>
}

/** What differs between scenarios. */
export interface SiteOptions {
  /** Default: a UNIX socket. */
  readonly listen?: 'unix' | 'tcp' | 'mtls'
  /** Keys of the route that differ. */
  readonly route?: Readonly<Record<string, unknown>>
  /** Further routes, to the same upstream; what they do not say is as in the route. */
  readonly routes?: readonly Readonly<Record<string, unknown>>[]
  /** Where authz tells its metrics. Default: nowhere. */
  readonly admin?: `unix:${string}` | `127.0.0.1:${number}`
  /** Password verifiers. Default: the users file. */
  readonly verify?: readonly unknown[]
  /** Further authenticators, by name, for `route.authenticate`. */
  readonly authenticators?: Readonly<Record<string, unknown>>
  /** Keys of Envoy's public listener that differ. */
  readonly listener?: Readonly<Record<string, unknown>>
  /** The section `issuer`. Default: none. */
  readonly issuer?: Readonly<Record<string, unknown>>
  /** Keys of the configuration that no other option has. Default: none. */
  readonly more?: Readonly<Record<string, unknown>>
  /** The section `tracing`. Default: none. */
  readonly tracing?: Readonly<Record<string, unknown>>
  /** How Envoy reaches the issuer. Default: over a UNIX socket. */
  readonly issuerListen?: 'unix' | 'mtls'
  /** Keys of the section `envoy` that differ. */
  readonly edge?: Readonly<Record<string, unknown>>
  /** Keys of the upstream that differ: another server, in place of the one that tells what it got. */
  readonly upstream?: Readonly<Record<string, unknown>>
  /** Whether the time of authz can be put forward. Default: it has that of the machine. */
  readonly movable?: boolean
}

/** Starts a site. */
export const startSite = async ({
  listen = 'unix',
  route = {},
  routes = [],
  admin,
  verify = USERS_FILE,
  authenticators = {},
  listener = {},
  edge = {},
  upstream: server = {},
  issuer,
  tracing,
  more = {},
  issuerListen = 'unix',
  movable = false,
}: SiteOptions = {}): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const upstream = stack.use(await startUpstream({ identity: pki.upstream, clientCa: pki.ca }))
  const files = {
    config: folder.file('countersign.yaml'),
    users: folder.file('users.yaml'),
    audit: folder.file('audit.jsonl'),
  }
  await writeFile(files.users, await usersFile())
  const further = {
    routes,
    more,
    ...(admin === undefined ? {} : { admin }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(tracing === undefined ? {} : { tracing }),
    ...(issuerListen === 'unix' ? {} : { issuerTls: await issuerOverTls(pki) }),
  }
  const options = {
    listen,
    route,
    verify,
    authenticators,
    listener,
    edge,
    upstream: server,
    ...further,
  }
  const config = configuration(pki, upstream.port, options)
  await writeFile(files.config, stringify(config))
  const authz = stack.use(new CountersignProcess('authz', files.config, { movable }))
  const address = await authz.start()
  if (listen !== 'unix') pinPort(config, address)
  await writeFile(files.config, stringify(config))
  const envoy = stack.use(await startEnvoy({ bootstrap: await bootstrapOf(files.config) }))
  const target = { port: await envoy.port(), serverName: HOST, ca: pki.ca }
  const running = stack.move()
  return {
    pki,
    upstream,
    envoy,
    target,
    files,
    authz,
    events: () => decisionsIn(files.audit),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The Authorization header of a user, whether or not the site knows them. */
export const basic = (user: string, password: string): HeaderLine => [
  'Authorization',
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
]

/** alice's Authorization header. */
export const ALICE = basic('alice', PASSWORDS.alice)

/** The header lines that the upstream says it received, by the body of its answer. */
export const receivedBy = ({ body }: Answer): readonly HeaderLine[] => {
  const { rawHeaders } = z.object({ rawHeaders: z.array(z.string()) }).parse(JSON.parse(body))
  return pairsOf(rawHeaders)
}

/** All values of a header that the upstream received, a line each. */
export const received = (answer: Answer, name: string): readonly string[] =>
  receivedBy(answer).flatMap(([candidate, value]) => (candidate === name ? [value] : []))

/** Asks until the answer is as wished; fails after some seconds. */
export const eventually = async <T>(
  ask: () => Promise<T>,
  wished: (value: T) => boolean,
  limit = 10_000,
): Promise<T> => {
  const end = performance.now() + limit
  for (;;) {
    const value = await ask()
    if (wished(value)) return value
    if (performance.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${limit} ms`)
    await sleep(50)
  }
}

/** The bootstrap of a configuration file. */
export const bootstrapOf = async (file: string): Promise<string> => {
  const { config } = await readConfig(file, new ConfigurationFiles())
  return renderBootstrap(config)
}

/** Puts the port that the system chose in place of 0, so that a restart takes the same. */
const pinPort = (config: Record<string, unknown>, address: string): void => {
  const { authz } = z.object({ authz: z.unknown() }).parse(config['listen'])
  config['listen'] = {
    authz: typeof authz === 'string' ? address : { ...z.looseObject({}).parse(authz), address },
  }
}

/** A users file with every kind of user. */
export const usersFile = async (): Promise<string> =>
  stringify({
    users: {
      alice: {
        password: await makeHash('argon2id', PASSWORDS.alice),
        uid: '1001',
        groups: ['dev', 'ops', 'with, comma'],
        extra: { 'example.org/Team': ['blue', 'red'], plan: ['gold'] },
      },
      bob: { password: await makeHash('bcrypt', PASSWORDS.bob) },
      jürgen: { password: await makeHash('argon2id', PASSWORDS.jürgen), groups: ['größe'] },
      mallory: {
        password: await makeHash('argon2id', PASSWORDS.mallory),
        groups: ['dev', 'system:masters'],
      },
    },
  })

/** The configuration of the site. */
export const configuration = (
  pki: Pki,
  upstreamPort: number,
  {
    listen = 'unix',
    route = {},
    routes = [],
    admin,
    verify = USERS_FILE,
    authenticators = {},
    listener = {},
    edge = {},
    upstream = {},
    issuer,
    tracing,
    more = {},
    issuerTls,
  }: SiteOptions & { readonly issuerTls?: IssuerOverTls } = {},
): Record<string, unknown> => ({
  version: 1,
  listen: {
    authz: listenSection(pki, listen),
    ...(admin === undefined ? {} : { admin }),
    ...(issuer === undefined ? {} : { issuer: issuerTls?.listen ?? 'unix:issuer.sock' }),
  },
  ...(issuer === undefined ? {} : { issuer }),
  ...(tracing === undefined ? {} : { tracing }),
  authenticators: {
    staff: { basic: { realm: 'Site', verify } },
    ...authenticators,
  },
  routes: [{}, ...routes].map((further) => ({
    name: 'api',
    match: { hosts: [HOST] },
    upstream: 'api',
    authenticate: ['staff'],
    authorize: [
      { deny: 'no-secrets', paths: ['/secrets/**'] },
      { deny: 'not-bob', paths: ['/not-bob'], users: ['bob'] },
      { allow: 'rest', paths: ['/**'], methods: ['GET', 'POST'] },
    ],
    forward: { headers: 'kubernetes' },
    ...route,
    ...further,
  })),
  audit: { file: 'audit.jsonl' },
  ...more,
  envoy: {
    listener: { address: '127.0.0.1:0', ...pki.edge, ...listener },
    admin: 'unix:admin.sock',
    ...edge,
    ...(issuerTls === undefined ? {} : { issuerTls: issuerTls.envoy }),
    ...(listen === 'mtls'
      ? { authzTls: { ...pki.frontProxy, ca: pki.ca, serverName: 'localhost' } }
      : {}),
    upstreams: {
      api: {
        address: `127.0.0.1:${upstreamPort}`,
        ca: pki.ca,
        serverName: 'localhost',
        ...pki.frontProxy,
        ...upstream,
      },
    },
  },
})

/** Both ends of mutual TLS between Envoy and the issuer. */
interface IssuerOverTls {
  readonly listen: object
  readonly envoy: object
}

const issuerOverTls = async (pki: Pki): Promise<IssuerOverTls> => {
  const name = 'envoy.example.org'
  const client = await pki.issue({ commonName: 'envoy', names: [name], usage: 'client' })
  const { certificate, key } = pki.upstream
  const tls = { certificate, key: `file:${key}`, clientCa: pki.ca, clientNames: [name] }
  return {
    listen: { address: `127.0.0.1:${await freePort()}`, tls },
    envoy: { ...client, ca: pki.ca, serverName: 'localhost' },
  }
}

const listenSection = (pki: Pki, listen: NonNullable<SiteOptions['listen']>): unknown => {
  if (listen === 'unix') return 'unix:authz.sock'
  if (listen === 'tcp') return '127.0.0.1:0'
  const { certificate, key } = pki.upstream
  return { address: '127.0.0.1:0', tls: { certificate, key: `file:${key}`, clientCa: pki.ca } }
}
