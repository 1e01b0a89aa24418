// The claims of codes and tokens about a user: those of the login that they belong to.

import { errors, type AccessToken, type FindAccount, type KoaContextWithOIDC } from 'oidc-provider'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { Accounts, KnownAccount } from '../../logins/accounts.ts'
import { loginOfBrowser, loginOfGrant } from './login-fields.ts'
import { answered } from './record-adapter.ts'

/** What finding needs. */
export interface AccountFinderParts {
  /** Absent where no login is configured. */
  readonly accounts: Accounts | undefined
  /** The status of a login, by its id. */
  readonly statusOf: LoginStatusLookup
}

/** Finds what a login proved: that of a code or a token, or else that of the browser. */
export const accountFinder =
  ({ accounts, statusOf }: AccountFinderParts): FindAccount =>
  async (ctx, sub, token) => {
    const grant = token?.grantId
    const id = token === undefined ? loginOfBrowser(ctx) : await loginOfGrant(ctx, grant ?? '')
    if (id === undefined) return undefined
    // A login that was proven just now is not linked to the session yet, and needs no check.
    const isNew = token === undefined && ctx.oidc.result?.login !== undefined
    if (!isNew && (await answered(statusOf(id))) === 'ended') return undefined
    const account = await accountOf(id, accounts)
    if (account?.subject !== sub) return undefined
    // Routes look up by it whether a login has ended; RFC 9068 has no claim for that.
    const further = grant === undefined ? {} : { grant_id: grant }
    return {
      accountId: sub,
      claims: (use) => ({ sub, ...account.claims, ...(use === 'id_token' ? further : {}) }),
    }
  }

/**
 * What the login of a token proved, as its resource wants to read it.
 *
 * @throws errors.InvalidGrant when the login has ended, or was before the resource was configured
 */
export const claimsOf = async (
  ctx: KoaContextWithOIDC,
  { accountId, grantId, resourceServer }: AccessToken,
  accounts: Accounts | undefined,
): Promise<Record<string, unknown> | undefined> => {
  if (resourceServer === undefined) return undefined
  const login = await loginOfGrant(ctx, grantId)
  const account = login === undefined ? undefined : await accountOf(login, accounts)
  const claims = account?.resources[resourceServer.identifier()]
  if (claims === undefined || account?.subject !== accountId) {
    throw new errors.InvalidGrant('the login has ended')
  }
  return { ...claims, grant_id: grantId }
}

const accountOf = async (
  login: string,
  accounts: Accounts | undefined,
): Promise<KnownAccount | undefined> =>
  accounts === undefined ? undefined : await answered(accounts.find(login))

/** The parts of a token that identify its login; a client that acts for itself has none. */
export interface TokenOfLogin {
  readonly accountId?: string | undefined
  readonly grantId?: string | undefined
}

/** Whether the login of a token has ended. */
export const hasEndedLogin = async (
  ctx: KoaContextWithOIDC,
  { accountId, grantId = '' }: TokenOfLogin,
  statusOf: LoginStatusLookup,
): Promise<boolean> => {
  if (accountId === undefined) return false
  const login = await loginOfGrant(ctx, grantId)
  return login === undefined || (await answered(statusOf(login))) === 'ended'
}
