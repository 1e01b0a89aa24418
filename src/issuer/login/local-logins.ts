// Logins that were proven here, by a password or a certificate: what is kept of them, and how they are checked
// again without the user. A login that cannot be checked again is a shorter one.

import type { AccountEnd } from '../../authenticate/password/verifier.ts'
import type { Login } from '../../check/authorization-server.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { checkTimes, type LoginCheck, type LoginChecked } from './login-status.ts'
import type { LocalLogin, StandingLogin } from './provider/held-logins.ts'
import { proveAgain } from './prove.ts'

/** What they need. */
export interface LocalLoginsParts {
  readonly login: Login
  readonly clock: Clock
}

// The account is no longer usable at all. After a changed or expired password it is: by another login.
const ACCOUNT_GONE: ReadonlySet<string> = new Set<AccountEnd>([
  'user-unknown',
  'user-replaced',
  'user-disabled',
  'user-locked',
  'user-expired',
])

/** The local logins of one configuration. */
export class LocalLogins implements LoginCheck<LocalLogin> {
  readonly #parts: LocalLoginsParts

  constructor(parts: LocalLoginsParts) {
    this.#parts = parts
  }

  /**
   * What is kept of a login.
   *
   * @param identity that was proven
   * @param certificate that Envoy says was shown: URL-encoded PEM; empty for none
   */
  holdingOf(identity: Identity, certificate: string): Omit<LocalLogin, 'session' | 'user'> {
    const { login, clock } = this.#parts
    const { recheck, longest, longestUnchecked } = login.config
    const { authenticator, method } = identity
    const way = method === 'certificate' ? 'certificate' : 'password'
    const proven = way === 'certificate' ? certificateOf(certificate) : accountOf(identity)
    const now = clock.now()
    if (proven === undefined) {
      return { authenticator, way, ends: now + Math.min(longest, longestUnchecked) }
    }
    return { authenticator, way, proven, renewal: checkTimes(now, recheck), ends: now + longest }
  }

  async check(_login: string, standing: StandingLogin<LocalLogin>): Promise<LoginChecked> {
    const { login, clock } = this.#parts
    const { held } = standing
    const proof = await proveAgain(login.ways, held)
    switch (proof.outcome) {
      case 'proven': {
        const renewal = checkTimes(clock.now(), login.config.recheck)
        return {
          outcome: 'current',
          identity: proof.identity,
          standing,
          next: { ...held, renewal },
        }
      }
      case 'rejected': {
        const { code } = proof
        return { outcome: 'ended', detail: code, isAccountGone: ACCOUNT_GONE.has(code) }
      }
      case 'refused':
        return { outcome: 'ended', detail: proof.code }
      case 'unsupported':
        return { outcome: 'ended', detail: 'it is not configured' }
      case 'unavailable': {
        const { cause } = proof
        const message = `${held.authenticator}: ${describeError(cause)}`
        throw new CountersignError('unavailable', message, { cause })
      }
    }
  }
}

const certificateOf = (certificate: string): LocalLogin['proven'] =>
  certificate === '' ? undefined : { certificate }

const accountOf = ({
  account,
  credential,
  authenticatedAt,
  methods,
}: Identity): LocalLogin['proven'] =>
  account === undefined ? undefined : { account, credential, authenticatedAt, methods }
