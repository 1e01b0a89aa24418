// What is removed from every request before headers are set: each header that authz might ever set,
// the caller's own credential, and what would turn it into another request than the one that was judged.
// The list covers all presets, used or not, so that switching one on can never trust what a caller sent
// a moment ago; what a configuration names itself comes to it (`own-headers.ts`).

import { parametersAmong, type CredentialLocation } from '../request/credential-location.ts'
import { cookiesWithoutOurs } from '../request/cookies.ts'
import { canonicalName } from '../request/canonical-name.ts'
import { MARK, type HeaderName } from '../request/header-name.ts'
import type { Headers } from '../request/headers.ts'
import type { SecretParameters } from '../request/query.ts'
import type { Request } from '../request/request.ts'
import { BEARER_SUBPROTOCOL, subprotocolsBeginning, SUBPROTOCOLS } from '../request/subprotocols.ts'
import { isStripped } from '../request/stripped-headers.ts'
import type { HeaderPair } from './transformer.ts'

/** What is stripped on a route beyond what is stripped from every request, and what is not. */
export interface CredentialPlaces {
  /** Headers, by their canonical names. */
  readonly headers: ReadonlySet<string>
  /** Parameters of the query; `undefined` where there are none. */
  readonly parameters: SecretParameters | undefined
  /** The headers that are forwarded as received (`passthrough`), by their lower-case names, in no other spelling. */
  readonly kept: ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

/**
 * The places that must be stripped for these locations; `undefined` where there is nothing more.
 *
 * @param ownHeaders those that the configuration sets on some route, by lower-case name
 */
export const placesOf = (
  locations: readonly CredentialLocation[],
  ownHeaders: readonly string[] = [],
): CredentialPlaces | undefined => {
  const headers = [...locations.flatMap(headersOf), ...ownHeaders].filter(
    (name) => !isStripped(name),
  )
  const parameters = parametersAmong(locations)
  if (headers.length === 0 && parameters === undefined) return undefined
  return { headers: new Set(headers.map(canonicalName)), parameters, kept: NONE }
}

/**
 * The same where the caller's credential is forwarded. A client certificate in a header is not: only a
 * connection proves its owner. The proof of a bound token goes with it.
 */
export const placesWithout = (
  locations: readonly CredentialLocation[],
  ownHeaders: readonly string[],
): CredentialPlaces => {
  const kept = locations.flatMap((location) => {
    if (location.kind !== 'header') return location.kind === 'subprotocol' ? [SUBPROTOCOLS] : []
    return location.name === 'authorization' ? [location.name, 'dpop'] : [location.name]
  })
  const stripped = locations.filter(({ kind }) => kind === 'connection')
  // What looks like a header that is kept is a second credential, which no authenticator has read.
  const headers = [...stripped.flatMap(headersOf), ...ownHeaders, ...kept].map(canonicalName)
  return { headers: new Set(headers), parameters: undefined, kept: new Set(kept) }
}

const headersOf = (location: CredentialLocation): readonly string[] => {
  switch (location.kind) {
    case 'header':
      return [location.name]
    case 'connection':
      return location.header === undefined ? [] : [location.header]
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
  if (places === undefined && (headers.marks & MARK.stripped) === 0) return NOTHING
  let found = NOTHING
  for (const { about } of headers.lines) {
    if (!isGone(about, places) || found.includes(about.name)) continue
    found = found.length === 0 ? about.alone : [...found, about.name]
  }
  return found
}

const isGone = (
  { lowerCase, canonical, isStripped: always }: HeaderName,
  places: CredentialPlaces | undefined,
): boolean => {
  if (places === undefined) return always
  if (places.kept.has(lowerCase)) return false
  return always || places.headers.has(canonical)
}

const NOTHING: readonly string[] = []

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
  const referer = headers.text('referer') ?? ''
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
 * What replaces the cookies, since Countersign's are never forwarded; `undefined` where there are
 * none of them. An empty list is a header to be removed.
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
  if ((headers.marks & MARK.subprotocols) === 0) return undefined
  if (places?.kept.has(SUBPROTOCOLS) === true) return undefined
  const offered = subprotocolsBeginning(headers, BEARER_SUBPROTOCOL)
  return offered && [SUBPROTOCOLS, offered.others]
}
