// What the hostile part of the bench publishes: a route with every way in, one that is open to all, and a login page.

import { stringify } from 'yaml'
import type { Pki } from '../../test/servers/pki.ts'
import { envoySection, GROUPS, HEADERS_ROUTE } from '../site.ts'

/** The host of the issuer. */
export const ISSUER_HOST = 'id.example.org'

/** Where callers without a credential get in. */
export const OPEN_HOST = 'open.example.org'

/** Of the login page. */
export const CLIENT = { id: 'spa', redirect: 'https://spa.example.org/callback' }

/** Where tokens come from, and where authz asks about opaque ones. */
const TOKEN_ISSUER = 'https://login.example.org'

/** Paths of files and sockets, and the servers that take part. */
export interface HostileFiles {
  readonly authz: string
  readonly issuer: string
  readonly audit: string
  readonly state: string
  readonly users: string
  readonly apiKeys: string
  /** A folder. */
  readonly signingKeys: string
  /** JWKS. */
  readonly tokenKeys: string
  readonly admin: string
  readonly pki: Pki
  readonly upstreamPort: number
  readonly tokenServer: { readonly origin: string; readonly ca: string; readonly secret: string }
}

/** How many rules refuse by path on the open route: as many as a careful operator may have. */
const DENIES = 50

/** The configuration, YAML. */
export const hostileConfiguration = (files: HostileFiles): string =>
  stringify(
    {
      version: 1,
      listen: { authz: `unix:${files.authz}`, issuer: `unix:${files.issuer}` },
      issuer: {
        url: `https://${ISSUER_HOST}`,
        keys: files.signingKeys,
        login: { authenticators: ['staff'] },
        clients: {
          [CLIENT.id]: { redirectUris: [CLIENT.redirect] },
          cli: { grantTypes: ['device_code'] },
        },
      },
      state: { sqlite: files.state },
      authenticators: authenticators(files),
      routes: [
        {
          name: HEADERS_ROUTE.name,
          match: { hosts: [HEADERS_ROUTE.host] },
          authenticate: ['keys', 'tokens', 'opaque', 'staff'],
          authorize: [{ allow: 'developers', groups: [GROUPS[0]] }],
          forward: { headers: 'kubernetes' },
        },
        {
          name: 'open',
          match: { hosts: [OPEN_HOST] },
          upstream: HEADERS_ROUTE.name,
          authenticate: ['nobody'],
          authorize: [...denies, { allow: 'all' }],
          forward: { headers: 'kubernetes' },
        },
      ],
      audit: { file: files.audit },
      log: { level: 'error' },
      envoy: envoySection(files),
    },
    { aliasDuplicateObjects: false },
  )

const authenticators = ({ users, apiKeys, tokenKeys, tokenServer }: HostileFiles): object => ({
  keys: { apiKey: { file: apiKeys, locations: [{ query: 'api_key' }] } },
  tokens: { bearer: { issuer: TOKEN_ISSUER, audiences: ['bench'], keys: { file: tokenKeys } } },
  opaque: {
    introspection: {
      issuer: TOKEN_ISSUER,
      endpoint: `${tokenServer.origin}/introspect`,
      ca: tokenServer.ca,
      client: { id: 'countersign', secret: tokenServer.secret },
      audiences: ['bench'],
    },
  },
  staff: { basic: { realm: 'Kubernetes', verify: [{ users: { file: users } }], cacheTtl: '1h' } },
  nobody: { anonymous: {} },
})

const denies: readonly object[] = Array.from({ length: DENIES }, (_, index) => ({
  deny: `no-${index}`,
  paths: [`/area-${index}/**/secrets/*`, `/*/area-${index}*x*y`],
}))
