// The logins of one configuration that providers of others vouch for: what is known of them, and how they
// end.

import type { LoginProvider } from '../../../check/login-providers.ts'
import type { SessionRenewal } from '../../../logins/browser-sessions.ts'
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
  readonly logins: Pick<LoginRecords, 'ofGrant'>
}

/** What a login lets its sessions have. */
export interface LoginTerms {
  /** Its id. */
  readonly login: string
  /** When it ends in any case, in milliseconds since the epoch. */
  readonly ends: number
  /** When it is checked again; absent where it is not. */
  readonly renewal?: SessionRenewal
}

/** Them. */
export interface VouchedLogins {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly held: HeldLogins
  readonly farewell: Farewell
  readonly settleLogin: SettleLogin
  /** How long sessions of a login are good, by a grant that was given in it; `undefined` for no login. */
  termsOf(grant: string): Promise<LoginTerms | undefined>
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
    async termsOf(grant) {
      const login = await logins.ofGrant(grant)
      const standing = login === undefined ? undefined : await held.find(login)
      if (login === undefined || standing === undefined) return undefined
      const { session: uid, renewal, ends } = standing.held
      if (renewal === undefined) return { login, ends }
      return { login, ends, renewal: { uid, login, from: renewal.from, by: renewal.by } }
    },
  }
}
