// Phase 1: Envoy's attributes → one frozen `Request`, or a refusal. A request with two
// readings is refused, since the upstream could use the other one.

import { isIP } from 'node:net'
import { DEFAULT_LIMITS, type LimitsConfig } from './limits-schema.ts'
import type { CheckAttributes } from './attributes.ts'
import { MARK } from './header-name.ts'
import { Headers } from './headers.ts'
import { excessOf, hasTooManyParameters, type RequestExcess } from './limits.ts'
import { readPath } from './path.ts'

/** A request that has one reading. */
export interface Request {
  /** Envoy's `x-request-id`, which its access log and traces have too. */
  readonly id: string | undefined
  readonly method: string
  /** Decoded and normalised; see {@link readPath}. */
  readonly path: string
  /** The same, still percent-encoded as it was received: for comparison with a URI. */
  readonly rawPath: string
  /** As received, without the `?`. */
  readonly query: string
  /** Lower case, without port or trailing dot. */
  readonly host: string
  readonly headers: Headers
  /** Whether it has headers by which Kubernetes impersonates another user. */
  readonly impersonates: boolean
  /** Where the caller is, as Envoy trusts it; port 0 when only the address is known. */
  readonly source: { readonly address: string; readonly port: number }
  /** The caller's client certificate, URL-encoded PEM, as Envoy verified it; or empty. */
  readonly peerCertificate: string
  /** The TLS server name of the connection (RFC 6066 §3); or empty. */
  readonly serverName: string
  /** The route that Envoy chose (`countersign.route`); `undefined` when authz has to choose. */
  readonly routeName: string | undefined
}

/** Why a request is not read, or has no one reading. */
export type RequestRefusal =
  | RequestExcess
  | 'malformed-method'
  | 'malformed-host'
  | 'malformed-path'
  | 'ambiguous-path'
  | 'duplicate-credential'
  | 'connection-nomination'

/** The outcome of phase 1. */
export type RequestReading =
  | { readonly outcome: 'read'; readonly request: Request }
  | { readonly outcome: 'refused'; readonly code: RequestRefusal }

/** The key of Envoy's per-route context extensions that carries the route's name. */
export const ROUTE_EXTENSION = 'countersign.route'

// RFC 9110 §9.1: a method is a token, case-sensitive; every registered one is upper case.
const METHOD = /^[A-Z][A-Z-]{0,31}$/
const USUAL_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])

const isMethod = (method: string): boolean => USUAL_METHODS.has(method) || METHOD.test(method)

// RFC 1035 §2.3.4: 255 octets, with the lengths of the labels and the root.
const LONGEST_HOST = 253
// Without "u", so that "i" folds ASCII alone: a Kelvin sign lower-cases to "k" and is not ASCII.
const HOST = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i
const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(['upgrade', 'keep-alive', 'close', 'te'])

/** How requests are read. */
export interface RequestReadingOptions {
  /**
   * Whether Envoy counts proxies in front of it: then the caller's address is the one in
   * `x-envoy-external-address`, which it takes from X-Forwarded-For and strips from what callers send;
   * the source of the connection is only the last proxy.
   */
  readonly behindProxies?: boolean
  readonly limits?: LimitsConfig
}

/** Reads what Envoy sent. Pure; never throws; in time linear in what it reads. */
export const readRequest = (
  attributes: CheckAttributes,
  { behindProxies = false, limits = DEFAULT_LIMITS }: RequestReadingOptions = {},
): RequestReading => {
  // First: everything below, and every later phase, looks at no more than the limits allow.
  const excess = excessOf(attributes, limits)
  if (excess !== undefined) return { outcome: 'refused', code: excess }
  if (!isMethod(attributes.method)) return { outcome: 'refused', code: 'malformed-method' }
  const host = readHost(attributes.host)
  if (host === undefined) return { outcome: 'refused', code: 'malformed-host' }
  const target = readPath(attributes.path)
  if (target.outcome === 'refused') return target
  if (hasTooManyParameters(target.query, limits)) return TOO_MANY_PARAMETERS
  const headers = new Headers(attributes.headers)
  const refusal = refuseHeaders(headers)
  if (refusal !== undefined) return { outcome: 'refused', code: refusal }
  return {
    outcome: 'read',
    request: Object.freeze({
      id: headers.text('x-request-id'),
      method: attributes.method,
      path: target.path,
      rawPath: rawPathOf(attributes.path),
      query: target.query,
      host,
      headers,
      impersonates: (headers.marks & MARK.impersonation) !== 0,
      source: sourceOf(attributes, behindProxies ? headers : undefined),
      peerCertificate: attributes.peerCertificate,
      serverName: attributes.serverName,
      routeName: attributes.contextExtensions.get(ROUTE_EXTENSION),
    }),
  }
}

const TOO_MANY_PARAMETERS = { outcome: 'refused', code: 'too-many-parameters' } as const

const rawPathOf = (target: string): string => {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

const sourceOf = (
  { sourceAddress, sourcePort }: CheckAttributes,
  headers: Headers | undefined,
): Request['source'] => {
  const external = headers?.text('x-envoy-external-address')
  return external === undefined || isIP(external) === 0
    ? { address: sourceAddress, port: sourcePort }
    : { address: external, port: 0 }
}

// Clients use the same few hosts, and may send any.
const MOST_HOSTS = 1_000
const hosts = new Map<string, string>()

const readHost = (authority: string): string | undefined => {
  const known = hosts.get(authority)
  if (known !== undefined) return known
  const host = authority.replace(/:\d{1,5}$/, '').replace(/\.$/, '')
  if (host.length > LONGEST_HOST || !HOST.test(host)) return undefined
  const read = host.toLowerCase()
  if (hosts.size >= MOST_HOSTS) hosts.clear()
  hosts.set(authority, read)
  return read
}

const refuseHeaders = ({ lines, marks }: Headers): RequestRefusal | undefined => {
  if ((marks & (MARK.authorization | MARK.connection)) === 0) return undefined
  let credentials = 0
  for (const line of lines) {
    const { marks: own } = line.about
    if ((own & MARK.authorization) !== 0) {
      credentials += 1
      if (credentials > 1) return 'duplicate-credential'
    } else if ((own & MARK.connection) !== 0) {
      if (!nominatesOnlyItself(line.value)) return 'connection-nomination'
    }
  }
  return undefined
}

// Longer than all the options below in one list, with blanks.
const LONGEST_CONNECTION = 128

/**
 * RFC 9110 §7.6.1: an upstream removes every header that `Connection` names. On an upgrade Envoy
 * passes the list on, and an upstream that obeys would drop the identity that authz set.
 */
const nominatesOnlyItself = (value: Buffer): boolean =>
  value.length <= LONGEST_CONNECTION &&
  value
    .toString('latin1')
    .split(',')
    .map((option) => option.trim().toLowerCase())
    .every((option) => option === '' || CONNECTION_OPTIONS.has(option))
