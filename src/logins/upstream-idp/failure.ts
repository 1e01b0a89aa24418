// Failures of an upstream IdP, for the log. Of its response only the error code is quoted: the rest is untrusted text.

import {
  AuthorizationResponseError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { ProviderUnreachable } from '../../runtime/http/web-fetch.ts'

/** What went wrong. */
export interface UpstreamFailure {
  readonly reason: 'authenticator-unavailable' | 'provider-refused' | 'provider-response-invalid'
  readonly detail: string
}

// RFC 6749 §4.1.2.1: the characters of an error code; they come through the browser.
const CODE = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/

/** Reads what the library threw. */
export const failureOf = (cause: unknown): UpstreamFailure => {
  const chain = causesOf(cause)
  const unreachable = chain.find((error) => error instanceof ProviderUnreachable)
  if (unreachable !== undefined)
    return { reason: 'authenticator-unavailable', detail: unreachable.message }
  for (const error of chain) {
    if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
      const isDown = error instanceof ResponseBodyError && isPassing(error.status)
      const reason =
        isDown || PASSING.has(error.error) ? 'authenticator-unavailable' : 'provider-refused'
      return { reason, detail: CODE.test(error.error) ? error.error : 'an invalid error code' }
    }
    if (error instanceof WWWAuthenticateChallengeError) {
      return { reason: 'provider-refused', detail: 'invalid_client' }
    }
    if (error instanceof Response && isPassing(error.status)) {
      return { reason: 'authenticator-unavailable', detail: `status ${error.status}` }
    }
  }
  const words = chain.filter((error) => error instanceof Error).map(({ message }) => message)
  return {
    reason: 'provider-response-invalid',
    detail: [...new Set(words)].join(': ').slice(0, 300),
  }
}

// RFC 6749 §4.1.2.1.
const PASSING: ReadonlySet<string> = new Set(['server_error', 'temporarily_unavailable'])

const isPassing = (status: number): boolean => status === 429 || status >= 500

const MOST_CAUSES = 5

const causesOf = (cause: unknown): readonly unknown[] => {
  const chain: unknown[] = []
  for (let next = cause; next !== undefined && chain.length < MOST_CAUSES;) {
    chain.push(next)
    next = next instanceof Error ? next.cause : undefined
  }
  return chain
}
