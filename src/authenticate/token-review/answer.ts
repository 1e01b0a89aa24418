// Evaluates the `status` of a TokenReview (kubernetes.io, API reference, authentication.k8s.io/v1), strictly.

import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import type { RejectionCode } from '../authenticator.ts'

/** The API version and kind of request and response. */
export const TOKEN_REVIEW = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenReview',
} as const

/** A user, as in Kubernetes' `UserInfo`. */
interface ReviewedUser {
  readonly user: string
  readonly uid: string | undefined
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** The evaluation of a review. */
export type ReviewReading =
  | { readonly outcome: 'authenticated'; readonly user: ReviewedUser }
  | { readonly outcome: 'rejected'; readonly code: RejectionCode; readonly user?: string }
  /** Not a response of the API, so the status of the token is unknown. */
  | { readonly outcome: 'malformed'; readonly what: string }

const malformed = (what: string): ReviewReading => ({ outcome: 'malformed', what })

// The group of every authenticated user: an API server adds it by itself, so it is not forwarded.
const EVERYBODY = 'system:authenticated'

/**
 * Evaluates a review. Pure; never throws.
 *
 * @param audiences the requested ones; unless empty, the token must be for one of them
 */
export const readReview = (document: JsonObject, audiences: readonly string[]): ReviewReading => {
  const { apiVersion, kind, status } = document
  if (apiVersion !== TOKEN_REVIEW.apiVersion || kind !== TOKEN_REVIEW.kind) {
    return malformed('it is not a TokenReview')
  }
  if (!isJsonObject(status)) return malformed('it has no status')
  const { authenticated = false, error = '' } = status
  if (typeof authenticated !== 'boolean') return malformed('"authenticated" is not a boolean')
  // With or without an error: an API server sends one for every token that it does not accept, and its text does not
  // distinguish an expired token from a failure.
  if (!authenticated) return { outcome: 'rejected', code: 'token-inactive' }
  if (error !== '') return malformed('the token is good, and could not be checked')
  const user = readUser(status['user'])
  if (user === undefined) return malformed('it names no user')
  const named = textsOf(status['audiences'])
  if (named === undefined) return malformed('"audiences" is not a list of strings')
  // A server that does not support audiences returns none, and the token may be for any audience.
  if (audiences.length > 0 && !audiences.some((audience) => named.includes(audience))) {
    return { outcome: 'rejected', code: 'token-audience', user: user.user }
  }
  return { outcome: 'authenticated', user }
}

const readUser = (value: unknown): ReviewedUser | undefined => {
  if (!isJsonObject(value)) return undefined
  const { username, uid = '' } = value
  const groups = textsOf(value['groups'])
  const extra = readExtra(value['extra'])
  if (typeof username !== 'string' || username === '' || typeof uid !== 'string') return undefined
  if (groups === undefined || extra === undefined) return undefined
  return {
    user: username,
    uid: uid === '' ? undefined : uid,
    groups: groups.filter((group) => group !== EVERYBODY),
    extra,
  }
}

const readExtra = (value: unknown): ReviewedUser['extra'] | undefined => {
  if (value === undefined || value === null) return {}
  if (!isJsonObject(value)) return undefined
  const entries: (readonly [string, readonly string[]])[] = []
  for (const [key, list] of Object.entries(value)) {
    const texts = textsOf(list)
    if (texts === undefined) return undefined
    entries.push([key, texts])
  }
  return Object.fromEntries(entries)
}

/** A list of texts; Go encodes an empty one as absent or null. */
const textsOf = (value: unknown): readonly string[] | undefined => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return undefined
  const list: readonly unknown[] = value
  return list.every((one) => typeof one === 'string') ? list : undefined
}
