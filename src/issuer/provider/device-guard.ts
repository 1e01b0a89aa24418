// Middleware of the form for user codes (RFC 8628 §3.3): too many wrong codes are answered with 429, a form without its
// session with a page.

import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { sourceOf } from '../http/caller.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import type { PageSender } from '../http/page-sender.ts'
import { ACCOUNT, ENDPOINTS } from '../http/paths.ts'
import type { DeviceLimits, GuessReservation } from './device-limits.ts'

/** What guarding needs. */
export interface DeviceGuardParts {
  readonly provider: Provider
  readonly limits: DeviceLimits
  readonly sender: PageSender
  readonly metrics: IssuerMetrics
  readonly logger: Logger
}

/** Counts the user codes that browsers enter. */
export const limitingUserCodes =
  (parts: DeviceGuardParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.method !== 'POST' || ctx.path !== ENDPOINTS.code_verification) return await next()
    const { sender, metrics } = parts
    const result = await reservationOf(ctx, parts)
    if (result?.outcome !== 'taken') {
      ctx.respond = false
      if (result === undefined) return sender.tell('unavailable', 503, ctx.req, ctx.res)
      metrics.deviceCode('entered', 'limited')
      const more = result.loginHelps ? { logIn: ACCOUNT } : {}
      const wait = result.retryAfter
      return sender.tell('too-many', 429, ctx.req, ctx.res, { wait, ...more })
    }
    let isWrong = false
    try {
      await next()
      const { params, entities } = 'oidc' in ctx ? ctx.oidc : NOTHING
      // Not one that has expired or was used.
      const isKnown = entities.DeviceCode !== undefined
      // Where the form's session has ended (`answeringLostForms`), nothing was looked up.
      const isEntered = ctx.respond !== false && typeof params?.['user_code'] === 'string'
      isWrong = isEntered && !isKnown
      if (isWrong || isKnown) metrics.deviceCode('entered', isKnown ? 'accepted' : 'unknown')
    } finally {
      await result.settle(isWrong)
    }
  }

/** Without `issuer.login` there is no such endpoint. */
const NOTHING: Pick<KoaContextWithOIDC['oidc'], 'params' | 'entities'> = { entities: {} }

/** `undefined` where it cannot be counted. */
const reservationOf = async (
  ctx: KoaContextWithOIDC,
  { provider, limits, logger }: DeviceGuardParts,
): Promise<GuessReservation | undefined> => {
  try {
    const { accountId: user } = await provider.Session.get(ctx)
    return await limits.enter({ source: sourceOf(ctx.req), user })
  } catch (cause) {
    logger.warn({ reason: describeError(cause) }, 'user code refused')
    return undefined
  }
}

/**
 * Answers with a page where the browser of the form has no session: its cookie has expired, or the browser keeps none.
 * `oidc-provider` 9.13 writes its refusal into the missing session, and the response would be Koa's "Internal Server
 * Error".
 */
export const answeringLostForms =
  (sender: PageSender) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    try {
      await next()
    } catch (cause) {
      const { method, path, oidc, req, res } = ctx
      const isForm = method === 'POST' && path === ENDPOINTS.code_verification
      if (!isForm || oidc.session?.exp !== undefined) throw cause
      ctx.body = null // the body that the library has begun, with its length
      ctx.respond = false
      sender.tell(req.headers.cookie === undefined ? 'no-cookie' : 'expired', 400, req, res)
    }
  }
