// Whether a signed JWT is valid (RFC 7519 §7.2, RFC 8725, RFC 9068 §4): first the checks without a key, so that a
// token that fails them costs no signature and no fetch of keys; then the signature.

import type { Condition } from '../../expression/cel.ts'
import type { Claims } from '../../identity/claims.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import { andThen, type MaybePromise } from '../../runtime/maybe-promise.ts'
import type { RejectionCode } from '../authenticator.ts'
import { audienceDetail, keyIdDetail, memberDetail, timeDetail } from '../required-and-found.ts'
import { isAlgorithm, isSignedBy, type Algorithm } from '../../keys/algorithm.ts'
import type { Keys, VerificationKey } from './keys.ts'
import { isTime, type Token } from './token.ts'

/** The requirements of a token. */
export interface TokenRules {
  /** The accepted `iss`, character by character (RFC 8725 §3.8). */
  readonly issuer: string
  /** `aud` must contain at least one of them (RFC 8725 §3.9). Never empty. */
  readonly audiences: readonly string[]
  /**
   * `access`: only RFC 9068 access tokens (`typ: at+jwt`), so that ID tokens are refused. `any`: also those with `typ:
   * JWT` or none, which most issuers use for access and ID tokens alike; the audience, and {@link TokenRules.require},
   * must then distinguish them.
   */
  readonly kind: 'access' | 'any'
  readonly algorithms: readonly Algorithm[]
  /** The tolerated difference of clocks, in milliseconds. */
  readonly skew: number
  /** A further condition on the claims. */
  readonly require?: Condition | undefined
}

/** A token that is valid if its signature is. */
export interface PlausibleToken {
  readonly token: Token
  readonly algorithm: Algorithm
  readonly keyId: string | undefined
  readonly subject: string
  /** `exp`, in milliseconds. */
  readonly expires: number
}

type TokenCheck =
  | { readonly outcome: 'plausible'; readonly plausible: PlausibleToken }
  | ({ readonly outcome: 'rejected' } & TokenRefusal)

/** Why a token is refused. */
export interface TokenRefusal {
  readonly code: RejectionCode
  /** What was required and what was found. */
  readonly detail?: string
}

const rejected = (code: RejectionCode, detail?: string): TokenCheck => ({
  outcome: 'rejected',
  ...refusal(code, detail),
})

const refusal = (code: RejectionCode, detail?: string): TokenRefusal =>
  detail === undefined ? { code } : { code, detail }

/**
 * Checks everything of a token except its issuer and its signature.
 *
 * @param now milliseconds since the epoch
 */
export const checkToken = (token: Token, rules: TokenRules, now: number): TokenCheck => {
  const { header, claims } = token
  const { alg, kid, crit } = header
  // RFC 7515 §4.1.11: no extension is understood. RFC 7797 §6: b64 must be listed in crit.
  if (crit !== undefined || 'b64' in header) return rejected('credential-malformed')
  if (kid !== undefined && typeof kid !== 'string') return rejected('credential-malformed')
  if (!isAlgorithm(alg) || !rules.algorithms.includes(alg)) {
    return rejected('token-algorithm', memberDetail('algorithm', rules.algorithms, alg))
  }
  if (!isOfKind(header, rules.kind)) {
    return rejected('token-type', memberDetail('type', TYPES[rules.kind], header['typ']))
  }
  const { aud, sub, exp: end } = claims
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!rules.audiences.some((one) => audiences.includes(one))) {
    return rejected('token-audience', audienceDetail(rules.audiences, aud))
  }
  if (end === undefined) return rejected('token-claims') // it would never expire
  const times = readTimes(claims)
  if (times === undefined) return rejected('credential-malformed')
  const { exp, nbf, iat } = times
  // RFC 7519 §4.1.4: "on or after which" it must not be accepted.
  if (exp + rules.skew <= now) {
    return rejected('token-expired', timeDetail('expired', exp, now, rules.skew))
  }
  // A token from the future was issued by a clock that makes its exp unreliable, too.
  const from = Math.max(nbf, iat)
  if (from > now + rules.skew) {
    return rejected('token-not-yet-valid', timeDetail('valid from', from, now, rules.skew))
  }
  if (typeof sub !== 'string' || sub === '') return rejected('token-claims')
  return {
    outcome: 'plausible',
    plausible: { token, algorithm: alg, keyId: kid, subject: sub, expires: exp },
  }
}

const TYPES = { access: ['at+jwt'], any: ['JWT', 'at+jwt'] } as const

/** RFC 7515 §4.1.9: a media type, case-insensitive, with an optional "application/". */
const isOfKind = ({ typ }: JsonObject, kind: TokenRules['kind']): boolean => {
  if (typ === undefined) return kind === 'any'
  if (typeof typ !== 'string') return false
  // Not other kinds of JWT: logout tokens, DPoP proofs, security events (RFC 8725 §3.11).
  const type = typ.toLowerCase().replace(/^application\//, '')
  return type === 'at+jwt' || (kind === 'any' && type === 'jwt')
}

/** The times, in milliseconds; `undefined` when one is not a time. */
const readTimes = ({
  exp,
  nbf = 0,
  iat = 0,
}: Claims): { readonly exp: number; readonly nbf: number; readonly iat: number } | undefined =>
  isTime(exp) && isTime(nbf) && isTime(iat)
    ? { exp: exp * 1_000, nbf: nbf * 1_000, iat: iat * 1_000 }
    : undefined

/**
 * Why a plausible token is refused after all; `undefined` when its signature and the condition hold. A promise only
 * where verifying the signature takes a millisecond.
 */
export const refusalOf = (
  { token, algorithm, keyId }: PlausibleToken,
  keys: Keys,
  { require }: TokenRules,
): MaybePromise<TokenRefusal | undefined> => {
  const candidates = keys.candidates(keyId, algorithm)
  if (candidates.length === 0) {
    return refusal('token-key-unknown', keyIdDetail(keyId, algorithm, keys.ids))
  }
  return andThen(isSignedByOne(candidates, algorithm, token), (isSigned) => {
    if (!isSigned) return refusal('token-signature')
    return require === undefined || require.evaluate({ claims: token.claims }) === true
      ? undefined
      : refusal('token-claims')
  })
}

/** Whether one of the keys made the signature; each is tried only where those before it did not. */
const isSignedByOne = (
  [first, ...others]: readonly VerificationKey[],
  algorithm: Algorithm,
  token: Token,
): MaybePromise<boolean> => {
  if (first === undefined) return false
  return andThen(
    isSignedBy(algorithm, first.key, token.signed, token.signature),
    (isSigned) => isSigned || isSignedByOne(others, algorithm, token),
  )
}
