// HTTP Basic (RFC 7617): user and password from the Authorization header, proven by the configured
// verifiers in order.

import { abandonable } from './abandonable.ts'
import type { Authentication, Authenticator } from './authenticator.ts'
import { AUTHORIZATION } from './carrier.ts'
import type { FactMemory } from './facts.ts'
import type { PasswordVerifier } from './password/verifier.ts'
import { readBasicCredentials } from './basic-credentials.ts'

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
}

// Enough of the key to tell credentials apart in an audit log, too little to be the key.
const FINGERPRINT_LENGTH = 16

/** Makes an authenticator for HTTP Basic. */
export const basicAuthenticator = ({
  name,
  realm,
  verifiers,
  remember,
  generation,
  memory,
}: BasicOptions): Authenticator => {
  const verify = async (
    user: string,
    password: string,
    fingerprint: string,
    signal: AbortSignal,
  ): Promise<Authentication> => {
    for (const verifier of verifiers) {
      // oxlint-disable-next-line no-await-in-loop -- the order is the meaning
      const verification = await verifier.verify(user, password, signal)
      switch (verification.outcome) {
        case 'verified':
          return {
            outcome: 'authenticated',
            facts: { ...verification.facts, method: 'basic', credential: fingerprint },
          }
        case 'wrong-password':
          return { outcome: 'rejected', code: 'credential-wrong', user }
        case 'barred':
          return { outcome: 'rejected', code: verification.code, user }
        case 'challenged': // HTTP Basic has no way to ask
          return { outcome: 'rejected', code: 'second-factor-required', user }
        case 'unavailable':
          return verification
        case 'unknown-user': // ask the next one
      }
    }
    return { outcome: 'rejected', code: 'user-unknown', user }
  }

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
      const key = memory.keyOf(generation, `${user}:${password}`)
      const facts = memory.recall(key)
      if (facts !== undefined) return { outcome: 'authenticated', facts }
      // Before the proof begins: nobody would be left to hear how it ended.
      signal.throwIfAborted()
      const fingerprint = key.slice(0, FINGERPRINT_LENGTH)
      // Shared by every request that shows this credential now, so one caller's leaving must not
      // end it for the others; what bounds it is the verifier's own deadline.
      const proof = memory.proofOf(key, remember, () =>
        verify(user, password, fingerprint, AbortSignal.timeout(VERIFICATION_DEADLINE)),
      )
      return await abandonable(proof, signal)
    },
  }
}

// Longer than Envoy waits by default, so that a slow proof still serves the retry.
const VERIFICATION_DEADLINE = 10_000
