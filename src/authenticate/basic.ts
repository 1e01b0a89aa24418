// HTTP Basic (RFC 7617): user and password from the Authorization header, proven by the configured
// verifiers in order.

import type { Facts } from '../identity/identity.ts'
import type { Clock } from '../runtime/clock.ts'
import { abandonable } from './abandonable.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import { AUTHORIZATION } from './carrier.ts'
import { readBasicCredentials } from './basic-credentials.ts'
import { fingerprintOf, type FactMemory } from './facts.ts'
import type { Attempt, GuardedVerification, PasswordGuard } from './password/guard.ts'
import { verifyInOrder } from './password/in-order.ts'
import type { PasswordVerifier } from './password/verifier.ts'

/** What a Basic authenticator needs. */
export interface BasicOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /** Asked in order; `unknown-user` passes on to the next. */
  readonly verifiers: readonly PasswordVerifier[]
  /** How long a proof is remembered, in milliseconds; 0 for not at all. */
  readonly remember: number
  /** Changes with anything that a proof rests on; see {@link FactMemory.keyOf}. */
  readonly generation: string
  readonly memory: FactMemory
  /** Stands before the verifiers. */
  readonly guard: PasswordGuard
  readonly clock: Clock
}

/** Makes an authenticator for HTTP Basic. */
export const basicAuthenticator = (options: BasicOptions): Authenticator => {
  const { name, realm, remember, generation, memory, guard } = options
  return {
    name,
    // RFC 7617 §2.1: the only value of charset, and it means NFC-normalised UTF-8.
    challenges: [`Basic realm="${realm}", charset="UTF-8"`],
    carriers: [AUTHORIZATION],
    async authenticate(request, signal) {
      const credentials = readBasicCredentials(request.headers.get('authorization'))
      if (credentials.outcome === 'absent') return { outcome: 'not-applicable' }
      if (credentials.outcome === 'malformed') {
        return { outcome: 'rejected', code: 'credential-malformed' }
      }
      const { user, password } = credentials
      const source = request.source.address
      const wait = guard.waitOf(user, source)
      if (wait > 0) return tooManyAttempts(user, wait)
      // A proof holds where it was made: elsewhere a guess that hits it has to be one of the few that
      // the guard lets through, and a RADIUS server may take the user from one place only.
      const key = memory.keyOf(`${generation}\0${source}`, `${user}:${password}`)
      const facts = memory.recall(key)
      if (facts !== undefined) return { outcome: 'authenticated', facts }
      // Before the proof begins: nobody would be left to hear how it ended.
      signal.throwIfAborted()
      // Shared by every request that shows this credential now, so one caller's leaving must not
      // end it for the others; what bounds it is the verifier's own deadline.
      const proof = memory.proofOf(key, remember, () => prove(options, { user, password, source }))
      return await abandonable(proof, signal)
    },
  }
}

// Longer than Envoy waits by default, so that a slow proof still serves the retry.
const VERIFICATION_DEADLINE = 10_000

const SECOND_FACTOR_REQUIRED = { outcome: 'barred', code: 'second-factor-required' } as const

const prove = async (
  { verifiers, generation, memory, guard, clock }: BasicOptions,
  attempt: Attempt,
): Promise<Authentication> => {
  const { user, password, source } = attempt
  const verification = await guard.verify(attempt, async () => {
    const signal = AbortSignal.timeout(VERIFICATION_DEADLINE)
    const said = await verifyInOrder(verifiers, user, password, { source, signal })
    // HTTP Basic has no way to ask. So it is a refusal, to the guard too: what did not look like one
    // there would tell that the password is right.
    return said.outcome === 'challenged' ? SECOND_FACTOR_REQUIRED : said
  })
  // The same wherever the credential comes from.
  const credential = fingerprintOf(memory.keyOf(generation, `${user}:${password}`))
  return authenticationOf(user, { credential, authenticatedAt: clock.now() }, verification)
}

const authenticationOf = (
  user: string,
  proof: Pick<Facts, 'credential' | 'authenticatedAt'>,
  verification: GuardedVerification,
): Authentication => {
  switch (verification.outcome) {
    case 'verified':
      return {
        outcome: 'authenticated',
        facts: { ...verification.facts, method: 'basic', ...proof },
      }
    case 'wrong-password':
      return { outcome: 'rejected', code: 'credential-wrong', user }
    case 'unknown-user':
      return { outcome: 'rejected', code: 'user-unknown', user }
    case 'barred':
      return { outcome: 'rejected', code: verification.code, user }
    case 'challenged':
      return { outcome: 'rejected', code: SECOND_FACTOR_REQUIRED.code, user }
    case 'too-many-attempts':
      return tooManyAttempts(user, verification.retryAfter)
    case 'unavailable':
      return verification
  }
}

const tooManyAttempts = (user: string, retryAfter: number): Authentication => ({
  outcome: 'rejected',
  code: 'too-many-attempts',
  user,
  retryAfter,
})
