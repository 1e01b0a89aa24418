// The result of a login: its tokens, and until when each is valid. Knows neither files nor providers.

import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import type { LoginRequest, ProviderAccess } from './login-request.ts'

/** A token and its expiry. */
export interface HeldToken {
  readonly value: string
  /** When it ends, by the clock of this machine, in milliseconds; unknown of some access tokens. */
  readonly expires?: number
}

/** What a provider gave. */
export interface Tokens {
  /** `sub`: the permanent identifier of the user at the provider. */
  readonly subject: string
  /** The display name. */
  readonly user: string
  readonly idToken: HeldToken
  readonly accessToken: HeldToken
  /** Gets new tokens; of some providers usable once. */
  readonly refreshToken?: string
  /** When they were got, in milliseconds. */
  readonly obtained: number
}

/** A login: its request, its provider and its tokens. */
export interface Login extends LoginRequest, ProviderAccess, Tokens {}

/** Which of the tokens is wanted. */
export const TOKEN_KINDS = ['id_token', 'access_token'] as const

/** One of {@link TOKEN_KINDS}. */
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** The default kind of token: an access token if a resource or audience was named, else an ID token. */
export const usualKind = ({ resource, audience }: LoginRequest): TokenKind =>
  resource === undefined && audience === undefined ? 'id_token' : 'access_token'

/** The token of that kind. */
export const tokenOf = (login: Tokens, kind: TokenKind): HeldToken =>
  kind === 'id_token' ? login.idToken : login.accessToken

/**
 * How good a token still is:
 * - `fresh`: good, for longer than the margin;
 * - `ending`: good, but better renewed where that can be done;
 * - `over`.
 */
export type Freshness = 'fresh' | 'ending' | 'over'

// What a request may take from here to the one who judges the token, and what clocks differ by.
const LONGEST_MARGIN_MS = 60_000
const MARGIN_SHARE = 5
// The lifetime of a token without an expiry.
const ASSUMED_LIFE_MS = 300_000

/** When a token is to be renewed, in milliseconds; of one that ends at no known time, `undefined`. */
export const renewalOf = ({ obtained }: Tokens, { expires }: HeldToken): number | undefined => {
  if (expires === undefined) return undefined
  const life = Math.max(0, expires - obtained)
  return expires - Math.min(LONGEST_MARGIN_MS, life / MARGIN_SHARE)
}

/** How good a token is at that time. */
export const freshnessOf = (tokens: Tokens, token: HeldToken, now: number): Freshness => {
  const { obtained } = tokens
  // The clock was set back: the age of this token is unknown.
  const backwards = now < obtained - LONGEST_MARGIN_MS
  const { expires } = token
  if (expires === undefined)
    return backwards || now > obtained + ASSUMED_LIFE_MS ? 'ending' : 'fresh'
  if (now >= expires) return 'over'
  return backwards || now >= (renewalOf(tokens, token) ?? now) ? 'ending' : 'fresh'
}

const VERSION = 1

/** A login as a file has it. */
export const formatLogin = (login: Login): string =>
  `${JSON.stringify({ version: VERSION, ...login }, undefined, 2)}\n`

/** The login in a file, or `undefined` where the file has no login of this program. */
export const parseLogin = (text: string): Login | undefined => {
  const value = jsonOf(text)
  if (!isJsonObject(value) || value['version'] !== VERSION) return undefined
  const idToken = heldToken(value['idToken'])
  const accessToken = heldToken(value['accessToken'])
  const { issuer, clientId, subject, user, obtained } = value
  const optional = textsOf(value, [
    'scope',
    'resource',
    'audience',
    'ca',
    'clientSecretFile',
    'refreshToken',
  ])
  if (
    idToken === undefined ||
    accessToken === undefined ||
    optional === undefined ||
    !isText(issuer) ||
    !isText(clientId) ||
    !isText(subject) ||
    !isText(user) ||
    !isTime(obtained)
  ) {
    return undefined
  }
  return { issuer, clientId, subject, user, obtained, idToken, accessToken, ...optional }
}

// By hand, for kubectl waits for this on every command, and the library that reads configurations takes
// longer to load than everything else together.
const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const heldToken = (value: unknown): HeldToken | undefined => {
  if (!isJsonObject(value)) return undefined
  const { value: token, expires } = value
  if (!isText(token)) return undefined
  if (expires === undefined) return { value: token }
  return isTime(expires) ? { value: token, expires } : undefined
}

/** The members of an object that are present, or `undefined` when one is not a string. */
const textsOf = <Name extends string>(
  value: JsonObject,
  names: readonly Name[],
): { readonly [name in Name]?: string } | undefined => {
  const found: { [name in Name]?: string } = {}
  for (const name of names) {
    const member = value[name]
    if (member === undefined) continue
    if (!isText(member)) return undefined
    found[name] = member
  }
  return found
}
