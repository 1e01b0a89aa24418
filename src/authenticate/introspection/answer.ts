// Evaluates an introspection response (RFC 7662 §2.2): the authorization server answers for every audience, so issuer,
// audience, times and type are checked here as well.

import { requiredDetail, timeDetail } from '../required-and-found.ts'
import type { Condition } from '../../expression/cel.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { RejectionCode } from '../authenticator.ts'
import { isTime } from '../bearer/token.ts'

/** The requirements of an active token. */
export interface ResponseRules {
  /** The accepted `iss`, where the response has one, character by character. */
  readonly issuer: string
  /** `aud` must contain at least one of them. Never empty. */
  readonly audiences: readonly string[]
  /**
   * The outcome of a response without `aud`. `accept` is for servers that never send it, and answer only the client
   * that a token was issued to.
   */
  readonly audienceMissing: 'refuse' | 'accept'
  /** The member that names the user. */
  readonly subject: 'sub' | 'username' | 'client_id'
  /** The tolerated difference of clocks, in milliseconds. */
  readonly skew: number
  /** A further condition on the response. */
  readonly require?: Condition | undefined
}

/** The evaluation of a response. */
export type ResponseEvaluation =
  | {
      readonly outcome: 'good'
      readonly subject: string
      /** `exp`, in milliseconds; absent where the token does not expire. */
      readonly expires: number | undefined
    }
  | {
      readonly outcome: 'rejected'
      readonly code: RejectionCode
      /** What was required and what was found. */
      readonly detail?: string
      /** The user of an active token. */
      readonly subject?: string
    }
  /** Not a response by RFC 7662, so the status of the token is unknown. */
  | { readonly outcome: 'malformed'; readonly what: string }

const rejected = (code: RejectionCode): ResponseEvaluation => ({ outcome: 'rejected', code })
const malformed = (what: string): ResponseEvaluation => ({ outcome: 'malformed', what })

/**
 * Evaluates a response. Pure; never throws.
 *
 * @param now milliseconds since the epoch
 */
export const evaluateResponse = (
  answer: JsonObject,
  rules: ResponseRules,
  now: number,
): ResponseEvaluation => {
  const { active } = answer
  // §2.2: a boolean. A server that sends "true" may send "false", too, and both are truthy strings.
  if (typeof active !== 'boolean') return malformed('"active" is not a boolean')
  // Other members of such a response are ignored (§2.2: it should have none).
  if (!active) return rejected('token-inactive')
  const { exp, nbf = 0, iat = 0 } = answer
  if (!isTime(nbf) || !isTime(iat) || !(exp === undefined || isTime(exp))) {
    return malformed('"exp", "nbf" or "iat" is not a time')
  }
  const subject = answer[rules.subject]
  const named = typeof subject === 'string' && subject !== ''
  const refusal = refusalOf(answer, { exp, nbf, iat }, rules, now)
  if (refusal !== undefined) {
    return { outcome: 'rejected', ...refusal, ...(named ? { subject } : {}) }
  }
  if (!named) return rejected('token-claims')
  return { outcome: 'good', subject, expires: exp === undefined ? undefined : exp * 1_000 }
}

interface Times {
  readonly exp: number | undefined
  readonly nbf: number
  readonly iat: number
}

type Refusal = Pick<Extract<ResponseEvaluation, { outcome: 'rejected' }>, 'code' | 'detail'>

const refusalOf = (
  answer: JsonObject,
  { exp, nbf, iat }: Times,
  rules: ResponseRules,
  now: number,
): Refusal | undefined => {
  const { iss, aud } = answer
  // One endpoint may answer for several issuers, whose subjects are different users.
  if (iss !== undefined && iss !== rules.issuer) {
    return { code: 'token-claims', detail: requiredDetail('issuer', [rules.issuer], iss) }
  }
  if (!isAccessToken(answer)) return { code: 'token-type' }
  if (hidesItsKey(answer)) return { code: 'token-binding' }
  if (!isForUs(answer, rules)) {
    return { code: 'token-audience', detail: requiredDetail('audience', rules.audiences, aud) }
  }
  if (exp !== undefined && exp * 1_000 + rules.skew <= now) {
    const detail = timeDetail('expired', exp * 1_000, now, rules.skew)
    return { code: 'token-expired', detail }
  }
  const from = Math.max(nbf, iat) * 1_000
  if (from > now + rules.skew) {
    const detail = timeDetail('valid from', from, now, rules.skew)
    return { code: 'token-not-yet-valid', detail }
  }
  const { require } = rules
  if (require !== undefined && require.evaluate({ claims: answer }) !== true) {
    return { code: 'token-claims' }
  }
  return undefined
}

// RFC 6749 §7.1: compared case-insensitively.
const TOKEN_TYPES: ReadonlySet<unknown> = new Set(['bearer', 'dpop'])
// Members beyond the standard: `token_use` of Ory Hydra, `typ` of Keycloak.
const USES: ReadonlySet<unknown> = new Set(['access_token', 'access'])
const TYPES: ReadonlySet<unknown> = new Set(['bearer', 'dpop', 'at+jwt', 'jwt'])

/** Endpoints answer for refresh tokens too, which must not be accepted as access tokens. */
const isAccessToken = ({ token_type: type, token_use: use, typ }: JsonObject): boolean =>
  isAmong(TOKEN_TYPES, type) && isAmong(USES, use) && isAmong(TYPES, typ)

/** RFC 9449 §6.2: a token of that type is bound to a key, which cannot be checked when `cnf` is missing. */
const hidesItsKey = ({ token_type: type, cnf }: JsonObject): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'dpop' && cnf === undefined

const isAmong = (known: ReadonlySet<unknown>, value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && known.has(value.toLowerCase()))

const isForUs = ({ aud }: JsonObject, { audiences, audienceMissing }: ResponseRules): boolean => {
  if (aud === undefined) return audienceMissing === 'accept'
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.some((audience) => named.includes(audience))
}
