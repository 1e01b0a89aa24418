// What HTTP Basic and the login page share: reading the password of a request, the cache, and the outcome of a
// verification.

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Authentication } from '../authenticator.ts'
import { readBasicCredentials } from './basic-credentials.ts'
import { fingerprintOf, type CredentialKey, type CredentialCache } from '../credential-cache.ts'
import type { Attempt, GuardedVerification, PasswordGuard } from './guard.ts'
import type { AccountReference, VerifiedUser, PasswordVerifier } from './verifier.ts'

/** The options of verifying passwords. */
export interface PasswordProofOptions {
  /** Called in order; `unknown-user` continues with the next. */
  readonly verifiers: readonly PasswordVerifier[]
  /** Changes with everything that a verification depends on; see {@link CredentialCache.keyOf}. */
  readonly generation: string
  readonly cache: CredentialCache
  /** Brute-force protection before the verifiers. */
  readonly guard: PasswordGuard
  /** Whether a wrong password reveals that the user exists. With RADIUS it does not. */
  readonly distinguishesUnknownUsers: boolean
  /** Milliseconds for one step at the login page, which may include a further question. Default: 10 s. */
  readonly loginDeadline?: number
  readonly clock: Clock
}

/** The password of a request: an attempt to verify, or an outcome without a verification. */
export type PasswordReading =
  | { readonly outcome: 'attempt'; readonly attempt: Attempt; readonly key: CredentialKey }
  | { readonly outcome: 'decided'; readonly authentication: Authentication }

/** Reads the password of a request. */
export const readPassword = (options: PasswordProofOptions, request: Request): PasswordReading => {
  const { generation, cache, guard } = options
  const credentials = readBasicCredentials(request.headers.get('authorization'))
  if (credentials.outcome === 'absent') return decided({ outcome: 'not-applicable' })
  if (credentials.outcome === 'malformed') {
    return decided({ outcome: 'rejected', code: 'credential-malformed' })
  }
  const { user, password } = credentials
  const source = request.source.address
  const wait = guard.waitOf(user, source)
  if (wait > 0) return decided(tooManyAttempts(options, user, wait))
  // Cached for the address where it was verified: at another address a right guess must be one of the few that the
  // guard permits, and a RADIUS server may accept the user from one address only.
  const key = cache.keyOf(`${generation}\0${source}`, `${user}:${password}`)
  const credential = cache.get(key)
  if (credential !== undefined) return decided({ outcome: 'authenticated', credential })
  return { outcome: 'attempt', attempt: { user, password, source }, key }
}

const decided = (authentication: Authentication): PasswordReading => ({
  outcome: 'decided',
  authentication,
})

/** The audit log's digest of a password: the same for every address. */
export const digestOf = (
  { generation, cache }: PasswordProofOptions,
  { user, password }: Attempt,
): string => fingerprintOf(cache.keyOf(generation, `${user}:${password}`))

/** The outcome of a verification; without a further question, which the callers handle. */
export const authenticationOf = (
  options: PasswordProofOptions,
  user: string,
  proof: Pick<ProvenCredential, 'digest' | 'authenticatedAt'>,
  verification: GuardedVerification,
): Authentication => {
  switch (verification.outcome) {
    case 'verified':
      return { outcome: 'authenticated', credential: credentialOf(verification, proof) }
    case 'wrong-password':
      return { outcome: 'rejected', code: 'credential-wrong', ...claimed(options, user) }
    case 'unknown-user':
      return { outcome: 'rejected', code: 'user-unknown', ...hashOf(options, user) }
    case 'barred':
      return { outcome: 'rejected', code: verification.code, user }
    case 'challenged':
      return { outcome: 'rejected', code: 'second-factor-required', user }
    case 'too-many-attempts':
      return tooManyAttempts(options, user, verification.retryAfter)
    case 'unavailable':
      return verification
  }
}

/** The credential of a user whose password was right. */
export const credentialOf = (
  {
    user,
    account,
  }: { readonly user: VerifiedUser; readonly account?: AccountReference | undefined },
  proof: Pick<ProvenCredential, 'digest' | 'authenticatedAt' | 'methods'>,
): ProvenCredential => ({
  ...user,
  method: 'basic',
  ...proof,
  ...(account === undefined ? {} : { account }),
})

/** No verifier was called, so the name may be a password in the wrong field. */
const tooManyAttempts = (
  options: PasswordProofOptions,
  user: string,
  retryAfter: number,
): Authentication => ({
  outcome: 'rejected',
  code: 'too-many-attempts',
  ...hashOf(options, user),
  retryAfter,
})

/** The name when the password was wrong, with its hash, by which audit events with and without the name correlate. */
const claimed = (options: PasswordProofOptions, user: string) =>
  options.distinguishesUnknownUsers ? { user, ...hashOf(options, user) } : hashOf(options, user)

/** In place of a name that may not be one. */
const hashOf = ({ cache }: PasswordProofOptions, user: string) => ({
  userHash: fingerprintOf(cache.keyOf('user name', user)),
})
