// HTTP Basic (RFC 7617): user and password of the Authorization header, verified by the configured verifiers in order.

import { shared } from '../../runtime/shared.ts'
import { VERIFICATION_DEADLINE } from './schema.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { AUTHORIZATION } from '../../request/credential-location.ts'
import type { Attempt } from './guard.ts'
import { verifyInOrder } from './in-order.ts'
import { passwordLogin } from './login.ts'
import { authenticationOf, digestOf, readPassword, type PasswordProofOptions } from './proof.ts'

/** The options of a Basic authenticator. */
export interface BasicOptions extends PasswordProofOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /** How long a verified credential is cached, in milliseconds; 0 for no caching. */
  readonly cacheTtl: number
}

/** Makes an authenticator for HTTP Basic. */
export const basicAuthenticator = (options: BasicOptions): Authenticator => {
  const { name, realm, cacheTtl, cache } = options
  return {
    name,
    // RFC 7617 §2.1: the only value of charset, and it means NFC-normalised UTF-8.
    challenges: [`Basic realm="${realm}", charset="UTF-8"`],
    locations: [AUTHORIZATION],
    login: passwordLogin(options),
    authenticate(request, signal) {
      const reading = readPassword(options, request)
      if (reading.outcome === 'decided') return reading.authentication
      const { key, attempt } = reading
      // Shared by all concurrent requests with this credential, so that cancelling one does not end it for the
      // remaining ones; the verifier's own deadline bounds it.
      return shared(() => cache.getOrVerify(key, cacheTtl, () => prove(options, attempt)), signal)
    },
  }
}

const SECOND_FACTOR_REQUIRED = { outcome: 'barred', code: 'second-factor-required' } as const

const prove = async (options: BasicOptions, attempt: Attempt): Promise<Authentication> => {
  const { verifiers, guard, clock } = options
  const { user, password, source } = attempt
  const guarded = await guard.verify(attempt, async () => {
    const signal = AbortSignal.timeout(VERIFICATION_DEADLINE)
    const verification = await verifyInOrder(verifiers, user, password, { source, signal })
    // HTTP Basic cannot ask a question, so this is a refusal. The guard counts it, too: an attempt that did not count
    // would reveal that the password is right.
    return verification.outcome === 'challenged' ? SECOND_FACTOR_REQUIRED : verification
  })
  const digest = digestOf(options, attempt)
  return authenticationOf(options, user, { digest, authenticatedAt: clock.now() }, guarded)
}
