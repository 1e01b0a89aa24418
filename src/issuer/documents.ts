// The public documents of the issuer: its metadata, and the keys that verify its tokens. Nothing else is public.

import type { PublishedKey, SigningKeySet } from '../keys/signing-key-set.ts'
import type { Page } from '../runtime/http/server.ts'
import { ENDPOINTS } from './http/paths.ts'

/** The public part of an issuer. */
export interface PublicIssuer {
  /** `iss`. */
  readonly url: string
  readonly keys: Pick<SigningKeySet, 'published' | 'algorithms'>
  /** For how long the documents may be kept, in milliseconds. */
  readonly maxAge: number
}

/** Where the documents of an issuer are, below the root of its host. */
export interface DocumentPaths {
  /** OpenID Connect Discovery 1.0 §4. */
  readonly discovery: string
  /** RFC 8414 §3.1, where a path of the issuer comes last. */
  readonly metadata: string
  /** `jwks_uri`. */
  readonly keys: string
}

/** The paths for an issuer's URL. */
export const documentPaths = (issuer: string): DocumentPaths => {
  const path = new URL(issuer).pathname.replace(/\/$/, '')
  return {
    discovery: `${path}/.well-known/openid-configuration`,
    metadata: `/.well-known/oauth-authorization-server${path}`,
    keys: `${path}/jwks`,
  }
}

/** Whether one of the documents is at a path, whichever part serves it. */
export const isDocumentPath = (
  path: string,
  issuer: Pick<PublicIssuer, 'url'> | undefined,
): boolean =>
  path === ENDPOINTS.jwks ||
  (issuer !== undefined && Object.values(documentPaths(issuer.url)).includes(path))

/**
 * The document at a path; `undefined` where there is none.
 *
 * @param served whether an authorization server serves its own metadata, so that only the keys are left
 */
export const documentAt = (
  path: string,
  issuer: PublicIssuer,
  served = false,
): Page | undefined => {
  const { discovery, metadata, keys } = documentPaths(issuer.url)
  switch (path) {
    case discovery:
    case metadata:
      return served ? undefined : page('application/json', discoveryDocument(issuer), issuer)
    case keys:
      // RFC 7517 §8.5.1.
      return page('application/jwk-set+json', keySet(issuer), issuer)
    default:
      return undefined
  }
}

/**
 * As of Kubernetes' own service account issuer: without logins there are no endpoints (kubernetes.io, "ServiceAccount issuer discovery").
 */
const discoveryDocument = ({ url, keys }: PublicIssuer) => ({
  issuer: url,
  jwks_uri: `${url.replace(/\/$/, '')}/jwks`,
  response_types_supported: ['id_token'],
  grant_types_supported: [],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [...keys.algorithms],
})

const keySet = ({ keys }: PublicIssuer): { readonly keys: readonly PublishedKey[] } => ({
  keys: keys.published(),
})

const page = (type: string, document: object, { maxAge }: PublicIssuer): Page => ({
  status: 200,
  type,
  body: JSON.stringify(document),
  headers: { 'cache-control': `public, max-age=${Math.floor(maxAge / 1_000)}` },
})
