// Rechecks federated logins by their refresh tokens, before the IdP's tokens expire.

import { CountersignError } from '../runtime/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import { checkTimes, type LoginCheck, type LoginChecked } from './recheck.ts'
import type { UpstreamIdp, UpstreamTokens } from './upstream-idp/upstream-idp.ts'
import type { ProvenLogins, Renewal, ProvenLoginRecord, FederatedLogin } from './proven-logins.ts'
import { provenCredentialOf } from './upstream-idp/proven-credential.ts'

/** Dependencies of the recheck. */
export interface UpstreamRecheckParts {
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly provenLogins: ProvenLogins
  readonly derivedKeys: DerivedKeys
  readonly clock: Clock
}

// The lifetime of an upstream IdP's tokens, in milliseconds: without `expires_in`, and at least, since a session has to be
// usable.
const LIFETIME_MS = 300_000
const SHORTEST_MS = 2_000

/** When a login is checked at its upstream IdP; `undefined` without a refresh token. */
export const renewalOf = (
  { refreshToken, lifetime = LIFETIME_MS }: UpstreamTokens,
  now: number,
): Renewal | undefined =>
  refreshToken === undefined
    ? undefined
    : { refreshToken, ...checkTimes(now, Math.max(lifetime, SHORTEST_MS)) }

/** Checks federated logins by their refresh tokens. */
export class UpstreamRecheck implements LoginCheck<FederatedLogin> {
  readonly #parts: UpstreamRecheckParts

  constructor(parts: UpstreamRecheckParts) {
    this.#parts = parts
  }

  async check(login: string, record: ProvenLoginRecord<FederatedLogin>): Promise<LoginChecked> {
    const { provider: id, signed, idToken, renewal } = record.proven
    const idp = this.#parts.upstreamIdps.get(id)
    if (idp === undefined) return { outcome: 'ended', detail: 'it is not configured' }
    if (renewal === undefined)
      throw new TypeError('a login that is renewed without a refresh token')
    const { refreshToken } = renewal
    const tokens = await idp.refresh({ signed, idToken, refreshToken })
    if (tokens.outcome === 'verified') return await this.#accept(login, record, idp, tokens)
    const { reason, detail } = tokens.failure
    // RFC 6749 §5.2: the token is no longer valid. Any other error may pass.
    if (reason === 'provider-refused' && detail === 'invalid_grant') {
      return { outcome: 'ended', detail }
    }
    throw new CountersignError('unavailable', `provider ${id}: ${reason}: ${detail}`)
  }

  async #accept(
    login: string,
    record: ProvenLoginRecord<FederatedLogin>,
    idp: UpstreamIdp,
    tokens: UpstreamTokens,
  ): Promise<LoginChecked> {
    const { provenLogins, derivedKeys, clock } = this.#parts
    const renewal = renewalOf(tokens, clock.now())
    if (renewal === undefined || record.proven.renewal === undefined) {
      throw new TypeError('a login that is renewed without a refresh token')
    }
    // First the token, which is valid once: a retry after a failure below needs it.
    const { signed, idToken, refreshToken } = tokens
    const before = { ...record.proven.renewal, refreshToken: renewal.refreshToken }
    const kept = { ...record.proven, signed, idToken, renewal: before }
    const replaced = await provenLogins.replace(login, record, kept, clock.now())
    if (replaced === undefined) {
      // Logged out meanwhile: this token was not revoked with the earlier ones.
      if (refreshToken !== undefined) await idp.revoke(refreshToken)
      return { outcome: 'superseded' }
    }
    const mapped = idp.mapping.identityOf(provenCredentialOf(idp, tokens, derivedKeys))
    if (mapped.outcome === 'refused') return { outcome: 'ended', detail: mapped.code }
    const { identity } = mapped
    return { outcome: 'current', identity, record: replaced, next: { ...kept, renewal } }
  }
}
