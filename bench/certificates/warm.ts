// A known identity: what `forward.certificate` costs a check next to headers only. One authz answers
// both, so that nothing but the route is different.

import type { Installation } from '../installation.ts'
import { checkEncoder, exchanges, httpEncoder } from '../requests.ts'
import { prepare, type Row } from '../row.ts'
import { measureInRounds, settle, type Summary } from '../rounds.ts'
import { HEADERS_ROUTE, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { CERTIFICATE_ROUTE, startSite, type AuthzSite } from './site.ts'

/** The rows of a known identity, by name: with headers, and with a certificate. */
export const WARM_ROWS = {
  direct: { headers: 'check over gRPC, headers', certificate: 'check over gRPC, certificate' },
  envoy: { headers: 'through Envoy, headers', certificate: 'through Envoy, certificate' },
} as const

/** Rows in pairs; the ratio of each is to the one with headers in the same round. */
export interface WarmCost {
  readonly direct: readonly Summary[]
  /** None without an Envoy. */
  readonly envoy: readonly Summary[]
}

type Names = (typeof WARM_ROWS)[keyof typeof WARM_ROWS]

const VARIETY = 512
const USERS = 16

/** Measures it, in processes of its own. */
export const measureWarm = async (
  installation: Installation,
  size: Size,
  {
    withEnvoy,
    progress,
  }: { readonly withEnvoy: boolean; readonly progress: (text: string) => void },
): Promise<WarmCost> => {
  const { pairedRounds, pairedRequests } = size
  const site = await startSite(installation, { name: 'warm', users: userNames(USERS) })
  const inPairs = async (rows: readonly Row[], { headers }: Names): Promise<readonly Summary[]> => {
    const settled = await settle(rows, size, undefined)
    return await measureInRounds(settled, headers, pairedRounds, progress)
  }
  const directRows = await direct(installation, site, { ...size, requests: pairedRequests })
  const directCost = await inPairs(directRows, WARM_ROWS.direct)
  if (!withEnvoy) return { direct: directCost, envoy: [] }
  const requests = Math.ceil(pairedRequests / 2)
  const envoyRows = await throughEnvoy(installation, site, { ...size, requests })
  return { direct: directCost, envoy: await inPairs(envoyRows, WARM_ROWS.envoy) }
}

const direct = async (
  installation: Installation,
  { authz, socket, expectationOf }: AuthzSite,
  { requests, concurrency }: Size,
): Promise<readonly Row[]> => {
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const { headers, certificate } = WARM_ROWS.direct
  const names = userNames(USERS)
  const withHeaders = exchanges(VARIETY, names, checkEncoder(HEADERS_ROUTE))
  const withCertificate = exchanges(VARIETY, names, checkEncoder(CERTIFICATE_ROUTE), expectationOf)
  await prepare(load, headers, socket, 1, withHeaders)
  await prepare(load, certificate, socket, 1, withCertificate)
  const common = {
    load,
    requests,
    concurrency,
    alone: true,
    authorizers: [authz.pid],
    envoy: undefined,
  }
  return [headers, certificate].map((name) => ({ ...common, name, target: name }))
}

const throughEnvoy = async (
  installation: Installation,
  site: AuthzSite,
  { requests, concurrency }: Size,
): Promise<readonly Row[]> => {
  const { envoy } = await site.startEnvoy()
  const port = await envoy.port()
  const load = installation.use(new Worker('http-load', LOAD_OPTIONS, [site.pki.ca]))
  const { headers, certificate } = WARM_ROWS.envoy
  const names = userNames(USERS)
  const withHeaders = exchanges(VARIETY, names, httpEncoder(HEADERS_ROUTE))
  const encode = httpEncoder(CERTIFICATE_ROUTE)
  const withCertificate = exchanges(VARIETY, names, encode, site.expectationOf)
  await prepare(load, headers, port, concurrency, withHeaders)
  await prepare(load, certificate, port, concurrency, withCertificate)
  const common = {
    load,
    requests,
    concurrency,
    alone: true,
    authorizers: [site.authz.pid],
    envoy: envoy.pid,
  }
  return [headers, certificate].map((name) => ({ ...common, name, target: name }))
}
