// Whether a token of Countersign's own issuer has ended before it expires: its login has ended, or its user was signed
// out after it was issued. A JWT does not contain that, and is verified without a lookup.

import { LRUCache } from 'lru-cache'
import type { Claims } from '../../identity/claims.ts'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { RevocationMarks } from '../../logins/revocation-marks.ts'

/**
 * Whether a token has ended, by its claims.
 *
 * @throws CountersignError `unavailable` when it is undetermined
 */
export type EndedTokenCheck = (claims: Claims) => Promise<boolean>

/** The sources of the status. */
export interface EndedTokenCheckParts {
  /** For tokens with `grant_id`, which the authorization server issued: the status of the login of the grant. */
  readonly grant: LoginStatusLookup
  /** For tokens without it, such as those that routes mint. */
  readonly revocationMarks: Pick<RevocationMarks, 'lastOf'>
  /** For how long an answer is cached, in milliseconds; 0: for this request alone. */
  readonly cacheTtl: number
}

/** Makes the check, with its cache. */
export const endedTokenCheck = ({
  grant,
  revocationMarks,
  cacheTtl,
}: EndedTokenCheckParts): EndedTokenCheck => {
  const statusOf = remembering(grant, cacheTtl)
  const lastOf = remembering(async (user: string) => await revocationMarks.lastOf(user), cacheTtl)
  return async ({ sub, iat, grant_id: grantId }) => {
    // A sign-out of the user ends the login of the grant, too.
    if (typeof grantId === 'string') return (await statusOf(grantId)) === 'ended'
    // In whole seconds, rounded down: of a token and a sign-out within one second, the order is unknown.
    const issued = typeof iat === 'number' ? iat * 1_000 : 0
    return typeof sub !== 'string' || issued <= (await lastOf(sub))
  }
}

const MOST_REMEMBERED = 10_000

type Ask<T> = (key: string) => Promise<T>

const remembering = <T extends string | number>(ask: Ask<T>, milliseconds: number): Ask<T> => {
  if (milliseconds === 0) return ask
  const answers = new LRUCache<string, T>({
    max: MOST_REMEMBERED,
    ttl: milliseconds,
    fetchMethod: ask,
  })
  return async (key) => (await answers.fetch(key)) ?? (await ask(key))
}
