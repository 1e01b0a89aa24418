// The files of the demo: the configurations of Countersign and its signer, the users and the API keys.

import { stringify } from 'yaml'
import { makeHash } from '../src/authenticate/password/hash.ts'
import { hashOf } from '../src/authenticate/api-key/key.ts'
import type { KeyPair } from '../test/servers/pki.ts'
import type { DemoPki } from './pki.ts'
import {
  APP_HOST,
  CERTIFICATE_HOST,
  HOST,
  ISSUER_HOST,
  KUBERNETES_HOST,
  TOKEN_HOST,
  USERS,
} from './tour.ts'

/** The issuer of the tokens that callers bring; it is nowhere. */
export const FOREIGN_ISSUER = 'https://login.example.org'

/** The users. */
export const usersFile = async (): Promise<string> => {
  const entries = Object.entries(USERS).map(async ([name, { password, uid, groups, team }]) => [
    name,
    {
      password: await makeHash('argon2id', password),
      uid,
      groups,
      extra: { 'example.org/team': team },
    },
  ])
  return stringify({ users: Object.fromEntries(await Promise.all(entries)) })
}

/** The programs. */
export const apiKeysFile = (key: string): string =>
  stringify({ keys: { demo: { hash: hashOf(key), user: 'ci', groups: ['deploy'] } } })

/** Where our own issuer is. */
export const issuerAt = (port: number): string => `https://${ISSUER_HOST}:${port}`

/** What the configuration depends on. */
export interface DemoParts {
  readonly pki: Pick<DemoPki, 'ca' | 'edge' | 'frontProxy'>
  /** The ports of the upstreams. */
  readonly upstreams: { readonly api: number; readonly ledger: number }
  /** Envoy's. */
  readonly port: number
}

/** Of Countersign. */
export const configuration = ({ pki, upstreams, port }: DemoParts): string =>
  stringify({
    version: 1,
    listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
    issuer: {
      url: issuerAt(port),
      keys: 'signing-keys',
      login: { authenticators: ['staff-password'] },
      theme: { name: 'Countersign demo' },
    },
    certificateGrants: { keyring: 'file:grant.keys' },
    authenticators: {
      'staff-password': { basic: { realm: 'Demo', verify: [{ users: { file: 'users.yaml' } }] } },
      'staff-token': {
        bearer: {
          realm: 'Demo',
          issuer: FOREIGN_ISSUER,
          audiences: ['demo'],
          keys: { file: 'issuer.jwks' },
        },
        identity: {
          user: '"oidc:" + claims.email',
          groups: { from: 'claims.groups', keep: ['k8s-*'], prefix: 'oidc:' },
        },
      },
      // So that it is seen at once that a session has ended.
      browser: { session: { cacheTtl: '0s' } },
      programs: { apiKey: { realm: 'Demo', file: 'api-keys.yaml' } },
    },
    routes: [
      {
        name: 'api',
        match: { hosts: [HOST] },
        authenticate: ['staff-token', 'staff-password'],
        authorize: [
          { deny: 'no-secrets', paths: ['/secrets/**'] },
          { allow: 'operators', groups: ['ops'] },
          { allow: 'everyone-reads', methods: ['GET', 'HEAD'] },
        ],
        forward: { headers: 'kubernetes' },
      },
      {
        name: 'reports',
        match: { hosts: [TOKEN_HOST] },
        upstream: 'api',
        authenticate: ['staff-token', 'staff-password'],
        authorize: [{ allow: 'everyone-reads', methods: ['GET', 'HEAD'] }],
        forward: {
          bearer: {
            mint: {
              audience: 'reports',
              claims: { team: 'identity.extra[?"example.org/team"][?0]' },
            },
          },
        },
      },
      {
        name: 'ledger',
        match: { hosts: [CERTIFICATE_HOST] },
        authenticate: ['staff-token', 'staff-password', 'programs'],
        authorize: [{ allow: 'everyone-reads', methods: ['GET', 'HEAD'] }],
        forward: {
          certificate: { ca: 'demo', subject: { CN: 'identity.user', O: 'identity.groups' } },
        },
      },
      {
        name: 'app',
        match: { hosts: [APP_HOST] },
        upstream: 'api',
        authenticate: ['browser'],
        authorize: [{ allow: 'everyone' }],
        forward: { headers: 'kubernetes' },
      },
      {
        name: 'kubernetes',
        match: { hosts: [KUBERNETES_HOST] },
        upstream: 'api',
        kind: 'kubernetes',
        authenticate: ['staff-password'],
        authorize: [{ deny: 'no-secrets', resources: ['secrets'] }, { allow: 'rbac-decides' }],
        forward: { headers: 'kubernetes' },
      },
    ],
    audit: { file: 'audit.jsonl' },
    envoy: {
      listener: { address: `127.0.0.1:${port}`, ...pki.edge },
      admin: 'unix:envoy-admin.sock',
      signerAddress: 'unix:signer.sock',
      upstreams: {
        api: {
          address: `127.0.0.1:${upstreams.api}`,
          ca: pki.ca,
          serverName: 'localhost',
          ...pki.frontProxy,
        },
        ledger: {
          address: `127.0.0.1:${upstreams.ledger}`,
          ca: pki.ca,
          serverName: 'localhost',
        },
      },
    },
  })

/** Of the signer. */
export const signerConfiguration = ({ certificate, key }: KeyPair): string =>
  stringify({
    version: 1,
    listen: 'unix:signer.sock',
    keyring: 'file:grant.keys',
    authorities: { demo: { certificate, key: `file:${key}` } },
    audit: { file: 'issued.jsonl' },
  })
