// Whole requests through a real Envoy, with the bootstrap that `envoy generate` writes and one worker. It is the
// authorizer that is compared here, so that the two ends cost as little as they can: HTTP/2 without TLS from the
// generator, and Envoy answers itself, with what an upstream would have been sent in header lines.

import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../src/configuration/parse.ts'
import { ConfigurationError } from '../../src/config/problem.ts'
import { renderBootstrap } from '../../src/envoy/bootstrap.ts'
import { startEnvoy } from '../../test/servers/envoy.ts'
import { createPki, type Pki } from '../../test/servers/pki.ts'
import { AUDIENCE, ISSUER, type Issued } from '../credentials/tokens.ts'
import type { Expectation } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { exchanges, http2Encoder } from '../requests.ts'
import { prepare, type Row } from '../row.ts'
import { envoySection } from '../site.ts'
import type { Size } from '../size.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { configurationOf } from './countersign.ts'
import { rowName } from './direct.ts'
import type { CheckServer } from './server.ts'

/** The scenarios, by name. */
export const ENVOY_SCENARIOS = {
  saturated: 'through Envoy, saturated',
  paced: 'through Envoy, 1,000/s',
} as const

/** What takes the place of an authorizer. */
export const WITHOUT_AUTHORIZER = { none: 'no authorizer', jwt: 'Envoy’s own jwt_authn' } as const

const PER_SECOND = 1_000
// Nothing listens there, and nothing connects to it.
const NO_PORT = 1

/** What the rows are made of. */
export interface EnvoyOptions {
  readonly issued: Issued
  readonly users: readonly string[]
  readonly size: Size
}

interface Variant {
  readonly name: string
  readonly bootstrap: string
  readonly pids: readonly number[]
  readonly expectationOf: (user: string) => Expectation
}

/** Starts an Envoy for each server, and two without one, and prepares the rows. */
export const envoyRows = async (
  installation: Installation,
  servers: readonly CheckServer[],
  { issued, users, size }: EnvoyOptions,
): Promise<readonly Row[]> => {
  const pki = installation.use(await createPki())
  const load = installation.use(new Worker('http2-load', LOAD_OPTIONS))
  let envoys = 0
  const bootstrapFor = (port: number): string => {
    envoys += 1
    return withoutUpstream(generated(installation, `envoy-${envoys}`, { port, pki }))
  }
  const variants: readonly Variant[] = [
    ...withoutAuthorizers(() => bootstrapFor(NO_PORT), await readFile(issued.keySet, 'utf8')),
    ...servers
      .filter(({ only }) => only === undefined || isMeasured(only))
      .map(({ name, port, pids, rawHeaders, expectationOf }) => ({
        name,
        bootstrap: withRawHeaders(bootstrapFor(port), rawHeaders),
        pids,
        expectationOf,
      })),
  ]
  const rows: Row[][] = [[], []]
  for (const { name, bootstrap, pids, expectationOf } of variants) {
    const envoy = installation.use(await startEnvoy({ bootstrap, concurrency: 1 }))
    const sent = exchanges(users.length, users, http2Encoder(), expectationOf, (user) => ({
      headers: [['authorization', `Bearer ${issued.tokens.get(user) ?? ''}`]],
    }))
    await prepare(load, name, await envoy.port(), CONNECTIONS, sent)
    const common = { load, target: name, alone: false, authorizers: pids, envoy: envoy.pid }
    const { inFlight: concurrency, scenarioSeconds: seconds, pacedSeconds } = size
    const saturated = { concurrency, seconds, requests: Number.MAX_SAFE_INTEGER }
    const requests = Math.ceil(PER_SECOND * pacedSeconds)
    const paced = { concurrency, requests, perSecond: PER_SECOND }
    rows[0]?.push({ ...common, ...saturated, name: rowName(ENVOY_SCENARIOS.saturated, name) })
    rows[1]?.push({ ...common, ...paced, name: rowName(ENVOY_SCENARIOS.paced, name) })
  }
  return rows.flat()
}

const isMeasured = (only: readonly string[]): boolean =>
  Object.values(ENVOY_SCENARIOS).some((name) => only.includes(name))

// As many as a browser's proxy would share among its users.
const CONNECTIONS = 4

/** What `envoy generate` writes for an authorizer at that port. */
const generated = (
  installation: Installation,
  name: string,
  { port, pki }: { readonly port: number; readonly pki: Pki },
): string => {
  const file = installation.file(`${name}.yaml`)
  const configuration = {
    ...configurationOf(port, { audit: installation.file('unwritten'), rules: [{ allow: 'all' }] }),
    authenticators: { tokens: { anonymous: {} } },
    envoy: envoySection({ pki, upstreamPort: NO_PORT, admin: installation.file(`${name}.sock`) }),
  }
  const parsed = parseConfig(file, JSON.stringify(configuration))
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  return renderBootstrap(parsed.config)
}

// The headers of the answer, which say what an upstream would have been sent. Envoy leaves a header out that would
// be empty.
const SEEN = {
  'x-saw-user': 'user=%REQ(X-REMOTE-USER)%',
  'x-saw-credential': 'credential=%REQ(AUTHORIZATION):1%',
}

/** The bootstrap without TLS towards the client, and with answers instead of an upstream. */
const withoutUpstream = (bootstrap: string): string =>
  changed(bootstrap, (key, value) => {
    const { route, ...rest } = routeSchema.safeParse(value).data ?? {}
    if (route !== undefined && 'match' in rest) {
      const seen = Object.entries(SEEN).map(([name, text]) => ({
        header: { key: name, value: text },
        append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
      }))
      return { ...rest, direct_response: { status: 200 }, response_headers_to_add: seen }
    }
    // Envoy logs its own answers. These represent those of an upstream, which it does not log.
    if (key === 'expression' && typeof value === 'string') {
      return value.replace("'via_upstream'", "'via_upstream', 'direct_response'")
    }
    return key === 'filter_chains' && Array.isArray(value)
      ? value.map((chain: object) => ({ ...chain, transport_socket: undefined }))
      : value
  })

const routeSchema = z.looseObject({ route: z.looseObject({}) })

const withRawHeaders = (bootstrap: string, wanted: boolean): string =>
  changed(bootstrap, (key, value) => (key === 'encode_raw_headers' ? wanted : value))

const EXT_AUTHZ = 'envoy.filters.http.ext_authz'
const JWT_AUTHN = 'envoy.filters.http.jwt_authn'

/** An Envoy that verifies nothing, and one that verifies by its own filter. */
const withoutAuthorizers = (bootstrap: () => string, jwks: string): readonly Variant[] => [
  {
    name: WITHOUT_AUTHORIZER.none,
    bootstrap: withFilter(bootstrap(), []),
    pids: [],
    expectationOf: () => ({ outcome: 'allow', groups: [], keepsCredential: true }),
  },
  {
    name: WITHOUT_AUTHORIZER.jwt,
    bootstrap: withFilter(bootstrap(), [jwtFilter(jwks)]),
    pids: [],
    // A claim that is a list makes no header there.
    expectationOf: (user) => ({ outcome: 'allow', user, groups: [] }),
  },
]

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto */
const jwtFilter = (jwks: string): object => ({
  name: JWT_AUTHN,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    providers: {
      bench: {
        issuer: ISSUER,
        audiences: [AUDIENCE],
        local_jwks: { inline_string: jwks },
        claim_to_headers: [{ header_name: 'x-remote-user', claim_name: 'sub' }],
      },
    },
    rules: [{ match: { prefix: '/' }, requires: { provider_name: 'bench' } }],
  },
})

/** The bootstrap with other filters in the place of ext_authz, and without what routes say to it. */
const withFilter = (bootstrap: string, filters: readonly object[]): string => {
  const other = changed(bootstrap, (key, value) =>
    key === 'http_filters' && Array.isArray(value)
      ? value.flatMap((filter: unknown) => (isExtAuthz(filter) ? filters : [filter]))
      : withoutPerRoute(value),
  )
  if (other === bootstrap) throw new Error(`the bootstrap has no ${EXT_AUTHZ}`)
  return other
}

const isExtAuthz = (filter: unknown): boolean =>
  z.object({ name: z.string() }).parse(filter).name === EXT_AUTHZ

const withoutPerRoute = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== EXT_AUTHZ))
}

/** The document with every value replaced, from the outside in. */
const changed = (text: string, replace: (key: string, value: unknown) => unknown): string =>
  JSON.stringify(parse(text), replace)
