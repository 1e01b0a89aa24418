// The request of a login: issuer, client, scope and audience. Equal requests, and only those, share an
// entry of the cache.

import { createHash } from 'node:crypto'
import { isConfidential } from '../../config/values.ts'
import { usageError } from '../usage-error.ts'

/** The parameters of a login. */
export interface LoginRequest {
  /** The `iss` of the provider, as {@link issuerOf} writes it. */
  readonly issuer: string
  readonly clientId: string
  /** Scopes, separated by spaces; without it, what the provider has of the usual ones. */
  readonly scope?: string
  /** The resource of the access token (RFC 8707). */
  readonly resource?: string
  /** The same, at providers that have `audience` in place of `resource`. */
  readonly audience?: string
}

/** How its provider is spoken to. */
export interface ProviderAccess {
  /** PEM file of the only certificate authorities to trust; default: those that Node trusts. */
  readonly ca?: string
  /** A file with the client's secret, at providers that give secrets to programs like this one. */
  readonly clientSecretFile?: string
}

/**
 * The issuer as we write it: `https://HOST[:PORT][/PATH]`, or `http` on a loopback address.
 *
 * @throws CountersignError `usage`
 */
export const issuerOf = (text: string): string => {
  const url = URL.parse(text)
  const shown = JSON.stringify(text)
  if (url === null)
    throw usageError(`${shown} is not a URL; an issuer is a URL such as https://id.example.org`)
  if (!isConfidential(url))
    throw usageError(`${shown} is not an https URL: tokens would be sent in the clear`)
  if (url.pathname.includes('/.well-known/')) {
    throw usageError(`${shown} is a document of an issuer: give the value of its "issuer"`)
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw usageError(`${shown} has more than host and path, which no issuer has`)
  }
  // Of a bare host the slash says nothing; of a path it is another issuer.
  return url.pathname === '/' ? url.origin : url.href
}

/** The name of its place in the cache: says nothing about what it is for, and fits any file system. */
export const nameOf = (request: LoginRequest): string => {
  const { issuer, clientId, scope, resource, audience } = request
  const scopes = scope?.split(' ').toSorted() ?? null
  const parts = [issuer, clientId, scopes, resource ?? null, audience ?? null]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
