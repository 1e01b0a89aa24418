// What an authorization server says of a token (RFC 7662 §2.2), judged again by us: it answers for
// every audience and says what it knows, and what we accept is ours to say.

import type { Condition } from '../../expression/cel.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { RejectionCode } from '../authenticator.ts'
import { isTime } from '../bearer/token.ts'

/** What an active token must be. */
export interface AnswerRules {
  /** `iss`, where the answer has one, character by character. */
  readonly issuer: string
  /** At least one of them must stand in `aud`. Never empty. */
  readonly audiences: readonly string[]
  /**
   * What becomes of an answer without any `aud`. `accept` is for servers that never say it, and
   * answer only the client that a token is for.
   */
  readonly audienceMissing: 'refuse' | 'accept'
  /** The member that names the user. */
  readonly subject: 'sub' | 'username' | 'client_id'
  /** How far clocks may be apart, in milliseconds. */
  readonly skew: number
  /** What else must hold of the answer. */
  readonly require?: Condition | undefined
}

/** What an answer comes to. */
export type AnswerJudgement =
  | {
      readonly outcome: 'good'
      readonly subject: string
      /** `exp`, in milliseconds; absent where the token does not end by itself. */
      readonly expires: number | undefined
    }
  | {
      readonly outcome: 'rejected'
      readonly code: RejectionCode
      /** Whom an active token names. */
      readonly subject?: string
    }
  /** No answer by RFC 7662, so nobody knows. */
  | { readonly outcome: 'malformed'; readonly what: string }

const rejected = (code: RejectionCode): AnswerJudgement => ({ outcome: 'rejected', code })
const malformed = (what: string): AnswerJudgement => ({ outcome: 'malformed', what })

/**
 * Judges an answer. Pure; never throws.
 *
 * @param now milliseconds since the epoch
 */
export const judgeAnswer = (
  answer: JsonObject,
  rules: AnswerRules,
  now: number,
): AnswerJudgement => {
  const { active } = answer
  // A boolean, says §2.2. Whoever writes "true" may as well write "false", and both are texts.
  if (typeof active !== 'boolean') return malformed('"active" is not a boolean')
  // Whatever else such an answer says is of no matter (§2.2: it should say nothing).
  if (!active) return rejected('token-inactive')
  const { exp, nbf = 0, iat = 0 } = answer
  if (!isTime(nbf) || !isTime(iat) || !(exp === undefined || isTime(exp))) {
    return malformed('"exp", "nbf" or "iat" is not a time')
  }
  const subject = answer[rules.subject]
  const named = typeof subject === 'string' && subject !== ''
  const code = refusalOf(answer, { exp, nbf, iat }, rules, now)
  if (code !== undefined) {
    return { outcome: 'rejected', code, ...(named ? { subject } : {}) }
  }
  if (!named) return rejected('token-claims')
  return { outcome: 'good', subject, expires: exp === undefined ? undefined : exp * 1_000 }
}

interface Times {
  readonly exp: number | undefined
  readonly nbf: number
  readonly iat: number
}

const refusalOf = (
  answer: JsonObject,
  { exp, nbf, iat }: Times,
  rules: AnswerRules,
  now: number,
): RejectionCode | undefined => {
  const { iss } = answer
  // One endpoint may answer for several issuers, and their subjects are not the same people.
  if (iss !== undefined && iss !== rules.issuer) return 'token-claims'
  if (!isAccessToken(answer)) return 'token-type'
  if (hidesItsKey(answer)) return 'token-binding'
  if (!isForUs(answer, rules)) return 'token-audience'
  if (exp !== undefined && exp * 1_000 + rules.skew <= now) return 'token-expired'
  if (Math.max(nbf, iat) * 1_000 > now + rules.skew) return 'token-not-yet-valid'
  const { require } = rules
  if (require !== undefined && require.evaluate({ claims: answer }) !== true) return 'token-claims'
  return undefined
}

// RFC 6749 §7.1 compares it without regard to case.
const TOKEN_TYPES: ReadonlySet<unknown> = new Set(['bearer', 'dpop'])
// What servers say beyond the standard: Ory Hydra `token_use`, Keycloak `typ`.
const USES: ReadonlySet<unknown> = new Set(['access_token', 'access'])
const TYPES: ReadonlySet<unknown> = new Set(['bearer', 'dpop', 'at+jwt', 'jwt'])

/** Endpoints know refresh tokens too, and those must not be taken for access tokens. */
const isAccessToken = ({ token_type: type, token_use: use, typ }: JsonObject): boolean =>
  isAmong(TOKEN_TYPES, type) && isAmong(USES, use) && isAmong(TYPES, typ)

/** RFC 9449 §6.2: a token of that type has a key, and one whose key is not told cannot be checked. */
const hidesItsKey = ({ token_type: type, cnf }: JsonObject): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'dpop' && cnf === undefined

const isAmong = (known: ReadonlySet<unknown>, value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && known.has(value.toLowerCase()))

const isForUs = ({ aud }: JsonObject, { audiences, audienceMissing }: AnswerRules): boolean => {
  if (aud === undefined) return audienceMissing === 'accept'
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return audiences.some((audience) => named.includes(audience))
}
