// What is taken out of every request before anything is put in: each header that we might ever set,
// the caller's own credential, and what would make another request of it than the one that was judged.
// The list covers all presets, used or not, so that switching one on can never trust what a caller sent
// a moment ago; what a configuration names itself comes to it (`own-headers.ts`).

import { parametersAmong, type Carrier } from '../authenticate/carrier.ts'
import { cookiesWithoutOurs } from '../request/cookies.ts'
import { canonicalName, type Headers } from '../request/headers.ts'
import type { SecretParameters } from '../request/query.ts'
import type { Request } from '../request/request.ts'
import { BEARER_SUBPROTOCOL, subprotocolsBeginning, SUBPROTOCOLS } from '../request/subprotocols.ts'
import type { HeaderPair } from './transformer.ts'

/** Headers removed by name. */
export const STRIPPED_NAMES: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'dpop', // RFC 9449: the proof beside a token
  'x-forwarded-client-cert', // Envoy's own, also removed there (SANITIZE)
  'client-cert', // RFC 9440
  'client-cert-chain',
  'audit-id', // Kubernetes' request id, which we set to the decision id
  // Headlamp's, and what proxies for logging in (oauth2-proxy and others) tell.
  'x-forwarded-user',
  'x-forwarded-group',
  'x-forwarded-groups',
  'x-forwarded-email',
  'x-forwarded-preferred-username',
  'x-forwarded-id-token',
  'x-forwarded-access-token',
]

/** Headers removed by how they begin. */
export const STRIPPED_PREFIXES: readonly string[] = [
  'x-remote-', // Kubernetes authenticating proxy: -user, -uid, -group, -extra-*
  'impersonate-', // Kubernetes impersonation: -user, -uid, -group, -extra-*
  'x-cert-', // certificate details
  'x-webauth-', // Grafana's authenticating proxy
  'x-countersign-',
]

/** Some frameworks take these for the method and the path, and it was others that were judged. */
export const OVERRIDES: readonly string[] = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]

/** Headers in which a proxy says where the request came from. */
export const ORIGIN_NAMES: readonly string[] = ['forwarded', 'x-real-ip']

/** Others of the kind. Envoy adds its own account to X-Forwarded-For. */
export const ORIGIN_PREFIX = 'x-forwarded-'

/**
 * Headers by which a caller could steer Envoy's router: timeouts, retries, and the end of a stream
 * at the expiry of its credential. Envoy removes some of them from callers that are not internal.
 */
export const ENVOY_PREFIX = 'x-envoy-'

const names: ReadonlySet<string> = new Set([...STRIPPED_NAMES, ...OVERRIDES])

/** Whether a header is removed, whatever its spelling: `X.Remote_User` counts as `x-remote-user`. */
export const isStripped = (name: string): boolean => {
  const canonical = canonicalName(name)
  if (names.has(canonical)) return true
  if (STRIPPED_PREFIXES.some((prefix) => canonical.startsWith(prefix))) return true
  return canonical !== name && canonical !== name.toLowerCase() && isWrittenByProxies(canonical)
}

/** Envoy and the proxies in front write these, under these very names; another spelling is forged. */
const isWrittenByProxies = (canonical: string): boolean =>
  canonical.startsWith(ORIGIN_PREFIX) ||
  canonical.startsWith(ENVOY_PREFIX) ||
  ORIGIN_NAMES.includes(canonical)

/** What is stripped on a route beyond what is stripped from every request, and what is not. */
export interface CredentialPlaces {
  /** Headers, by their canonical names. */
  readonly headers: ReadonlySet<string>
  /** Parameters of the query; `undefined` where there are none. */
  readonly parameters: SecretParameters | undefined
  /** The headers that go on as they came (`passthrough`), by their lower-case names, in no other spelling. */
  readonly kept: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

/**
 * The places that must be stripped for these carriers; `undefined` where there is nothing more.
 *
 * @param ownHeaders those that the configuration sets on some route, by lower-case name
 */
export const placesOf = (
  carriers: readonly Carrier[],
  ownHeaders: readonly string[] = [],
): CredentialPlaces | undefined => {
  const headers = [...carriers.flatMap(headersOf), ...ownHeaders].filter(
    (name) => !isStripped(name),
  )
  const parameters = parametersAmong(carriers)
  if (headers.length === 0 && parameters === undefined) return undefined
  return { headers: new Set(headers.map(canonicalName)), parameters, kept: NONE }
}

/**
 * The same where the caller's credential goes on. A client certificate in a header does not: whose it
 * is, only a connection says. The proof beside a bound token goes with it.
 */
export const placesWithout = (
  carriers: readonly Carrier[],
  ownHeaders: readonly string[],
): CredentialPlaces => {
  const kept = carriers.flatMap((carrier) => {
    if (carrier.kind !== 'header') return carrier.kind === 'subprotocol' ? [SUBPROTOCOLS] : []
    return carrier.name === 'authorization' ? [carrier.name, 'dpop'] : [carrier.name]
  })
  const stripped = carriers.filter(({ kind }) => kind === 'connection')
  // What looks like a header that is kept is a second credential, which no authenticator has read.
  const headers = [...stripped.flatMap(headersOf), ...ownHeaders, ...kept].map(canonicalName)
  return { headers: new Set(headers), parameters: undefined, kept: new Set(kept) }
}

const headersOf = (carrier: Carrier): readonly string[] => {
  switch (carrier.kind) {
    case 'header':
      return [carrier.name]
    case 'connection':
      return carrier.header === undefined ? [] : [carrier.header]
    case 'query':
    case 'cookie': // see `withoutOurCookies`
    case 'subprotocol': // see `subprotocolsFor`
      return []
  }
}

/**
 * The names, as spelt in the request, of the headers that must not reach the upstream.
 *
 * @param places what else is stripped on the route, and what is not
 */
export const strippedFrom = (headers: Headers, places?: CredentialPlaces): readonly string[] => {
  const found = headers.lines.filter(({ name }) => isGone(name, places)).map(({ name }) => name)
  return found.length > 1 ? [...new Set(found)] : found
}

const isGone = (name: string, places: CredentialPlaces | undefined): boolean => {
  if (places === undefined) return isStripped(name)
  if (places.kept.has(name.toLowerCase())) return false
  return places.headers.has(canonicalName(name)) || isStripped(name)
}

/**
 * What replaces the target of the request, and the Referer of a page whose address holds such a
 * parameter, so that none of the route's parameters reaches the upstream.
 *
 * Envoy's `query_parameters_to_remove` would not do (measured, 1.40.0): it finds a name by its bytes
 * alone, puts what is left into the order of the names, and makes `b=` of `b`.
 */
export const withoutParameters = (
  { headers, query, rawPath }: Request,
  parameters: SecretParameters,
): readonly HeaderPair[] => {
  const replaced: HeaderPair[] = []
  const kept = parameters.takenFrom(query)
  if (kept !== undefined) replaced.push([':path', kept === '' ? rawPath : `${rawPath}?${kept}`])
  const referer = headers.get('referer')?.toString('latin1') ?? ''
  const mark = referer.indexOf('?')
  // One that is too long to look at goes without its query, whatever that holds.
  if (
    mark !== -1 &&
    (referer.length > LONGEST_REFERER || parameters.areIn(referer.slice(mark + 1)))
  ) {
    replaced.push(['referer', VISIBLE_ASCII.exec(referer.slice(0, mark))?.[0] ?? ''])
  }
  return replaced
}

// Chromium and Firefox send an origin alone where the address is longer than 4 KiB.
const LONGEST_REFERER = 8_192

const VISIBLE_ASCII = /^[\x21-\x7e]*/

/**
 * What becomes of the cookies, of which ours go no further, on any route; `undefined` where there are
 * none of ours. An empty list is a header to be removed.
 */
export const withoutOurCookies = (headers: Headers): HeaderPair | undefined => {
  const kept = cookiesWithoutOurs(headers)
  return kept === undefined ? undefined : ['cookie', kept]
}

/**
 * The subprotocols that a WebSocket client offers, without those that are credentials; `undefined`
 * where there are none of that kind. An empty list is a header to be removed.
 */
export const subprotocolsFor = (
  headers: Headers,
  places?: CredentialPlaces,
): HeaderPair | undefined => {
  if (headers.get(SUBPROTOCOLS) === undefined) return undefined
  if (places?.kept.has(SUBPROTOCOLS) === true) return undefined
  const offered = subprotocolsBeginning(headers, BEARER_SUBPROTOCOL)
  return offered && [SUBPROTOCOLS, offered.others]
}
