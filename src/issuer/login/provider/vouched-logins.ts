// The logins of one configuration that providers of others vouch for: what is known of them, and how they
// end.

import { SESSION_CLIENT } from '../../../check/login-redirect.ts'
import type { LoginProvider } from '../../../check/login-providers.ts'
import type { SessionRenewal } from '../../../authenticate/session/browser-sessions.ts'
import type { LoginRecords } from '../../authorization/login-records.ts'
import type { AskingParts } from './fetch.ts'
import { Farewell, type FarewellParts } from './farewell.ts'
import type { ForeignProvider } from './foreign-provider.ts'
import { HeldLogins } from './held-logins.ts'
import { foreignProviders } from './provider-logins.ts'
import { settlesLogins, type SettleLogin } from './settle.ts'

/** What it is made of. */
export interface VouchedLoginsParts extends Omit<FarewellParts, 'foreign' | 'held'>, AskingParts {
  readonly providers: readonly LoginProvider[]
  readonly issuer: string
  readonly logins: Pick<LoginRecords, 'findBySid'>
}

/** Them. */
export interface VouchedLogins {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly held: HeldLogins
  readonly farewell: Farewell
  readonly settleLogin: SettleLogin
  /** When whoever vouches for the login of a session of ours is asked again. */
  renewalOf(user: string, sid: string): Promise<SessionRenewal | undefined>
}

/** Makes them. */
export const vouchedLogins = (parts: VouchedLoginsParts): VouchedLogins => {
  const { providers, issuer, records, logins, clock } = parts
  const held = new HeldLogins(records)
  const foreign = foreignProviders(providers, issuer, parts)
  return {
    foreign,
    held,
    farewell: new Farewell({ ...parts, foreign, held }),
    settleLogin: settlesLogins(held, clock),
    async renewalOf(user, sid) {
      const login = await logins.findBySid(user, SESSION_CLIENT, sid)
      const standing = login && (await held.find(login.uid))
      if (login === undefined || standing?.held.renewal === undefined) return undefined
      const { from, by } = standing.held.renewal
      return { uid: login.uid, from, by }
    },
  }
}
