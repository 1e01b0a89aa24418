// What HTTP Basic and the login page have in common: how a request shows a password, when nobody need be
// asked about it, and what the verifiers' word comes to.

import type { ProvenCredential } from '../../identity/identity.ts'
import type { Request } from '../../request/request.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Authentication } from '../authenticator.ts'
import { readBasicCredentials } from './basic-credentials.ts'
import { fingerprintOf, type CredentialKey, type CredentialCache } from '../credential-cache.ts'
import type { Attempt, GuardedVerification, PasswordGuard } from './guard.ts'
import type { AccountReference, PasswordFacts, PasswordVerifier } from './verifier.ts'

/** What proving passwords needs. */
export interface PasswordProofOptions {
  /** Asked in order; `unknown-user` passes on to the next. */
  readonly verifiers: readonly PasswordVerifier[]
  /** Changes with anything that a proof rests on; see {@link CredentialCache.keyOf}. */
  readonly generation: string
  readonly memory: CredentialCache
  /** Stands before the verifiers. */
  readonly guard: PasswordGuard
  /** Whether a wrong password says that the user exists. RADIUS does not. */
  readonly tellsUnknown: boolean
  /** Milliseconds for one step at the login page, where the user may be asked for more. Default: 10 s. */
  readonly loginDeadline?: number
  readonly clock: Clock
}

/** What a request shows: an attempt that has to be proven, or what is known without. */
export type ShownPassword =
  | { readonly outcome: 'shown'; readonly attempt: Attempt; readonly key: CredentialKey }
  | { readonly outcome: 'settled'; readonly authentication: Authentication }

/** Reads the attempt of a request. */
export const shownIn = (options: PasswordProofOptions, request: Request): ShownPassword => {
  const { generation, memory, guard } = options
  const credentials = readBasicCredentials(request.headers.get('authorization'))
  if (credentials.outcome === 'absent') return settled({ outcome: 'not-applicable' })
  if (credentials.outcome === 'malformed') {
    return settled({ outcome: 'rejected', code: 'credential-malformed' })
  }
  const { user, password } = credentials
  const source = request.source.address
  const wait = guard.waitOf(user, source)
  if (wait > 0) return settled(tooManyAttempts(options, user, wait))
  // A proof holds where it was made: elsewhere a guess that hits it has to be one of the few that
  // the guard lets through, and a RADIUS server may take the user from one place only.
  const key = memory.keyOf(`${generation}\0${source}`, `${user}:${password}`)
  const facts = memory.get(key)
  if (facts !== undefined) return settled({ outcome: 'authenticated', facts })
  return { outcome: 'shown', attempt: { user, password, source }, key }
}

const settled = (authentication: Authentication): ShownPassword => ({
  outcome: 'settled',
  authentication,
})

/** What an audit log calls a password: the same wherever it comes from. */
export const credentialOf = (
  { generation, memory }: PasswordProofOptions,
  { user, password }: Attempt,
): string => fingerprintOf(memory.keyOf(generation, `${user}:${password}`))

/** What the verifiers' word comes to; a question is what nobody can answer here. */
export const authenticationOf = (
  options: PasswordProofOptions,
  user: string,
  proof: Pick<ProvenCredential, 'credential' | 'authenticatedAt'>,
  verification: GuardedVerification,
): Authentication => {
  switch (verification.outcome) {
    case 'verified':
      return { outcome: 'authenticated', facts: factsOf(verification, proof) }
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

/** The facts about a user whose password was right. */
export const factsOf = (
  {
    facts,
    account,
  }: { readonly facts: PasswordFacts; readonly account?: AccountReference | undefined },
  proof: Pick<ProvenCredential, 'credential' | 'authenticatedAt' | 'methods'>,
): ProvenCredential => ({
  ...facts,
  method: 'basic',
  ...proof,
  ...(account === undefined ? {} : { account }),
})

/** Nobody was asked, so that the name may be a password in the wrong field. */
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

/** The name where the password was wrong: with its hash, by which those are found that were not verified. */
const claimed = (options: PasswordProofOptions, user: string) =>
  options.tellsUnknown ? { user, ...hashOf(options, user) } : hashOf(options, user)

/** What stands for a name that may be none. */
const hashOf = ({ memory }: PasswordProofOptions, user: string) => ({
  userHash: fingerprintOf(memory.keyOf('user name', user)),
})
