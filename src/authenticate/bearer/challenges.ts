// The challenges of a bearer authenticator in `WWW-Authenticate`: the schemes, and, after a rejected token, the error
// code of the RFC (RFC 6750 §3, RFC 9449 §7.1).
//
// Without `error_description`, which would inform an attacker who tries tokens. Clients do the same for every
// description: they get a new token. Audit has the reason.

import type { Algorithm } from '../../keys/algorithm.ts'
import type { TokenScheme } from './bearer-credentials.ts'

/** The challenges of an authenticator. */
export interface TokenChallenges {
  /** Those of a request without a token; they have no error (RFC 6750 §3.1). */
  readonly invitations: readonly string[]
  /** The challenge that replaces the one of its scheme after a token was rejected. */
  after(code: string, scheme: TokenScheme): string
}

/** The DPoP settings that a challenge depends on. */
interface DpopChallenge {
  readonly algorithms: readonly Algorithm[]
  /** Whether plain bearer tokens are refused, and so have no challenge. */
  readonly require: boolean
}

/**
 * Makes the challenges.
 *
 * @param realm valid as a quoted-string
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
