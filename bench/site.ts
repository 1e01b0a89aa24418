// The installation that is measured: a users file, a configuration, in a folder of its own.

import { writeFile } from 'node:fs/promises'
import { hash } from '@node-rs/argon2'
import { stringify } from 'yaml'
import { makeHash } from '../src/authenticate/password/hash.ts'
import type { Pki } from '../test/servers/pki.ts'

/** What is published, and by which name the configuration knows it. */
export interface PublishedRoute {
  readonly name: string
  readonly host: string
}

/** The route that forwards headers. */
export const HEADERS_ROUTE: PublishedRoute = { name: 'kubernetes', host: 'kube.example.org' }

/** Everyone's password. */
export const PASSWORD = 'correct horse battery staple'

/** Everyone's groups, in the order of the alphabet: directories have no other. */
export const GROUPS: readonly string[] = ['developers', 'on-call', 'team-a', 'team-b']

/** So many names. */
export const userNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `user-${String(index).padStart(5, '0')}`)

/** `usual` is what `hash-password` makes; `cheapest` is for many users, all of them cached. */
export type HashCost = 'usual' | 'cheapest'

/** Writes a users file, YAML. */
export const writeUsers = async (
  file: string,
  names: readonly string[],
  cost: HashCost,
): Promise<void> => {
  const users: Record<string, object> = {}
  for (const [index, name] of names.entries()) {
    users[name] = {
      password: cost === 'usual' ? await makeHash('argon2id', PASSWORD) : await cheapestHash(),
      uid: `4f2c9d1e-${String(index).padStart(12, '0')}`,
      groups: GROUPS,
    }
  }
  await writeFile(file, stringify({ users }, { aliasDuplicateObjects: false }))
}

// RFC 9106 §3.1: at least 8 KiB for each lane, one pass.
const cheapestHash = (): Promise<string> =>
  hash(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })

/** What differs between the installations that are measured. */
export interface SiteOptions {
  readonly users: string
  /** The path of a UNIX socket. */
  readonly authz: string
  readonly audit: string
  /** How long a proven password is remembered. */
  readonly cacheTtl: string
  /** For a bootstrap; authz does without. */
  readonly envoy?: {
    /** The path of a UNIX socket. */
    readonly admin: string
    readonly pki: Pki
    readonly upstreamPort: number
  }
}

/** Three rules, of which the last decides. */
export const RULES: readonly object[] = [
  { deny: 'no-secrets', paths: ['/api/v1/namespaces/*/secrets/**', '/api/v1/secrets/**'] },
  { allow: 'auditors-read', methods: ['GET'], groups: ['auditors', 'compliance-*'] },
  { allow: 'developers', groups: ['developers'], paths: ['/api/**', '/apis/**'] },
]

/** The configuration, YAML. */
export const configuration = (options: SiteOptions): string =>
  stringify({
    version: 1,
    listen: { authz: `unix:${options.authz}` },
    authenticators: {
      staff: {
        basic: {
          realm: 'Kubernetes',
          verify: [{ users: { file: options.users } }],
          cacheTtl: options.cacheTtl,
        },
      },
    },
    routes: [
      {
        name: HEADERS_ROUTE.name,
        match: { hosts: [HEADERS_ROUTE.host] },
        authenticate: ['staff'],
        authorize: RULES,
        forward: { headers: 'kubernetes' },
      },
    ],
    audit: { file: options.audit },
    log: { level: 'warn' },
    ...(options.envoy === undefined ? {} : { envoy: envoySection(options.envoy) }),
  })

/** `envoy`: a listener with TLS, and the upstream of the route with headers. */
export const envoySection = ({
  admin,
  pki,
  upstreamPort,
}: NonNullable<SiteOptions['envoy']>): object => ({
  listener: {
    address: '127.0.0.1:0',
    certificate: pki.edge.certificate,
    key: pki.edge.key,
  },
  admin: `unix:${admin}`,
  upstreams: {
    [HEADERS_ROUTE.name]: {
      address: `127.0.0.1:${upstreamPort}`,
      serverName: 'localhost',
      ca: pki.ca,
      certificate: pki.frontProxy.certificate,
      key: pki.frontProxy.key,
    },
  },
})
