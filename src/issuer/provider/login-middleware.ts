// Middleware for logins: rejects those that have ended, and logs federated ones out at their upstream IdP (RP-initiated
// logout).

import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { LoginStatusLookup } from '../../logins/status.ts'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { PageSender } from '../http/page-sender.ts'
import { ENDPOINTS, LOGOUT_FORM } from '../http/paths.ts'
import type { UpstreamLogout } from '../../logins/upstream-logout.ts'
import { loginOf } from '../../logins/login-id.ts'
import type { FederatedLogin, ProvenLogins } from '../../logins/proven-logins.ts'

/** What it needs. */
export interface LoginMiddlewareParts {
  readonly provider: Provider
  readonly provenLogins: ProvenLogins
  readonly upstreamLogout: Pick<UpstreamLogout, 'end' | 'logoutUrlOf'>
  readonly statusOf: LoginStatusLookup
  readonly sender: PageSender
  readonly logger: Logger
}

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>

// Where a login leads to something without being shown anew.
const GUARDED: ReadonlySet<string> = new Set([ENDPOINTS.authorization, ENDPOINTS.code_verification])

/** Before an authorization: ends the session of a login that has ended. */
export const checkingLoginStatus =
  ({ provider, statusOf, sender, logger }: LoginMiddlewareParts): Middleware =>
  async (ctx, next) => {
    if (!GUARDED.has(ctx.path)) return await next()
    try {
      const session = await provider.Session.get(ctx)
      const login = loginOf(session)
      const isOver =
        session.accountId !== undefined &&
        (login === undefined || (await statusOf(login)) === 'ended')
      if (isOver) await session.destroy()
    } catch (cause) {
      logger.warn({ reason: describeError(cause) }, 'authorization refused')
      ctx.respond = false
      return sender.tell('unavailable', 503, ctx.req, ctx.res)
    }
    await next()
  }

/** After a logout (OpenID Connect RP-Initiated Logout 1.0): redirects to the upstream IdP, and back from there. */
export const loggingOutUpstream =
  (parts: LoginMiddlewareParts): Middleware =>
  async (ctx, next) => {
    await next()
    if (ctx.path !== LOGOUT_FORM || ctx.status !== 303) return
    const { session, params } = ctx.oidc
    if (session?.accountId === undefined || !params?.['logout']) return
    try {
      const login = await federatedLoginIn(session, parts)
      const target = ctx.response.get('location')
      if (login !== undefined) ctx.redirect(await parts.upstreamLogout.logoutUrlOf(login, target))
      ctx.status = 303
    } catch (cause) {
      // The login here has ended.
      parts.logger.warn({ reason: describeError(cause) }, 'logout at the provider failed')
    }
  }

/** The federated login of a session. It ends, unless a client keeps using it (`offline_access`). */
const federatedLoginIn = async (
  {
    uid,
    authorizations,
  }: Pick<NonNullable<KoaContextWithOIDC['oidc']['session']>, 'uid' | 'authorizations'>,
  { provenLogins, upstreamLogout }: LoginMiddlewareParts,
): Promise<FederatedLogin | undefined> => {
  const goesOn = Object.values(authorizations ?? {}).some(({ persistsLogout }) => persistsLogout)
  return goesOn ? await provenLogins.latestIn(uid) : await upstreamLogout.end(uid)
}
