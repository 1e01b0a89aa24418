// The status of a login, which every use of its tokens and sessions checks. A login is active while its account is
// known, no sign-out of its user is later, and its recheck has not failed.

import type { Accounts } from './accounts.ts'
import type { LoginStore } from './login-store.ts'
import type { RevocationMarks } from './revocation-marks.ts'

/** The status of a login. */
export type LoginStatus = 'active' | 'ended'

/**
 * Returns a login's status by an id. A recheck that is due runs in the background while its time is not over.
 *
 * @throws CountersignError `unavailable` when the status cannot be determined
 */
export type LoginStatusLookup = (id: string) => Promise<LoginStatus>

/** The status of logins, as sessions and tokens refer to them. */
export interface LoginStatusProvider {
  /** By the id of the login. */
  readonly login: LoginStatusLookup
  /** By a grant of the login (`grant_id`). */
  readonly grant: LoginStatusLookup
}

/** What the lookup needs. */
export interface LoginStatusParts {
  readonly accounts: Pick<Accounts, 'find'>
  readonly revocationMarks: Pick<RevocationMarks, 'lastOf'>
  /** The status by the last recheck, or by one that is due. */
  readonly recheck: LoginStatusLookup
}

/** Looks up logins by their ids. Rejects when `state` does not answer. */
export const loginStatusLookup =
  ({ accounts, revocationMarks, recheck }: LoginStatusParts): LoginStatusLookup =>
  async (login) => {
    const account = await accounts.find(login)
    if (account === undefined) return 'ended'
    // Also when a rollback of the store restores what the sign-out removed.
    const { began, subject } = account
    if (began <= (await revocationMarks.lastOf(subject))) return 'ended'
    return await recheck(login)
  }

/** Looks up the login of a token by its grant (`grant_id`). */
export const grantStatusLookup =
  (logins: Pick<LoginStore, 'ofGrant'>, statusOf: LoginStatusLookup): LoginStatusLookup =>
  async (grantId) => {
    const login = await logins.ofGrant(grantId)
    return login === undefined ? 'ended' : await statusOf(login)
  }

const fixed = (status: LoginStatus): LoginStatusProvider => {
  const lookup: LoginStatusLookup = async () => await Promise.resolve(status)
  return { login: lookup, grant: lookup }
}

/** Without `issuer.login`, no login is active. */
export const NO_LOGINS = fixed('ended')

/** For commands that read no state: no login is known to have ended. */
export const ALL_ACTIVE = fixed('active')
