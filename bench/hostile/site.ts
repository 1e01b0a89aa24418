// Starts what the hostile part measures: authz, an Envoy, the upstreams, and the clients.

import { writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { parseConfig } from '../../src/configuration/parse.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { jwksOf, makeKey } from '../../test/authenticate/bearer/issuing.ts'
import { madeKey } from '../../test/fakes/signing-keys.ts'
import { startEnvoy, type Envoy } from '../../test/servers/envoy.ts'
import { createPki } from '../../test/servers/pki.ts'
import { writeSigningKeys } from '../../test/servers/signing-keys.ts'
import { startTokenServer } from '../credentials/judged-tokens.ts'
import type { Installation } from '../installation.ts'
import { exchanges, httpEncoder } from '../requests.ts'
import { prepare } from '../row.ts'
import { userNames } from '../site.ts'
import type { Service } from '../service.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { hostileConfiguration } from './configuration.ts'

/** Everything that takes part. */
export interface HostileSite {
  readonly authz: Service
  readonly envoy: Envoy
  readonly port: number
  /** The CA of Envoy's certificate. */
  readonly ca: string
  readonly files: { readonly audit: string; readonly state: string }
  /** Sends what is hostile. */
  readonly hostile: Worker
  /** Sends what a well-behaved user does, as {@link USER}. */
  readonly user: Worker
}

/** What the generator of the user's requests calls them. */
export const USER = 'user'

const USERS = 4
const VARIETY = 20
// As many as can wait for an answer at a time, should all of them have to.
const USER_CONNECTIONS = 300

/** Starts everything. */
export const startHostileSite = async (installation: Installation): Promise<HostileSite> => {
  const pki = installation.use(await createPki())
  const upstream = installation.use(new Worker('upstream'))
  const upstreamPort = await upstream.ask({ ...pki.upstream, clientCas: [pki.ca] }, z.int())
  const files = {
    authz: installation.file('hostile.sock'),
    issuer: installation.file('issuer.sock'),
    audit: installation.file('hostile.jsonl'),
    state: installation.file('state.db'),
    users: await installation.users(USERS, 'usual'),
    apiKeys: installation.file('api-keys.yaml'),
    signingKeys: installation.file('signing-keys'),
    tokenKeys: installation.file('token-keys.json'),
    admin: installation.file('hostile-admin.sock'),
    pki,
    upstreamPort,
    tokenServer: await startTokenServer(installation, 'hostile', new Map()),
  }
  await writeFile(files.apiKeys, 'keys: {}\n')
  await writeFile(files.tokenKeys, jwksOf(await makeKey('ES256', 'k')))
  await writeSigningKeys(files.signingKeys, [await madeKey('ES256')])
  const config = installation.file('hostile.yaml')
  const text = hostileConfiguration(files)
  await writeFile(config, text)
  const parsed = parseConfig(config, text)
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  const authz = await installation.service({ command: 'authz', config })
  const bootstrap = renderBootstrap(parsed.config)
  const envoy = installation.use(await startEnvoy({ bootstrap, concurrency: 1 }))
  const port = await envoy.port()
  const user = installation.use(new Worker('http-load', LOAD_OPTIONS, [pki.ca]))
  await prepare(
    user,
    USER,
    port,
    USER_CONNECTIONS,
    exchanges(VARIETY, userNames(USERS), httpEncoder()),
  )
  const hostile = installation.use(new Worker('hostile-load', LOAD_OPTIONS, [pki.ca]))
  return { authz, envoy, port, ca: pki.ca, files, hostile, user }
}
