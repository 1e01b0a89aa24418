// HTTP Basic (RFC 7617): user and password from the Authorization header, proven by the configured
// verifiers in order.

import { shared } from '../../runtime/shared.ts'
import { VERIFICATION_DEADLINE } from './schema.ts'
import type { Authentication, Authenticator } from '../authenticator.ts'
import { AUTHORIZATION } from '../../request/credential-location.ts'
import type { Attempt } from './guard.ts'
import { verifyInOrder } from './in-order.ts'
import { passwordLogin } from './login.ts'
import { authenticationOf, credentialOf, shownIn, type PasswordProofOptions } from './proof.ts'

/** What a Basic authenticator needs. */
export interface BasicOptions extends PasswordProofOptions {
  /** Its name in the configuration. */
  readonly name: string
  readonly realm: string
  /** How long a proof is remembered, in milliseconds; 0 for not at all. */
  readonly remember: number
}

/** Makes an authenticator for HTTP Basic. */
export const basicAuthenticator = (options: BasicOptions): Authenticator => {
  const { name, realm, remember, memory } = options
  return {
    name,
    // RFC 7617 §2.1: the only value of charset, and it means NFC-normalised UTF-8.
    challenges: [`Basic realm="${realm}", charset="UTF-8"`],
    locations: [AUTHORIZATION],
    login: passwordLogin(options),
    async authenticate(request, signal) {
      const shown = shownIn(options, request)
      if (shown.outcome === 'settled') return shown.authentication
      const { key, attempt } = shown
      // Shared by every request that shows this credential now, so one caller's leaving must not
      // end it for the others; what bounds it is the verifier's own deadline.
      return await shared(
        () => memory.getOrVerify(key, remember, () => prove(options, attempt)),
        signal,
      )
    },
  }
}

const SECOND_FACTOR_REQUIRED = { outcome: 'barred', code: 'second-factor-required' } as const

const prove = async (options: BasicOptions, attempt: Attempt): Promise<Authentication> => {
  const { verifiers, guard, clock } = options
  const { user, password, source } = attempt
  const verification = await guard.verify(attempt, async () => {
    const signal = AbortSignal.timeout(VERIFICATION_DEADLINE)
    const said = await verifyInOrder(verifiers, user, password, { source, signal })
    // HTTP Basic has no way to ask. So it is a refusal, to the guard too: what did not look like one
    // there would tell that the password is right.
    return said.outcome === 'challenged' ? SECOND_FACTOR_REQUIRED : said
  })
  const credential = credentialOf(options, attempt)
  return authenticationOf(options, user, { credential, authenticatedAt: clock.now() }, verification)
}
