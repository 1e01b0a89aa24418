// The credential locations of a request: they are compared to find two credentials that contradict each other,
// and removed before the request is forwarded.

import { cookiesNamed } from './cookies.ts'
import { SecretParameters, valuesOf } from './query.ts'
import type { Request } from './request.ts'
import { subprotocolsBeginning } from './subprotocols.ts'

/** A place in a request that holds a credential. */
export type CredentialLocation =
  /** A header, by its lower-case name. */
  | { readonly kind: 'header'; readonly name: string }
  /** A parameter of the query. */
  | { readonly kind: 'query'; readonly name: string }
  /** One of the subprotocols that a WebSocket client offers, by how it begins. */
  | { readonly kind: 'subprotocol'; readonly prefix: string }
  /**
   * The TLS connection, whose client certificate names the client; reported by Envoy, or by
   * the proxy before it in a header. It goes with any other credential.
   */
  | { readonly kind: 'connection'; readonly header?: string }
  /** A cookie, by its name. Browsers send it with whatever else: it goes with any other credential. */
  | { readonly kind: 'cookie'; readonly name: string }

/** `Authorization` (RFC 9110 §11.6.2). */
export const AUTHORIZATION: CredentialLocation = { kind: 'header', name: 'authorization' }

/** A text that is equal for equal locations. */
export const locationKey = (location: CredentialLocation): string => {
  switch (location.kind) {
    case 'header':
    case 'query':
    case 'cookie':
      return `${location.kind} ${location.name}`
    case 'subprotocol':
      return `${location.kind} ${location.prefix}`
    case 'connection':
      return `${location.kind} ${location.header ?? ''}`
  }
}

/** The names of those that are parameters of the query. */
export const parameterNames = (locations: readonly CredentialLocation[]): readonly string[] =>
  locations.flatMap((location) => (location.kind === 'query' ? [location.name] : []))

/** Those of them that are parameters of the query; `undefined` where there are none. */
export const parametersAmong = (
  locations: readonly CredentialLocation[],
): SecretParameters | undefined => {
  const names = parameterNames(locations)
  return names.length === 0 ? undefined : new SecretParameters(names)
}

/** Whether the request holds something there. */
export const holds = (
  { headers, query, peerCertificate }: Request,
  location: CredentialLocation,
): boolean => {
  switch (location.kind) {
    case 'header':
      return headers.get(location.name) !== undefined
    case 'query':
      // As it is spelt: what could be taken for it is refused before (chain.ts).
      return valuesOf(query, location.name).length > 0
    case 'subprotocol':
      return subprotocolsBeginning(headers, location.prefix) !== undefined
    case 'cookie':
      return cookiesNamed(headers, location.name).length > 0
    case 'connection':
      return location.header === undefined
        ? peerCertificate !== ''
        : headers.get(location.header) !== undefined
  }
}
