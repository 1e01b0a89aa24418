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

/** A text that is equal for equal carriers. */
export const carrierKey = (carrier: CredentialLocation): string => {
  switch (carrier.kind) {
    case 'header':
    case 'query':
    case 'cookie':
      return `${carrier.kind} ${carrier.name}`
    case 'subprotocol':
      return `${carrier.kind} ${carrier.prefix}`
    case 'connection':
      return `${carrier.kind} ${carrier.header ?? ''}`
  }
}

/** The names of those that are parameters of the query. */
export const parameterNames = (carriers: readonly CredentialLocation[]): readonly string[] =>
  carriers.flatMap((carrier) => (carrier.kind === 'query' ? [carrier.name] : []))

/** Those of them that are parameters of the query; `undefined` where there are none. */
export const parametersAmong = (
  carriers: readonly CredentialLocation[],
): SecretParameters | undefined => {
  const names = parameterNames(carriers)
  return names.length === 0 ? undefined : new SecretParameters(names)
}

/** Whether the request holds something there. */
export const holds = (
  { headers, query, peerCertificate }: Request,
  carrier: CredentialLocation,
): boolean => {
  switch (carrier.kind) {
    case 'header':
      return headers.get(carrier.name) !== undefined
    case 'query':
      // As it is spelt: what could be taken for it is refused before (chain.ts).
      return valuesOf(query, carrier.name).length > 0
    case 'subprotocol':
      return subprotocolsBeginning(headers, carrier.prefix) !== undefined
    case 'cookie':
      return cookiesNamed(headers, carrier.name).length > 0
    case 'connection':
      return carrier.header === undefined
        ? peerCertificate !== ''
        : headers.get(carrier.header) !== undefined
  }
}
