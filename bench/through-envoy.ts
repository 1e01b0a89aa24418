// Rows 5 to 7: whole requests through a real Envoy, with the bootstrap that `envoy generate` writes:
// TLS on both sides, all connections kept alive, one worker thread.

import { parse } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../src/configuration/parse.ts'
import { ConfigurationError } from '../src/config/problem.ts'
import { renderBootstrap } from '../src/envoy/bootstrap.ts'
import { startEnvoy } from '../test/servers/envoy.ts'
import { createPki, type Pki } from '../test/servers/pki.ts'
import type { Expectation } from './expectation.ts'
import { NO_OP_USER, type Authorizer, type Installation } from './installation.ts'
import { exchanges, httpEncoder } from './requests.ts'
import { prepare, type Row } from './row.ts'
import { configuration, userNames } from './site.ts'
import type { Size } from './size.ts'
import { LOAD_OPTIONS, Worker } from './worker.ts'

/** The rows through Envoy, by name. */
export const ENVOY_ROWS = {
  bare: 'through Envoy, no ext_authz',
  noOp: 'through Envoy, no-op ext_authz',
  countersign: 'through Envoy, Countersign',
} as const

const VARIETY = 512
const USERS = 16

/** Starts Envoy three times and prepares the rows. */
export const envoyRows = async (
  installation: Installation,
  { noOp, authz }: { readonly noOp: Authorizer; readonly authz: Authorizer },
  { envoyRequests: requests, concurrency }: Size,
): Promise<readonly Row[]> => {
  const pki = installation.use(await createPki())
  const upstreamPort = await startUpstream(installation, pki)
  const load = installation.use(new Worker('http-load', LOAD_OPTIONS, [pki.ca]))
  const site = { pki, upstreamPort }
  const row = async (
    name: string,
    socket: string,
    authorizer: Authorizer | undefined,
    expectationOf?: (user: string) => Expectation,
  ): Promise<Row> => {
    const bootstrap = bootstrapFor(installation, `envoy-${name.length}`, socket, site)
    const envoy = installation.use(
      await startEnvoy({
        bootstrap: authorizer === undefined ? withoutAuthorizer(bootstrap) : bootstrap,
        concurrency: 1,
      }),
    )
    const sent = exchanges(VARIETY, userNames(USERS), httpEncoder(), expectationOf)
    await prepare(load, name, await envoy.port(), concurrency, sent)
    const common = { name, target: name, load, requests, concurrency, envoy: envoy.pid }
    return { ...common, authorizer: authorizer?.worker.pid }
  }
  return [
    await row(ENVOY_ROWS.bare, noOp.socket, undefined, () => nobody),
    await row(ENVOY_ROWS.noOp, noOp.socket, noOp, () => anyone),
    await row(ENVOY_ROWS.countersign, authz.socket, authz),
  ]
}

const nobody: Expectation = { outcome: 'allow', user: undefined, groups: [] }
const anyone: Expectation = { outcome: 'allow', user: NO_OP_USER, groups: [] }

const startUpstream = async (installation: Installation, pki: Pki): Promise<number> => {
  const upstream = installation.use(new Worker('upstream'))
  return await upstream.ask({ ...pki.upstream, clientCas: [pki.ca] }, z.int())
}

/** What `envoy generate` writes for an authz at that socket. */
const bootstrapFor = (
  installation: Installation,
  name: string,
  authz: string,
  site: { readonly pki: Pki; readonly upstreamPort: number },
): string => {
  const file = installation.file(`${name}.yaml`)
  const text = configuration({
    authz,
    users: installation.file('unread'),
    audit: installation.file('unwritten'),
    cacheTtl: '1h',
    envoy: { ...site, admin: installation.file(`${name}.sock`) },
  })
  const parsed = parseConfig(file, text)
  if (!parsed.ok) throw new ConfigurationError(parsed.problems)
  return renderBootstrap(parsed.config)
}

const FILTER = 'envoy.filters.http.ext_authz'

/** The bootstrap without the filter, and without what routes say to it. */
const withoutAuthorizer = (bootstrap: string): string => {
  const whole = JSON.stringify(parse(bootstrap))
  const less = JSON.stringify(parse(bootstrap), (key, value: unknown) =>
    Array.isArray(value) && key === 'http_filters' ? value.filter(isOther) : withoutPerRoute(value),
  )
  if (whole === less) throw new Error(`the bootstrap has no ${FILTER}`)
  return less
}

const isOther = (filter: unknown): boolean =>
  z.object({ name: z.string() }).parse(filter).name !== FILTER

const withoutPerRoute = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== FILTER))
}
