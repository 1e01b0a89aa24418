// Bearer tokens that a Kubernetes API server verifies by a TokenReview: those of service accounts, and all other
// tokens that it accepts. A review is cached for a short while only, since a service account may be deleted.

import { audienceDetail, timeDetail } from '../required-and-found.ts'
import { presentedToken, type PresentedCredential } from '../../identity/presented-credential.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import type { Asker } from '../../runtime/shared-server.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { fingerprintOf } from '../credential-cache.ts'
import type { AskReview } from '../../clients/kubernetes/review.ts'
import { remoteTokenAuthenticator, type RemoteTokenSettings } from '../bearer/remote-token.ts'
import { isTime, readToken, type TokenReading } from '../bearer/token.ts'
import { readReview, TOKEN_REVIEW } from './answer.ts'

/** The options of a TokenReview authenticator. */
export interface TokenReviewOptions extends RemoteTokenSettings {
  readonly ask: AskReview
  /** The audiences of which a token must have one; empty for those of the API server itself. */
  readonly audiences: readonly string[]
  /** Only tokens that claim one of these issuers are sent to it; empty for all. */
  readonly issuers: readonly string[]
  readonly clock: Clock
}

/** Makes an authenticator for bearer tokens that an API server reviews. */
export const tokenReviewAuthenticator = (options: TokenReviewOptions): Authenticator =>
  remoteTokenAuthenticator({
    ...options,
    requestFor(token) {
      const reading = readToken(token)
      const { issuers } = options
      if (issuers.length > 0 && !isOf(reading, issuers)) return undefined
      const refusal = refusalOf(reading, options)
      if (refusal !== undefined) {
        const rejection = {
          outcome: 'rejected',
          ...refusal,
          ...presentedIn(reading, false),
        } as const
        return () => Promise.resolve(rejection)
      }
      return (asker) => review(options, asker, token, reading)
    },
  })

/** Not verified, but the claimed issuer decides whether the token is sent to the API server at all. */
const isOf = (reading: TokenReading, issuers: readonly string[]): boolean => {
  const issuer = reading.outcome === 'token' ? reading.token.claims['iss'] : undefined
  return typeof issuer === 'string' && issuers.includes(issuer)
}

/** Not verified either, but it can only shorten the life of a valid token, as its issuer intended. */
const expiryOf = (reading: TokenReading): number | undefined => {
  const end = reading.outcome === 'token' ? reading.token.claims['exp'] : undefined
  return isTime(end) ? end * 1_000 : undefined
}

/**
 * Why the API server would refuse the token whatever its signature is, so that no request is needed. Only bound tokens
 * of service accounts name their audience for certain (kubernetes.io, "Managing Service Accounts": the claim
 * `kubernetes.io`); for other tokens the API server may accept audiences that the token does not name.
 */
const refusalOf = (
  reading: TokenReading,
  { audiences, clock }: TokenReviewOptions,
): { readonly code: 'token-expired' | 'token-audience'; readonly detail?: string } | undefined => {
  if (reading.outcome !== 'token') return undefined
  const { exp, aud, 'kubernetes.io': bound } = reading.token.claims
  if (isTime(exp) && exp * 1_000 <= clock.now()) {
    return { code: 'token-expired', detail: timeDetail('expired', exp * 1_000, clock.now(), 0) }
  }
  if (audiences.length === 0 || !isJsonObject(bound)) return undefined
  const named: readonly unknown[] = [aud].flat()
  return audiences.some((audience) => named.includes(audience))
    ? undefined
    : { code: 'token-audience', detail: audienceDetail(audiences, aud) }
}

const presentedIn = (
  reading: TokenReading,
  proven: boolean,
): { readonly presented?: PresentedCredential | undefined } =>
  reading.outcome === 'token' ? { presented: presentedToken(reading.token.claims, proven) } : {}

/** Sends the request, and evaluates the review. Shared by all concurrent requests with this token; never rejects. */
const review = async (
  options: TokenReviewOptions,
  asker: Asker,
  token: string,
  parsed: TokenReading,
): Promise<Authentication> => {
  const { ask, audiences, generation, clock, cache } = options
  const expires = expiryOf(parsed)
  try {
    const spec = { token, ...(audiences.length === 0 ? {} : { audiences }) }
    const text = JSON.stringify({ ...TOKEN_REVIEW, spec })
    const reading = await ask(asker, text, (document) => {
      const read = readReview(document, audiences)
      if (read.outcome !== 'malformed') return read
      throw new Error(`the API server answered nonsense: ${read.what}`)
    })
    if (reading.outcome === 'rejected') return { ...reading, ...presentedIn(parsed, false) }
    const presented = presentedIn(parsed, true) // the API server has verified the whole token
    if (expires !== undefined && expires <= clock.now()) {
      return { outcome: 'rejected', code: 'token-expired', user: reading.user.user, ...presented }
    }
    const digest = fingerprintOf(cache.keyOf(generation, token))
    return {
      outcome: 'authenticated',
      credential: { method: 'bearer', digest, ...reading.user, expires, ...presented },
    }
  } catch (cause) {
    return { outcome: 'unavailable', cause }
  }
}
