// Logins at upstream IdPs are checked again by their refresh tokens, before what the IdP said has expired.

import { CountersignError } from '../../../runtime/errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { OpaqueKeys } from '../../../state/opaque-keys.ts'
import { checkTimes, type LoginCheck, type LoginChecked } from '../login-status.ts'
import type { ForeignProvider, ProviderStatement } from './foreign-provider.ts'
import type { HeldLogins, Renewal, StandingLogin, UpstreamLogin } from './held-logins.ts'
import { factsAt } from './identity-at.ts'

/** What asking needs. */
export interface UpstreamCheckParts {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly held: HeldLogins
  readonly opaqueKeys: OpaqueKeys
  readonly clock: Clock
}

// How long an upstream IdP vouches for what it said, in milliseconds: where it does not say, and at
// least, since a session has to be usable.
const LIFETIME_MS = 300_000
const SHORTEST_MS = 2_000

/** When an upstream IdP is asked again; `undefined` where it gave nothing to ask by. */
export const renewalOf = (
  { refreshToken, lifetime = LIFETIME_MS }: ProviderStatement,
  now: number,
): Renewal | undefined =>
  refreshToken === undefined
    ? undefined
    : { refreshToken, ...checkTimes(now, Math.max(lifetime, SHORTEST_MS)) }

/** Asks upstream IdPs. */
export class UpstreamCheck implements LoginCheck<UpstreamLogin> {
  readonly #parts: UpstreamCheckParts

  constructor(parts: UpstreamCheckParts) {
    this.#parts = parts
  }

  async check(login: string, standing: StandingLogin<UpstreamLogin>): Promise<LoginChecked> {
    const { provider: id, signed, idToken, renewal } = standing.held
    const provider = this.#parts.foreign.get(id)
    if (provider === undefined) return { outcome: 'ended', detail: 'it is not configured' }
    if (renewal === undefined)
      throw new TypeError('a login that is renewed without a refresh token')
    const { refreshToken } = renewal
    const said = await provider.renew({ signed, idToken, refreshToken })
    if (said.outcome === 'stated') return await this.#believe(login, standing, provider, said)
    const { reason, detail } = said.failure
    // RFC 6749 §5.2: it knows the token no more. Everything else is a failure of it, or of us.
    if (reason === 'provider-refused' && detail === 'invalid_grant') {
      return { outcome: 'ended', detail }
    }
    throw new CountersignError('unavailable', `provider ${id}: ${reason}: ${detail}`)
  }

  async #believe(
    login: string,
    standing: StandingLogin<UpstreamLogin>,
    provider: ForeignProvider,
    said: ProviderStatement,
  ): Promise<LoginChecked> {
    const { held, opaqueKeys, clock } = this.#parts
    const renewal = renewalOf(said, clock.now())
    if (renewal === undefined || standing.held.renewal === undefined) {
      throw new TypeError('a login that is renewed without a refresh token')
    }
    // First the token, which is good once: whatever fails below is tried again with it.
    const { signed, idToken, refreshToken } = said
    const before = { ...standing.held.renewal, refreshToken: renewal.refreshToken }
    const kept = { ...standing.held, signed, idToken, renewal: before }
    const told = await held.replace(login, standing, kept, clock.now())
    if (told === undefined) {
      // Logged out meanwhile: this token was not given back with the others.
      if (refreshToken !== undefined) await provider.revoke(refreshToken)
      return { outcome: 'superseded' }
    }
    const mapped = provider.mapping.identityOf(factsAt(provider, said, opaqueKeys))
    if (mapped.outcome === 'refused') return { outcome: 'ended', detail: mapped.code }
    const { identity } = mapped
    return { outcome: 'current', identity, standing: told, next: { ...kept, renewal } }
  }
}
