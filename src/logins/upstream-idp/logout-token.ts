// The logout tokens of upstream IdPs (OpenID Connect Back-Channel Logout 1.0 §2.4). The sender proves nothing else, so
// every check of the specification is made.

import { jwtVerify, type JWTVerifyGetKey } from 'jose'
import { claimsIn } from '../../identity/claims.ts'
import { SIGNATURE_ALGORITHMS } from '../../keys/algorithm.ts'
import { isJsonObject } from '../../runtime/json-object.ts'

/** The subject of a logout there. */
export interface LogoutToken {
  /** `sid`: only the session of that name. */
  readonly session: string | undefined
  /** `sub`: without a `sid`, every session of that user. */
  readonly subject: string | undefined
  /** `jti`. */
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly expires: number
}

/** What a token must satisfy. */
export interface LogoutTokenRules {
  readonly issuer: string
  readonly clientId: string
  readonly keys: JWTVerifyGetKey
  /** The tolerated difference of clocks, in seconds. */
  readonly tolerance: number
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

// §2.4 recommends two minutes.
const OLDEST_S = 600

/**
 * Reads one.
 *
 * @throws Error that says what is wrong with it, or that its keys are unavailable
 */
export const readLogoutToken = async (
  text: string,
  rules: LogoutTokenRules,
): Promise<LogoutToken> => {
  const { payload } = await jwtVerify(text, rules.keys, {
    issuer: rules.issuer,
    audience: rules.clientId,
    algorithms: [...SIGNATURE_ALGORITHMS], // neither "none" nor the symmetric ones
    clockTolerance: rules.tolerance,
    maxTokenAge: OLDEST_S,
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
  })
  const { jti = '', exp = 0 } = payload
  const { events, nonce, sid, sub } = claimsIn(text) ?? {}
  if (!isJsonObject(events) || !isJsonObject(events[EVENT])) throw new Error('is about no logout')
  // §2.4: or an ID token could pass for one.
  if (nonce !== undefined) throw new Error('has a "nonce"')
  const session = typeof sid === 'string' ? sid : undefined
  const subject = typeof sub === 'string' ? sub : undefined
  if (session === undefined && subject === undefined) {
    throw new Error('has neither "sid" nor "sub"')
  }
  return { session, subject, id: jti, expires: exp * 1_000 }
}
