// The installation that certificates are measured in: authz, the signer and the upstream as processes
// of their own, and a real Envoy with the bootstrap that `envoy generate` writes.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../src/configuration/parse.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { startEnvoy, type Envoy } from '../../test/servers/envoy.ts'
import { createAuthority, createPki, type Pki } from '../../test/servers/pki.ts'
import type { Expectation } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { GROUPS, HEADERS_ROUTE, RULES, writeUsers, type PublishedRoute } from '../site.ts'
import type { Service } from '../service.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'

/** The route that forwards a certificate, and nothing else that differs. */
export const CERTIFICATE_ROUTE: PublishedRoute = {
  name: 'certificates',
  host: 'certificates.example.org',
}

/** How to start a site. */
export interface SiteOptions {
  /** Names its files. */
  readonly name: string
  readonly users: readonly string[]
  /** For authz and the signer. */
  readonly nodeOptions?: readonly string[]
  /** As of `ServiceOptions`. */
  readonly inside?: boolean
}

/** Authz of a site, and what is needed to start the rest. */
export interface AuthzSite {
  readonly authz: Service
  /** The path of its UNIX socket. */
  readonly socket: string
  readonly pki: Pki
  /** What is right for a user on {@link CERTIFICATE_ROUTE}. */
  readonly expectationOf: (user: string) => Expectation
  /** Starts Envoy, the signer and the upstream. */
  startEnvoy(): Promise<EnvoySite>
}

/** A whole site. */
export interface EnvoySite {
  readonly envoy: Envoy
  readonly signer: Service
  /** Process ids. */
  readonly pids: ByProcess<number>
}

/** Something about each process on the way of a request. */
export type ByProcess<T> = Readonly<Record<'authz' | 'signer' | 'envoy' | 'upstream', T>>

/** Works something out for each process. */
export const forEachProcess = <T>(of: (name: keyof ByProcess<T>) => T): ByProcess<T> => ({
  authz: of('authz'),
  signer: of('signer'),
  envoy: of('envoy'),
  upstream: of('upstream'),
})

// Node counts 100 KB for each connection of TLS, and V8 collects garbage for every 64 MB of that: its
// pauses would count as authz's.
const UPSTREAM_OPTIONS = [
  ...LOAD_OPTIONS,
  '--external-memory-accounted-in-global-limit',
  '--initial-old-space-size=2048',
]

/** Starts authz, and whatever else the options say. It ends with the installation. */
export const startSite = async (
  installation: Installation,
  { name, users, ...options }: SiteOptions,
): Promise<AuthzSite> => {
  const pki = installation.use(await createPki())
  const minting = installation.use(await createAuthority('Minting CA'))
  const file = (suffix: string): string => installation.file(`${name}-${suffix}`)
  const keyring = newGrantKeyLine()
  await writeFile(file('keys'), `${keyring}\n`, { mode: 0o600 })
  await writeUsers(file('users.yaml'), users, 'cheapest')
  const upstream = installation.use(new Worker('upstream', UPSTREAM_OPTIONS))
  const clientCas = [pki.ca, minting.ca]
  const upstreamPort = await upstream.ask({ ...pki.upstream, clientCas }, z.int())
  const config = stringify(configuration({ file, pki, upstreamPort }))
  await writeFile(file('authz.yaml'), config)
  const start = async (process: 'authz' | 'signer'): Promise<Service> => {
    const path = file(`${process}.yaml`)
    return await installation.service({ command: process, config: path, ...options })
  }
  const authz = await start('authz')
  return {
    authz,
    socket: file('authz.sock'),
    pki,
    expectationOf: (user) => ({ outcome: 'certificate', user, groups: GROUPS, keyring }),
    async startEnvoy() {
      const { ca, key } = minting
      await writeFile(file('signer.yaml'), stringify(signerConfiguration(file, { ca, key })))
      const signer = await start('signer')
      const parsed = parseConfig(file('authz.yaml'), config)
      if (!parsed.ok) throw new ConfigurationError(parsed.problems)
      const bootstrap = renderBootstrap(parsed.config)
      const envoy = installation.use(await startEnvoy({ bootstrap, concurrency: 1 }))
      const pids = {
        authz: authz.pid,
        signer: signer.pid,
        envoy: envoy.pid,
        upstream: upstream.pid,
      }
      return { envoy, signer, pids }
    },
  }
}

interface ConfigurationOptions {
  readonly file: (suffix: string) => string
  readonly pki: Pki
  readonly upstreamPort: number
}

/** Both routes have one upstream; they differ only in what they forward. */
const configuration = ({ file, pki, upstreamPort }: ConfigurationOptions): object => {
  const route = ({ name, host }: PublishedRoute, forward: object): object => ({
    name,
    match: { hosts: [host] },
    upstream: 'api',
    authenticate: ['staff'],
    authorize: RULES,
    forward,
  })
  const certificate = {
    ca: 'bench',
    subject: { CN: 'identity.user', O: 'identity.groups' },
    // So long that hardly anyone is given another certificate while the bench runs.
    lifetime: '12h',
  }
  return {
    version: 1,
    listen: { authz: `unix:${file('authz.sock')}` },
    certificateGrants: { keyring: `file:${file('keys')}` },
    authenticators: {
      staff: {
        basic: { verify: [{ users: { file: file('users.yaml') } }], cacheTtl: '1h' },
      },
    },
    routes: [
      route(HEADERS_ROUTE, { headers: 'kubernetes' }),
      route(CERTIFICATE_ROUTE, { certificate }),
    ],
    audit: { file: file('audit.jsonl') },
    log: { level: 'warn' },
    envoy: {
      listener: { address: '127.0.0.1:0', ...pki.edge },
      admin: `unix:${file('admin.sock')}`,
      signerAddress: `unix:${file('signer.sock')}`,
      // 10,000 connections to the upstream come near the default of 1 GB.
      maxHeapBytes: 8_589_934_592,
      upstreams: {
        api: {
          address: `127.0.0.1:${upstreamPort}`,
          serverName: 'localhost',
          ca: pki.ca,
          ...pki.frontProxy,
        },
      },
    },
  }
}

const signerConfiguration = (
  file: (suffix: string) => string,
  { ca, key }: { readonly ca: string; readonly key: string },
): object => ({
  version: 1,
  listen: `unix:${file('signer.sock')}`,
  // A stream for each identity, of which there are 10,000 at once.
  maxStreams: 20_000,
  keyring: `file:${file('keys')}`,
  authorities: {
    // The highest rate is what is measured here.
    bench: {
      certificate: ca,
      key: `file:${key}`,
      limits: { rate: { perSecond: 1_000_000, burst: 1_000_000 } },
    },
  },
  audit: { file: file('issued.jsonl') },
  log: { level: 'warn' },
})
