// The site of the certificate scenarios: authz and the signer as processes of their own, a real Envoy
// with the generated bootstrap, and an upstream that asks every connection for a client certificate.

import { readFile, writeFile } from 'node:fs/promises'
import { hash } from '@node-rs/argon2'
import { stringify } from 'yaml'
import type { AuditEvent, DecisionEvent } from '../../src/audit/event.ts'
import { ConfigurationFiles } from '../../src/config/files.ts'
import { readConfig } from '../../src/configuration/parse.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import type { ListenAddress } from '../../src/runtime/listen.ts'
import type { MaybePromise } from '../../src/runtime/maybe-promise.ts'
import {
  startCertificateUpstream,
  type CertificateUpstream,
} from '../servers/certificate-upstream.ts'
import type { HeaderLine, Target } from '../servers/client.ts'
import { startEnvoy, type Envoy } from '../servers/envoy.ts'
import { createAuthority, createPki, type Authority, type Pki } from '../servers/pki.ts'
import { temporaryFolder } from '../servers/temporary.ts'
import { CountersignProcess } from './process.ts'
import { auditEventsIn } from './audit-events.ts'

/** The host that the site publishes. */
export const HOST = 'kube.example.org'

/** Everyone's password. */
const PASSWORD = 'open sesame'

/** A user of the site. */
export interface SiteUser {
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** A running site. */
export interface CertificateSite extends AsyncDisposable {
  readonly pki: Pki
  /** The CA of the minted certificates. */
  readonly minting: Authority
  readonly upstream: CertificateUpstream
  readonly envoy: Envoy
  readonly target: Target
  readonly authz: CountersignProcess
  readonly signer: CountersignProcess
  /** Paths. */
  readonly files: {
    readonly config: string
    readonly signer: string
    readonly keyring: string
    /** The signer's admin socket. */
    readonly signerAdmin: string
  }
  /** Events of authz so far, oldest first. */
  events(): Promise<readonly AuditEvent[]>
  /** Its decisions. */
  decisions(): Promise<readonly DecisionEvent[]>
  /** Events of the signer so far, oldest first. */
  issuances(): Promise<readonly AuditEvent[]>
}

/** What differs between scenarios. */
export interface CertificateSiteOptions {
  readonly users?: Readonly<Record<string, SiteUser>>
  /** Keys of `forward.certificate` that differ. */
  readonly certificate?: Readonly<Record<string, unknown>>
  /** The limits of the CA. */
  readonly limits?: Readonly<Record<string, unknown>>
  /** Keys of the authenticator that differ. */
  readonly authenticator?: Readonly<Record<string, unknown>>
  /** Authenticators in addition to the password of `staff`, by name. */
  readonly authenticators?: (pki: Pki) => Readonly<Record<string, unknown>>
  /** `authenticate` of the route. Default: the password alone. */
  readonly authenticate?: readonly unknown[]
  /** Keys of the upstream in the `envoy` section that differ. */
  readonly upstream?: Readonly<Record<string, unknown>>
  readonly protocol?: 'http1' | 'http2'
  /** Further CAs that the upstream trusts, PEM. */
  readonly trusted?: string
  readonly concurrency?: number
  /** A last change to the bootstrap, for what must not be done, or what an older Envoy cannot do. */
  readonly bootstrap?: (yaml: string, authz: ListenAddress) => MaybePromise<string>
  /** The section `tracing` of authz. Default: none. */
  readonly tracing?: Readonly<Record<string, unknown>>
  /** The program of Envoy. Default: that of other tests. */
  readonly envoy?: string
}

const USERS = { alice: { groups: ['dev', 'ops'] }, bob: {} } as const

/** Starts a site. */
export const startCertificateSite = async (
  options: CertificateSiteOptions = {},
): Promise<CertificateSite> => {
  const { protocol = 'http1', trusted = '', concurrency = 2 } = options
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const minting = stack.use(await createAuthority('Minting CA'))
  const clientCas = `${await readFile(minting.ca, 'utf8')}\n${trusted}`
  const upstream = stack.use(
    await startCertificateUpstream({ identity: pki.upstream, clientCas, protocol }),
  )
  const files = {
    config: folder.file('countersign.yaml'),
    signer: folder.file('signer.yaml'),
    keyring: folder.file('grant.keys'),
    signerAdmin: folder.file('signer-admin.sock'),
  }
  await writeFile(files.keyring, `${newGrantKeyLine()}\n`, { mode: 0o600 })
  await writeFile(folder.file('users.yaml'), await usersFile(options.users ?? USERS))
  await writeFile(files.config, stringify(configuration(pki, upstream.port, options)))
  await writeFile(files.signer, stringify(signerConfiguration(minting, options)))
  const authz = stack.use(new CountersignProcess('authz', files.config))
  const signer = stack.use(new CountersignProcess('signer', files.signer))
  await Promise.all([authz.start(), signer.start()])
  const { config } = await readConfig(files.config, new ConfigurationFiles())
  const change = options.bootstrap ?? ((yaml) => yaml)
  const checks = { kind: 'unix', path: folder.file('authz.sock') } as const
  const bootstrap = await change(renderBootstrap(config), checks)
  const envoy = stack.use(await startEnvoy({ bootstrap, concurrency, program: options.envoy }))
  const target = { port: await envoy.port(), serverName: HOST, ca: pki.ca }
  const events = () => auditEventsIn(folder.file('audit.jsonl'))
  const running = stack.move()
  return {
    pki,
    minting,
    upstream,
    envoy,
    target,
    authz,
    signer,
    files,
    events,
    decisions: async () => (await events()).filter((event) => event.event === 'decision'),
    issuances: () => auditEventsIn(folder.file('issued.jsonl')),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The Authorization header of a user of the site. */
export const basic = (user: string, password = PASSWORD): HeaderLine => [
  'Authorization',
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
]

const usersFile = async (users: Readonly<Record<string, SiteUser>>): Promise<string> => {
  // RFC 9106 §3.1: the least that argon2 can be, since what is tested begins behind the password.
  const password = await hash(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })
  const entries = Object.entries(users).map(([name, user]) => [name, { password, ...user }])
  return stringify({ users: Object.fromEntries(entries) }, { aliasDuplicateObjects: false })
}

const configuration = (
  pki: Pki,
  port: number,
  {
    certificate = {},
    authenticator = {},
    authenticators = () => ({}),
    authenticate = ['staff'],
    upstream = {},
    protocol = 'http1',
    tracing,
  }: CertificateSiteOptions,
): object => ({
  version: 1,
  ...(tracing === undefined ? {} : { tracing }),
  listen: { authz: 'unix:authz.sock' },
  certificateGrants: { keyring: 'file:grant.keys' },
  authenticators: {
    staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] }, ...authenticator },
    ...authenticators(pki),
  },
  routes: [
    {
      name: 'kubernetes',
      match: { hosts: [HOST] },
      authenticate,
      authorize: [{ allow: 'all' }],
      forward: {
        certificate: {
          ca: 'kube',
          subject: { CN: 'identity.user', O: 'identity.groups' },
          ...certificate,
        },
      },
    },
  ],
  audit: { file: 'audit.jsonl' },
  envoy: {
    listener: { address: '127.0.0.1:0', ...pki.edge, clientCa: pki.ca },
    admin: 'unix:admin.sock',
    signerAddress: 'unix:signer.sock',
    upstreams: {
      kubernetes: {
        address: `127.0.0.1:${port}`,
        ca: pki.ca,
        serverName: 'localhost',
        protocol,
        ...upstream,
      },
    },
  },
})

const signerConfiguration = (
  minting: Authority,
  { limits = {} }: CertificateSiteOptions,
): object => ({
  version: 1,
  listen: 'unix:signer.sock',
  admin: 'unix:signer-admin.sock',
  keyring: 'file:grant.keys',
  authorities: {
    kube: { certificate: minting.ca, key: `file:${minting.key}`, limits },
  },
  audit: { file: 'issued.jsonl' },
})
