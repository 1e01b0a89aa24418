// authz alone, within the limit of the Helm chart, with every kind of credential and the issuer, asked
// without an Envoy in front of it: what Envoy would keep away counts too.

import { mkdir, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { makeHash } from '../../../src/authenticate/password/hash.ts'
import {
  jwksOf,
  makeKey,
  ISSUER as TOKEN_ISSUER,
  type IssuerKey,
} from '../../authenticate/bearer/issuing.ts'
import { EnvoyClient } from '../../fakes/envoy-client.ts'
import { basic } from '../../fakes/envoy.ts'
import { writeSigningKeys } from '../../fakes/signing-key-files.ts'
import { madeKey } from '../../fakes/signing-keys.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { CountersignProcess } from '../process.ts'
import { limitMemory } from './limited.ts'

/** A running one. */
export interface FloodedSite extends AsyncDisposable {
  readonly authz: CountersignProcess
  /** The UNIX sockets. */
  readonly checks: string
  readonly issuer: string
  readonly pki: Pki
  readonly isEnforced: boolean
  /** A connection as Envoy's. */
  client(): EnvoyClient
  /** A token of any user. */
  token(user: string, more?: Readonly<Record<string, unknown>>): Promise<string>
}

export const HOST = 'app.example.org'
export const ALICE = basic('alice', 'wonderland')
const ISSUER = 'https://issuer.example.org'
export const CALLBACK = 'https://spa.example.org/callback'

const HOUR_S = 3_600

/** Starts one. */
export const startFloodedSite = async (bytes: number): Promise<FloodedSite> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const pki = stack.use(await createPki())
  const key = await makeKey()
  const limit = stack.use(limitMemory(bytes))
  const config = folder.file('countersign.yaml')
  const keys = folder.file('keys')
  await mkdir(keys)
  await writeSigningKeys(keys, [await madeKey('ES256')])
  await writeFile(folder.file('jwks.json'), jwksOf(key))
  await writeFile(folder.file('keys.yaml'), 'keys: {}\n')
  const password = await makeHash('argon2id', 'wonderland')
  await writeFile(folder.file('users.yaml'), stringify({ users: { alice: { password } } }))
  await writeFile(config, stringify(configuration(pki)))
  const authz = stack.use(new CountersignProcess('authz', config, { prefix: limit.prefix }))
  await authz.start()
  const checks = folder.file('authz.sock')
  const running = stack.move()
  return {
    authz,
    checks,
    issuer: folder.file('issuer.sock'),
    pki,
    isEnforced: limit.isEnforced,
    client: () => new EnvoyClient({ kind: 'unix', path: checks }),
    token: (sub, more = {}) => tokenOf(key, { sub, ...more }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const tokenOf = async (key: IssuerKey, claims: object): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return await key.token({ iss: TOKEN_ISSUER, aud: 'app', iat: now, exp: now + HOUR_S, ...claims })
}

const configuration = (pki: Pki): object => ({
  version: 1,
  listen: { authz: 'unix:authz.sock', issuer: 'unix:issuer.sock' },
  issuer: {
    url: ISSUER,
    keys: 'keys',
    login: { authenticators: ['staff'] },
    clients: {
      spa: { name: 'Dashboards', redirectUris: [CALLBACK] },
      cli: { grantTypes: ['device_code'] },
    },
  },
  authenticators: {
    certificates: { certificate: { trust: pki.ca, from: 'x-forwarded-client-cert' } },
    tokens: { bearer: { issuer: TOKEN_ISSUER, audiences: ['app'], keys: { file: 'jwks.json' } } },
    programs: { apiKey: { realm: 'Site', file: 'keys.yaml' } },
    staff: { basic: { realm: 'Site', verify: [{ users: { file: 'users.yaml' } }] } },
  },
  routes: [
    {
      name: 'app',
      match: { hosts: [HOST] },
      authenticate: ['certificates', 'tokens', 'programs', 'staff'],
      authorize: [{ allow: 'everybody' }],
      forward: { headers: 'kubernetes' },
    },
  ],
  audit: { file: 'audit.jsonl' },
})
