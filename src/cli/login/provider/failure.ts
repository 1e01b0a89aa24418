// Failures of a provider as messages for the user who logs in. Of its response only the error is quoted,
// with control characters replaced.

import {
  AuthorizationResponseError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { CountersignError } from '../../../runtime/errors.ts'
import { printable } from '../../printable.ts'
import { ProviderUnreachable } from '../../../runtime/http/web-fetch.ts'
import type { ObservedClock } from './fetch.ts'

/** What went wrong. */
export type ProviderFailure =
  /** It cannot be reached now. */
  | { readonly kind: 'unavailable'; readonly why: string }
  /** It says no, by an error code of RFC 6749 or one that builds on it. */
  | { readonly kind: 'refused'; readonly code: string; readonly why: string }
  /** Its response does not fit the request, or its origin is not proven. */
  | { readonly kind: 'unsound'; readonly why: string }

/** Reads what the library threw. */
export const failureOf = (cause: unknown, clock: ObservedClock): ProviderFailure => {
  const chain = [...causesOf(cause)]
  const unreachable = chain.find((error) => error instanceof ProviderUnreachable)
  if (unreachable !== undefined) return { kind: 'unavailable', why: printable(unreachable.message) }
  for (const error of chain) {
    if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
      const { error: code, error_description: description } = error
      const why = printable(description === undefined ? code : `${code}: ${description}`)
      const broken = error instanceof ResponseBodyError && isPassing(error.status)
      return broken ? { kind: 'unavailable', why } : { kind: 'refused', code, why }
    }
    if (error instanceof WWWAuthenticateChallengeError) {
      // RFC 6749 §5.2: the server refuses the client authentication.
      const why = 'it does not know this client, or the client’s secret is another'
      return { kind: 'refused', code: 'invalid_client', why }
    }
    if (error instanceof Response && !error.ok) {
      const why = `status ${error.status}`
      return { kind: isPassing(error.status) ? 'unavailable' : 'unsound', why }
    }
  }
  const errors = chain.filter((error) => error instanceof Error)
  const words = errors.map(({ message }) => message).filter((message) => !EMPTY.has(message))
  const late = errors.some(
    (error) => 'code' in error && error.code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  )
  const why = printable([...new Set(words)].join(': '))
  return { kind: 'unsound', why: late ? `${why}${clockHint(clock)}` : why }
}

/** The failure as an error for the user. */
export const loginFailed = (issuer: string, failure: ProviderFailure): CountersignError => {
  const { kind, why } = failure
  switch (kind) {
    case 'unavailable':
      return new CountersignError('unavailable', `${issuer} cannot be reached: ${why}`)
    case 'refused':
      return new CountersignError('login-failed', `${issuer} refused: ${why}`)
    case 'unsound':
      return new CountersignError('login-failed', `the answer of ${issuer} is not taken: ${why}`)
  }
}

// RFC 9110 §15.6, and 429 (RFC 6585 §4): not a response to the request.
const isPassing = (status: number): boolean => status >= 500 || status === 429

// The library's message without information.
const EMPTY: ReadonlySet<string> = new Set(['something went wrong', 'invalid response encountered'])

const DEEPEST = 8

/** The error, its cause, the cause of that, and so on. */
function* causesOf(thrown: unknown): Generator<unknown, void> {
  let cause = thrown
  for (let depth = 0; depth < DEEPEST && cause !== undefined; depth++) {
    yield cause
    cause = cause instanceof Error ? cause.cause : undefined
  }
}

const NOTABLE_MS = 5_000

const clockHint = ({ ahead }: ObservedClock): string => {
  if (Math.abs(ahead) < NOTABLE_MS) return ''
  const seconds = Math.round(Math.abs(ahead) / 1_000)
  return `. The clock of this machine is ${seconds} s ${ahead > 0 ? 'behind' : 'ahead of'} the provider’s: set it`
}
