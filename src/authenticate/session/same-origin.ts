// A browser sends its cookie with requests of every page, and `SameSite` admits all hosts of the domain. So unsafe
// methods and WebSockets must come from a page of the host itself.

import type { Request } from '../../request/request.ts'
import { andThen } from '../../runtime/maybe-promise.ts'
import type { Authenticator } from '../authenticator.ts'

// RFC 9110 §9.2.1. No script of another origin can read the answers.
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The authenticator, for requests from pages of the host, or from none.
 *
 * @param origins further ones whose pages are accepted
 */
export const sameOriginOnly = (
  authenticator: Authenticator,
  origins: ReadonlySet<string>,
): Authenticator => ({
  ...authenticator,
  authenticate(request, signal) {
    return andThen(authenticator.authenticate(request, signal), (authentication) => {
      const proven = authentication.outcome === 'authenticated'
      return proven && isForged(request, origins) ? CROSS_ORIGIN : authentication
    })
  },
})

const CROSS_ORIGIN = { outcome: 'rejected', code: 'cross-origin' } as const

const isForged = ({ method, host, headers }: Request, origins: ReadonlySet<string>): boolean => {
  if (SAFE_METHODS.has(method) && headers.get('upgrade') === undefined) return false
  // Only browsers send Fetch Metadata; without it, and for WebSockets, they send `Origin` (RFC 6454 §7).
  const site = headers.text('sec-fetch-site')
  if (site === 'same-origin' || site === 'none') return false
  const origin = headers.text('origin')
  if (origin === undefined) return site !== undefined
  return !origins.has(origin) && (site !== undefined || !isOf(host, origin))
}

/** Whether an origin is one of the host, on any port: cookies do not distinguish ports. */
const isOf = (host: string, origin: string): boolean => {
  const url = URL.parse(origin)
  return url?.protocol === 'https:' && url.hostname === host
}
