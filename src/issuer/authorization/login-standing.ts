// Whether a login is still good: what every use of a token or a session of it asks. It is where it is known,
// was not before a sign-out of its user, and whoever vouches for it still does.

import type { AskStanding } from '../../authenticate/session/authenticator.ts'
import type { SignOuts } from '../../logins/sign-outs.ts'
import type { Accounts } from './accounts.ts'
import type { LoginRecords } from './login-records.ts'

/** What answering needs. */
export interface LoginStandingParts {
  /** Absent where no login is configured: then none is good. */
  readonly accounts: Pick<Accounts, 'find'> | undefined
  readonly signOuts: Pick<SignOuts, 'lastOf'>
  /** Of what else ends a login. */
  readonly vouching: AskStanding
}

/** Answers for a login, by its id. The answer rejects where `state` cannot be asked. */
export const loginStanding =
  ({ accounts, signOuts, vouching }: LoginStandingParts): AskStanding =>
  async (login) => {
    const account = await accounts?.find(login)
    if (account === undefined) return 'ended'
    // Also where somebody puts back what the sign-out removed.
    const { began, subject } = account
    if (began <= (await signOuts.lastOf(subject))) return 'ended'
    return await vouching(login)
  }

/** Answers for the login of a token, by the grant that it was given out by (`grant_id`). */
export const grantStanding =
  (logins: Pick<LoginRecords, 'ofGrant'>, standing: AskStanding): AskStanding =>
  async (grantId) => {
    const login = await logins.ofGrant(grantId)
    return login === undefined ? 'ended' : await standing(login)
  }
