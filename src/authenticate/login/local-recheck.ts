// Logins by a password or a certificate: what is stored of them, and how they are checked again without the user. A
// login that cannot be checked again is shorter.

import type { AccountEnd } from '../password/verifier.ts'
import type { LoginConfig } from '../../logins/schema.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { checkTimes, type LoginCheck, type LoginChecked } from '../../logins/recheck.ts'
import type { LocalLogin, ProvenLoginRecord } from '../../logins/proven-logins.ts'
import { proveAgain, type LoginMethod } from './prove.ts'

/** The dependencies of {@link LocalRecheck}. */
export interface LocalRecheckParts {
  readonly config: Pick<LoginConfig, 'recheck' | 'maxLifetime' | 'maxLifetimeWithoutRecheck'>
  readonly methods: readonly LoginMethod[]
  readonly clock: Clock
}

// The account cannot be used any longer. After a changed or expired password it can, by another login.
const ACCOUNT_GONE: ReadonlySet<string> = new Set<AccountEnd>([
  'user-unknown',
  'user-replaced',
  'user-disabled',
  'user-locked',
  'user-expired',
])

/** The local logins of one configuration. */
export class LocalRecheck implements LoginCheck<LocalLogin> {
  readonly #parts: LocalRecheckParts

  constructor(parts: LocalRecheckParts) {
    this.#parts = parts
  }

  /**
   * The record of a login.
   *
   * @param identity that was authenticated
   * @param certificate of the connection by Envoy: URL-encoded PEM; empty for none
   */
  loginOf(identity: Identity, certificate: string): Omit<LocalLogin, 'session' | 'user'> {
    const { config, clock } = this.#parts
    const { recheck, maxLifetime, maxLifetimeWithoutRecheck } = config
    const { authenticator, method } = identity
    const loginMethod = method === 'certificate' ? 'certificate' : 'password'
    const proven = loginMethod === 'certificate' ? certificateOf(certificate) : accountOf(identity)
    const now = clock.now()
    if (proven === undefined) {
      return {
        authenticator,
        method: loginMethod,
        ends: now + Math.min(maxLifetime, maxLifetimeWithoutRecheck),
      }
    }
    return {
      authenticator,
      method: loginMethod,
      proven,
      renewal: checkTimes(now, recheck),
      ends: now + maxLifetime,
    }
  }

  async check(_login: string, record: ProvenLoginRecord<LocalLogin>): Promise<LoginChecked> {
    const { config, methods, clock } = this.#parts
    const { proven } = record
    const proof = await proveAgain(methods, proven)
    switch (proof.outcome) {
      case 'proven': {
        const renewal = checkTimes(clock.now(), config.recheck)
        return {
          outcome: 'current',
          identity: proof.identity,
          record,
          next: { ...proven, renewal },
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
        const message = `${proven.authenticator}: ${describeError(cause)}`
        throw new CountersignError('unavailable', message, { cause })
      }
    }
  }
}

const certificateOf = (certificate: string): LocalLogin['proven'] =>
  certificate === '' ? undefined : { certificate }

const accountOf = ({ account, digest, authenticatedAt, methods }: Identity): LocalLogin['proven'] =>
  account === undefined ? undefined : { account, credential: digest, authenticatedAt, methods }
