// The scopes that operations need and tokens have.

import type { Scopes } from './operation.ts'

/** Whether one of the alternatives is granted whole. */
export const hasScopes = (alternatives: Scopes, granted: ReadonlySet<string>): boolean =>
  alternatives.some((scopes) => scopes.every((scope) => granted.has(scope)))

/**
 * The scopes of a token, by its claims: `scope`, separated by spaces (RFC 8693 §4.2, RFC 9068
 * §2.2.3), or `scp`, as Entra ID and Okta have it: the same or a list. None without claims.
 */
export const grantedScopes = (
  claims: Readonly<Record<string, unknown>> | undefined,
): ReadonlySet<string> => new Set([claims?.['scope'], claims?.['scp']].flatMap(scopesIn))

const scopesIn = (claim: unknown): readonly string[] => {
  if (typeof claim === 'string') return claim.split(' ').filter((scope) => scope !== '')
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === 'string') : []
}
