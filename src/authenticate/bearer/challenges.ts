// What a bearer authenticator writes into `WWW-Authenticate`: how to show a token, and, once one was
// shown in vain, the error code of the RFC (RFC 6750 §3, RFC 9449 §7.1).
//
// Only the code. A description (`error_description`) would tell whoever tries tokens out how far one
// has come, and clients do the same in every case: they get a new token. Audit has the reason.

import type { Algorithm } from '../../keys/algorithm.ts'
import type { TokenScheme } from './bearer-credentials.ts'

/** The challenges of an authenticator. */
export interface TokenChallenges {
  /** Those of a request without a token; they have no error (RFC 6750 §3.1). */
  readonly invitations: readonly string[]
  /** The one that takes the place of its invitation once a token was rejected. */
  after(code: string, scheme: TokenScheme): string
}

/** What there is to know of DPoP. */
interface DpopChallenge {
  readonly algorithms: readonly Algorithm[]
  /** Whether plain bearer tokens are refused, and so not asked for. */
  readonly require: boolean
}

/**
 * Makes the challenges.
 *
 * @param realm fit to stand between quotes
 */
export const tokenChallenges = (
  realm: string,
  dpop: DpopChallenge | undefined,
): TokenChallenges => {
  const bearer = `Bearer realm="${realm}"`
  if (dpop === undefined) {
    return { invitations: [bearer], after: () => `${bearer}, error="invalid_token"` }
  }
  const bound = `DPoP realm="${realm}", algs="${dpop.algorithms.join(' ')}"`
  const after: TokenChallenges['after'] = (code, scheme) => {
    if (code.startsWith('proof-')) return `${bound}, error="invalid_dpop_proof"`
    const invitation = scheme === 'bearer' && !dpop.require ? bearer : bound
    return `${invitation}, error="invalid_token"`
  }
  return { invitations: dpop.require ? [bound] : [bearer, bound], after }
}
