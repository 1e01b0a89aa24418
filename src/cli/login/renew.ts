// A token out of the cache with some lifetime left: renewed before it expires, by one process for
// all. While the renewal fails, a valid token stays in use.

import { CountersignError } from '../../runtime/errors.ts'
import { heedingInterruption } from './interruption.ts'
import type { TokenCache } from './cache/token-cache.ts'
import { freshnessOf, tokenOf, type HeldToken, type Login, type TokenKind } from './login-record.ts'
import type { LoginRequest } from './login-request.ts'
import type { Renewal } from './provider/provider.ts'

/** What there is for a request. */
export type Held =
  | { readonly outcome: 'held'; readonly login: Login; readonly token: HeldToken }
  /** A new login is required. */
  | { readonly outcome: 'login-needed'; readonly why: string }

/** What is needed to get one. */
export interface Renewing {
  readonly cache: TokenCache
  readonly request: LoginRequest
  readonly kind: TokenKind
  /** Refreshes the tokens; rejects with `unavailable` when the provider cannot be found. */
  renew(login: Login & { readonly refreshToken: string }): Promise<Renewal>
  readonly now: () => number
}

// Longer than a provider may take to answer: discovery, keys and tokens.
const WAIT_MS = 75_000

// A token with less time left than this may have expired when it reaches its verifier.
const SHORTEST_USE_MS = 5_000

/**
 * The token for a request.
 *
 * @throws CountersignError `file-unreadable`; `unavailable` when the provider cannot be reached and
 *   no token is valid; `login-failed` when its response cannot be trusted
 */
export const heldToken = async (renewing: Renewing): Promise<Held> => {
  const { cache, request, kind, now } = renewing
  const login = await cache.read(request)
  if (login === undefined) return needed(`there is no login at ${request.issuer}`)
  const token = tokenOf(login, kind)
  const freshness = freshnessOf(login, token, now())
  if (freshness === 'fresh') return { outcome: 'held', login, token }
  const held: Held = { outcome: 'held', login, token }
  if (!canRenew(login)) return freshness === 'ending' ? held : ended(login)
  const isUsable = freshness === 'ending' && !isAboutToEnd(token, now())
  return await heedingInterruption(async (signal) => {
    // Another process may renew it while this one is still valid.
    await using lock = await cache.lock(request, { wait: isUsable ? 0 : WAIT_MS, signal })
    // The renewal is not interrupted: its response is the only use of a spent refresh token.
    if (lock !== undefined) return await inTurn(renewing)
    if (isUsable) return held
    throw new CountersignError(
      'unavailable',
      'another process is renewing the tokens and does not finish; try again',
    )
  })
}

/** Until when a token that cannot be renewed is used, in milliseconds; of one that ends at no known time, `undefined`. */
export const lastUseOf = ({ expires }: HeldToken): number | undefined =>
  expires === undefined ? undefined : expires - SHORTEST_USE_MS

const isAboutToEnd = ({ expires }: HeldToken, now: number): boolean =>
  expires !== undefined && expires - now < SHORTEST_USE_MS

type Renewable = Login & { readonly refreshToken: string }

const canRenew = (login: Login): login is Renewable => login.refreshToken !== undefined

/** Renews the token, unless another process renewed it during the wait. */
const inTurn = async (renewing: Renewing): Promise<Held> => {
  const { cache, request, kind, now } = renewing
  const login = await cache.read(request)
  if (login === undefined) return needed('the login was ended by a logout')
  const token = tokenOf(login, kind)
  const freshness = freshnessOf(login, token, now())
  const held: Held = { outcome: 'held', login, token }
  if (freshness === 'fresh') return held
  if (!canRenew(login)) return freshness === 'over' ? ended(login) : held
  const renewal = await renewing.renew(login).catch((cause: unknown): Renewal => {
    if (cause instanceof CountersignError) return { kind: 'unavailable', why: cause.message }
    throw cause
  })
  if (renewal.kind === 'renewed') {
    const renewed: Login = { ...login, ...renewal.tokens }
    await cache.write(renewed)
    return renewedToken(renewed, kind, now())
  }
  if (renewal.kind === 'refused' && renewal.code === 'invalid_grant') {
    // The refresh token must not be used again.
    const { refreshToken: _, ...rest } = login
    await cache.write(rest)
    return freshness === 'ending' ? held : needed(`the login has ended (${renewal.why})`)
  }
  if (freshness === 'ending') return held
  const code = renewal.kind === 'unavailable' ? 'unavailable' : 'login-failed'
  throw new CountersignError(
    code,
    `the tokens of ${login.issuer} have expired and cannot be renewed: ${renewal.why}`,
  )
}

/** However short its life is. */
const renewedToken = (login: Login, kind: TokenKind, now: number): Held => {
  const token = tokenOf(login, kind)
  if (freshnessOf(login, token, now) !== 'over') return { outcome: 'held', login, token }
  return needed(
    kind === 'id_token'
      ? 'the provider renews only the access token, and the ID token has expired; --token access_token uses the access token'
      : 'the token of the provider has expired already: check the clock of this machine',
  )
}

const ended = ({ issuer }: Login): Held =>
  needed(`the tokens have expired, and ${issuer} issued no refresh token`)

const needed = (why: string): Held => ({ outcome: 'login-needed', why })
