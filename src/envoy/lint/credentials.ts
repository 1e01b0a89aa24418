// The credentials of countersign.yaml that Envoy must pass on: which of them it has to send to
// authz, and from which place.

import { authenticatorsNamed } from '../../configuration/route-authenticators.ts'
import { locationsOf } from '../../authenticate/kinds.ts'
import type { AuthenticatorConfig } from '../../authenticate/schema.ts'
import type { Config } from '../../configuration/schema.ts'

/** A place for a credential. */
type Place =
  | { readonly kind: 'header'; readonly name: string }
  /** A parameter of the query, which authz takes out of the path. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** The client certificate of the TLS connection. */
  | { readonly kind: 'connection-certificate' }
  /** X-Forwarded-Client-Cert. */
  | {
      readonly kind: 'forwarded-certificate'
      readonly element: 'only' | 'last'
      /** Whether intermediate certificates have to be in the header, since no file has them. */
      readonly chain: boolean
    }
  /** Client-Cert and Client-Cert-Chain (RFC 9440). */
  | { readonly kind: 'client-cert' }

/** Where an authenticator takes its credential from. */
export type Credential = Place & {
  /** The authenticator's name. */
  readonly authenticator: string
}

/** The credentials of every route, by its name. */
export const credentialsByRoute = ({
  routes,
  authenticators,
}: Config): ReadonlyMap<string, readonly Credential[]> =>
  new Map(
    routes.map((route) => [
      route.name,
      authenticatorsNamed(route).flatMap((authenticator) =>
        placesOf(authenticators[authenticator]).map((place) => ({ ...place, authenticator })),
      ),
    ]),
  )

const placesOf = (config: AuthenticatorConfig | undefined): readonly Place[] => {
  if (config === undefined) return []
  return locationsOf(config).flatMap((location): readonly Place[] => {
    switch (location.kind) {
      case 'header':
        return [{ kind: 'header', name: location.name }]
      case 'query':
        return [{ kind: 'parameter', name: location.name }]
      case 'cookie':
        return [{ kind: 'header', name: 'cookie' }]
      case 'connection':
        return certificatePlaces(location.header, config.certificate)
      case 'subprotocol':
        return [] // Envoy has no part in these
    }
  })
}

const certificatePlaces = (
  header: string | undefined,
  config: AuthenticatorConfig['certificate'],
): readonly Place[] => {
  if (header === undefined) return [{ kind: 'connection-certificate' }]
  if (config?.from === 'client-cert') {
    return header === 'client-cert' ? [{ kind: 'client-cert' }] : [] // with its chain
  }
  if (config === undefined) return []
  const { element, intermediates } = config
  return [{ kind: 'forwarded-certificate', element, chain: intermediates === undefined }]
}
