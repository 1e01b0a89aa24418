// The answer of a token endpoint → the tokens in the cache.

import type { IDToken, TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import type { LoginRequest } from '../login-request.ts'
import type { HeldToken, Tokens } from '../login-record.ts'

/** An answer as the library parsed it; its ID token is verified. */
export type TokenAnswer = TokenEndpointResponse & TokenEndpointResponseHelpers

// Identity of the user, and renewal of the tokens.
const USUAL_SCOPES = ['profile', 'email', 'groups', 'offline_access']

/** The scopes to request: those that were named, else the usual ones that the provider has. */
export const scopesOf = (
  { scope }: LoginRequest,
  supported: readonly string[] | undefined = [],
): string =>
  scope ?? ['openid', ...USUAL_SCOPES.filter((name) => supported.includes(name))].join(' ')

/**
 * The tokens of a response.
 *
 * @param obtained the time of the request
 * @param before the renewed tokens: those that the response lacks remain (RFC 6749 §6)
 * @throws Error when they do not fit the request
 */
export const tokensOf = (answer: TokenAnswer, obtained: number, before?: Tokens): Tokens => {
  const claims = answer.claims()
  const idToken =
    claims === undefined || answer.id_token === undefined
      ? before?.idToken
      : { value: headerSafe(answer.id_token), expires: endOf(claims, obtained) }
  if (idToken === undefined) throw new Error('there is no ID token in the answer')
  const subject = claims?.sub ?? before?.subject
  if (subject === undefined || (before !== undefined && before.subject !== subject)) {
    // OpenID Connect Core §12.2.
    throw new Error('the renewed ID token has another subject')
  }
  const refreshToken = answer.refresh_token ?? before?.refreshToken
  return {
    subject,
    user: claims === undefined ? (before?.user ?? subject) : nameIn(claims),
    idToken,
    accessToken: accessTokenOf(answer, obtained),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    obtained,
  }
}

const accessTokenOf = (answer: TokenAnswer, obtained: number): HeldToken => {
  const value = headerSafe(answer.access_token)
  const lifetime = answer.expires_in ?? lifetimeIn(value)
  return lifetime === undefined ? { value } : { value, expires: timeAfter(obtained, lifetime) }
}

/**
 * When an ID token expires by the local clock: not after its `exp` and, when the clock of the provider is
 * ahead, not after its lifetime.
 */
const endOf = ({ exp, iat }: IDToken, obtained: number): number =>
  Math.min(Math.floor(exp * 1_000), timeAfter(obtained, exp - iat))

/** The life of a JWT that says so (RFC 9068 §2.2), in seconds; proves nothing. */
const lifetimeIn = (token: string): number | undefined => {
  try {
    const [, payload = ''] = token.split('.')
    const { exp, iat } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof exp === 'number' && typeof iat === 'number' ? exp - iat : undefined
  } catch {
    return undefined
  }
}

const LONGEST_LIFE_S = 31_622_400

const timeAfter = (obtained: number, seconds: number): number =>
  obtained + Math.floor(Math.min(Math.max(seconds, 0), LONGEST_LIFE_S) * 1_000)

/** The display name: the first of these claims that is present. */
const nameIn = (claims: IDToken): string => {
  const names = [claims['preferred_username'], claims['email'], claims['name'], claims.sub]
  return names.filter((name) => typeof name === 'string').find((name) => name !== '') ?? claims.sub
}

/** Tokens travel in a header (RFC 6750 §2.1), so they hold nothing that would end it. */
const headerSafe = (token: string): string => {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new Error('a token of the answer has characters that no token has')
}
