// The logins of one configuration, opened: everything about logins that needs neither HTTP nor pages. It is opened before
// the authenticators of sessions and tokens, which look statuses up here.

import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import { Accounts, type DescribeAccount } from './accounts.ts'
import { BrowserSessions, type SessionRenewal } from './browser-sessions.ts'
import type { LoginEventSink } from './events.ts'
import { LoginStore } from './login-store.ts'
import { Logout, type NotifyClient } from './logout.ts'
import { ProvenLogins, type LocalLogin } from './proven-logins.ts'
import { LoginRecheck, type LoginCheck } from './recheck.ts'
import { RevocationMarks } from './revocation-marks.ts'
import { grantStatusLookup, loginStatusLookup, type LoginStatusProvider } from './status.ts'
import { UpstreamLogout } from './upstream-logout.ts'
import { UpstreamRecheck } from './upstream-recheck.ts'
import type { UpstreamIdp } from './upstream-idp/upstream-idp.ts'

/** What logins are opened with. */
export interface LoginsParts {
  /** By their ids. */
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  /** Checks again what authenticators proved. */
  readonly local: LoginCheck<LocalLogin>
  readonly describe: DescribeAccount
  readonly notify: NotifyClient
  readonly records: RevocableRecords
  readonly derivedKeys: DerivedKeys
  readonly events: LoginEventSink
  readonly clock: Clock
  readonly logger: Logger
}

/** What a login grants to its sessions. */
interface LoginTerms {
  /** Its id. */
  readonly login: string
  /** When it ends in any case, in milliseconds since the epoch. */
  readonly ends: number
  /** When it is checked again; absent where it is not. */
  readonly renewal?: SessionRenewal
}

/** The logins of one configuration. */
export interface Logins {
  readonly status: LoginStatusProvider
  readonly accounts: Accounts
  readonly store: LoginStore
  readonly sessions: BrowserSessions
  readonly provenLogins: ProvenLogins
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly upstreamLogout: UpstreamLogout
  readonly logout: Logout
  /** Notifies a client of a logout. Never rejects. */
  readonly notify: NotifyClient
  /** What the login of a grant lets sessions have; `undefined` where the login has ended. */
  termsOf(grant: string): Promise<LoginTerms | undefined>
}

/** Opens the logins of a configuration. Nothing runs until a login is used. */
export const openLogins = (parts: LoginsParts): Logins => {
  const { upstreamIdps, notify, records, derivedKeys, clock } = parts
  const store = new LoginStore(records)
  const sessions = new BrowserSessions(records, derivedKeys, clock)
  const accounts = new Accounts(parts)
  const provenLogins = new ProvenLogins(records)
  const upstreamLogout = new UpstreamLogout({ ...parts, provenLogins })
  const logout = new Logout({ records: store, sessions, upstreamLogout, notify })
  const upstream = new UpstreamRecheck({ ...parts, provenLogins })
  const recheck = new LoginRecheck({ ...parts, upstream, provenLogins, accounts, sessions, logout })
  const revocationMarks = new RevocationMarks(records, clock)
  const login = loginStatusLookup({ accounts, revocationMarks, recheck: recheck.statusOf })
  return {
    status: { login, grant: grantStatusLookup(store, login) },
    accounts,
    store,
    sessions,
    provenLogins,
    upstreamIdps,
    upstreamLogout,
    logout,
    notify,
    termsOf: async (grant) => await termsOf(grant, store, provenLogins),
  }
}

const termsOf = async (
  grant: string,
  store: LoginStore,
  provenLogins: ProvenLogins,
): Promise<LoginTerms | undefined> => {
  const login = await store.ofGrant(grant)
  const record = login === undefined ? undefined : await provenLogins.find(login)
  if (login === undefined || record === undefined) return undefined
  const { session: uid, renewal, ends } = record.proven
  if (renewal === undefined) return { login, ends }
  return { login, ends, renewal: { uid, login, from: renewal.from, by: renewal.by } }
}
