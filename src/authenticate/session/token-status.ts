// Whether a token of our own issuer is over before it expires: its login has ended, or its user was signed
// out since it was made. A JWT does not say so itself, and is proven without being looked up.

import { LRUCache } from 'lru-cache'
import type { Claims } from '../../identity/claims.ts'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { RevocationMarks } from '../../logins/revocation-marks.ts'

/**
 * Whether a token is over, by its claims.
 *
 * @throws CountersignError `unavailable` when it is undetermined
 */
export type EndedTokenCheck = (claims: Claims) => Promise<boolean>

/** Who knows. */
export interface EndedTokenCheckParts {
  /** Of the login that a grant was given in: of tokens with `grant_id`, which are of the authorization server. */
  readonly grant: LoginStatusLookup
  /** Of tokens without it, such as those that routes mint. */
  readonly revocationMarks: Pick<RevocationMarks, 'lastOf'>
  /** For how long an answer is remembered, in milliseconds; 0: for this request alone. */
  readonly remember: number
}

/** Asks them, and remembers the answers. */
export const endedTokenCheck = ({
  grant,
  revocationMarks,
  remember,
}: EndedTokenCheckParts): EndedTokenCheck => {
  const statusOf = remembering(grant, remember)
  const lastOf = remembering(async (user: string) => await revocationMarks.lastOf(user), remember)
  return async ({ sub, iat, grant_id: grantId }) => {
    // It was given in a login, which has ended too where everything of its user was.
    if (typeof grantId === 'string') return (await statusOf(grantId)) === 'ended'
    // In whole seconds, rounded down: of two within one, which was first is not known.
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
