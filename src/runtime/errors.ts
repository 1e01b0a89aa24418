// The one error class. `code` is what tests, metrics and audit match; `message` is for operators;
// callers of the proxied services never see either.

/** Every code of a CountersignError. */
export type ErrorCode =
  | 'configuration-invalid'
  | 'file-unreadable'
  | 'file-exposed'
  | 'listen-failed'
  | 'audit-unwritable'
  | 'audit-key-unusable'
  | 'overloaded'
  | 'rate-limited'
  | 'unavailable'
  | 'malformed-certificate'
  | 'malformed-openapi'
  | 'grant-keys-invalid'
  | 'signing-keys-invalid'
  | 'authority-unusable'
  | 'envoy-missing'
  | 'envoy-unsuitable'
  | 'child-exited'
  | 'login-needed'
  | 'login-failed'
  | 'usage'

/** An expected failure, distinguished from bugs by its closed `code`. */
export class CountersignError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'CountersignError'
    this.code = code
  }
}

/** One caller exceeds its budget, so nothing was done for it; other callers are not affected. */
export class RateLimited extends CountersignError {
  /** When the caller may come back, in seconds (RFC 9110 §10.2.3). */
  readonly retryAfter: number

  constructor(message: string, retryAfter: number) {
    super('rate-limited', message)
    this.retryAfter = retryAfter
  }
}

/** The text of anything thrown, for an operator's log. */
export const describeError = (cause: unknown): string =>
  cause instanceof Error ? cause.message : String(cause)

/** Whether an error has one of these codes, such as `ENOENT` of Node's system errors. */
export const hasCode = (cause: unknown, ...codes: readonly string[]): boolean =>
  cause instanceof Error &&
  'code' in cause &&
  typeof cause.code === 'string' &&
  codes.includes(cause.code)
