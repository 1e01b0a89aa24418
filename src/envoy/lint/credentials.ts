// What countersign.yaml says of credentials that Envoy has a part in: which of them it has to bring to
// authz, and from where.

import { authenticatorsNamed } from '../../configuration/route-authenticators.ts'
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
  const { basic, bearer, introspection, tokenReview, apiKey, certificate, session } = config
  const schemes = [basic, bearer, introspection, tokenReview].filter((one) => one !== undefined)
  return [
    ...schemes.map((): Place => ({ kind: 'header', name: 'authorization' })),
    ...(bearer?.dpop === undefined ? [] : [{ kind: 'header', name: 'dpop' } as const]),
    ...(apiKey?.locations ?? []).flatMap(({ header, query }): readonly Place[] => [
      ...(header === undefined ? [] : [{ kind: 'header', name: header } as const]),
      ...(query === undefined ? [] : [{ kind: 'parameter', name: query } as const]),
    ]),
    ...(session === undefined ? [] : [{ kind: 'header', name: 'cookie' } as const]),
    ...(certificate === undefined ? [] : [certificatePlace(certificate)]),
  ]
}

const certificatePlace = ({
  from,
  element,
  intermediates,
}: NonNullable<AuthenticatorConfig['certificate']>): Place => {
  switch (from) {
    case 'connection':
      return { kind: 'connection-certificate' }
    case 'x-forwarded-client-cert':
      return { kind: 'forwarded-certificate', element, chain: intermediates === undefined }
    case 'client-cert':
      return { kind: 'client-cert' }
  }
}
