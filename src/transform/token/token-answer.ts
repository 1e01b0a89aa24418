// What a token endpoint answered → a token that can be passed on, or what is wrong with the answer.
// Pure. Verifies no token: the upstream does that.

import { isBearerToken } from '../../authenticate/bearer/bearer-credentials.ts'
import { isTime, readToken } from '../../authenticate/bearer/token.ts'
import type { Claims } from '../../identity/claims.ts'
import type { JsonObject } from '../../runtime/json-object.ts'

/** The requested token. */
export interface TokenExpectation {
  /** By RFC 8693, whose answers have the issued type; else an access token of RFC 6749. */
  readonly exchange: boolean
  /** `requested_token_type`; `undefined` where none was named. */
  readonly requestedType?: string | undefined
}

/** What was answered. */
export type TokenAnswer =
  | {
      readonly outcome: 'token'
      readonly token: string
      /** Its `jti`, where it is a JWT that has one. */
      readonly id: string | undefined
      /** Its end, in milliseconds since the epoch; `undefined` where the server did not send it. */
      readonly expires: number | undefined
    }
  /** What is wrong: which member and how, never its value. */
  | { readonly outcome: 'malformed'; readonly what: string }

/** RFC 8693 §3: it gets new tokens from the server that issued it, and from no other. */
export const REFRESH_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token'

/**
 * Reads the answer (RFC 6749 §5.1, RFC 8693 §2.2.1).
 *
 * @param asked when the request was sent, in milliseconds since the epoch: its lifetime counts from
 *   then, so that a slow answer makes no token last longer
 */
export const readTokenAnswer = (
  document: JsonObject,
  expectation: TokenExpectation,
  asked: number,
): TokenAnswer => {
  const token = document['access_token']
  if (!isBearerToken(token)) {
    return malformed('"access_token" is not a valid bearer token')
  }
  const complaint =
    complaintAboutType(document['token_type'], expectation) ??
    complaintAboutIssued(document['issued_token_type'], expectation)
  if (complaint !== undefined) return malformed(complaint)
  const { expires_in: written } = document
  const seconds = written === undefined ? undefined : lifetimeOf(written)
  if (written !== undefined && (seconds === undefined || !isTime(asked / 1_000 + seconds))) {
    return malformed('"expires_in" is not a lifetime')
  }
  const { id, expires: own } = writtenIn(token)
  const expires = earlier(seconds === undefined ? undefined : asked + seconds * 1_000, own)
  if (expires !== undefined && expires <= asked) return malformed('the token has ended already')
  return { outcome: 'token', token, id, expires }
}

/** RFC 6749 §7.1, RFC 8693 §2.2.1: a token of another type needs more than its bearer has (DPoP). */
const complaintAboutType = (type: unknown, { exchange }: TokenExpectation): string | undefined => {
  const name = typeof type === 'string' ? type.toLowerCase() : undefined
  // An ID token, for example, which the upstream reads as a bearer token all the same.
  if (name === 'bearer' || (exchange && name === 'n_a')) return undefined
  return `"token_type" is not Bearer${exchange ? ' or N_A' : ''}`
}

/**
 * RFC 8693 §2.2.1 requires it. Where a type was requested it must be that one. Where none was, the
 * choice is the server's (§2.1) and there is nothing to hold the answer against: a server that leaves
 * it out is accepted. A refresh token is never forwarded, whatever was requested.
 */
const complaintAboutIssued = (
  issued: unknown,
  { exchange, requestedType }: TokenExpectation,
): string | undefined => {
  if (issued === REFRESH_TOKEN_TYPE) return '"issued_token_type" is a refresh token'
  if (!exchange || (issued === undefined && requestedType === undefined)) return undefined
  if (typeof issued !== 'string') return '"issued_token_type" is missing or is not a string'
  return requestedType === undefined || issued === requestedType
    ? undefined
    : '"issued_token_type" is not the requested type'
}

/** Seconds; `undefined` for an invalid value. RFC 6749 has a number, and some servers send a string. */
const lifetimeOf = (value: unknown): number | undefined => {
  const seconds = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined
}

// Longer than any that is known; audit keeps it.
const ID = /^[\x21-\x7e]{1,128}$/

/**
 * The end and the name of a JWT. It is not verified here, which is enough: it came from
 * the server that issues the tokens, can only shorten the use of the token, and is a name in the audit log.
 */
export const writtenIn = (
  token: string,
): { readonly id: string | undefined; readonly expires: number | undefined } => {
  const reading = readToken(token)
  const { jti, exp }: Claims = reading.outcome === 'token' ? reading.token.claims : {}
  return {
    id: typeof jti === 'string' && ID.test(jti) ? jti : undefined,
    expires: isTime(exp) ? exp * 1_000 : undefined,
  }
}

const earlier = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)

const malformed = (what: string): TokenAnswer => ({ outcome: 'malformed', what })
