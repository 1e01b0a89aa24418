// What the provider did for somebody, in the audit log: tokens before they leave, logouts once they are
// done. It stands around the provider as a part of its own request handling.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { SessionsEndedEvent, TokensIssuedEvent } from '../../audit/event.ts'
import type { AuditSink } from '../../audit/sink.ts'
import type { Logger } from '../../runtime/logger.ts'
import { sourceOf } from '../caller.ts'
import type { IssuerObserver } from '../observer.ts'
import { ENDPOINTS, LOGOUT_FORM } from '../paths.ts'
import { requestIdOf } from '../request-id.ts'

/** What recording needs. */
export interface RecordingParts {
  readonly audit: AuditSink
  readonly observer: IssuerObserver
  readonly logger: Logger
}

/** Middleware that records. */
export const recording =
  ({ audit, observer, logger }: RecordingParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    const event = tokensIn(ctx) ?? logoutIn(ctx)
    if (event === undefined) return
    try {
      await audit.write(event)
    } catch (cause) {
      logger.error({ err: cause, event }, 'audit event lost')
      if (event.event === 'tokens-issued') withhold(ctx, observer)
    }
  }

const withhold = (ctx: KoaContextWithOIDC, observer: IssuerObserver): void => {
  observer.tokensRefused('temporarily_unavailable')
  ctx.status = 503
  ctx.body = { error: 'temporarily_unavailable', error_description: 'nothing can be recorded' }
}

/** One event for each answer with tokens. */
const tokensIn = (ctx: KoaContextWithOIDC): TokensIssuedEvent | undefined => {
  if (ctx.path !== ENDPOINTS.token || ctx.status !== 200) return undefined
  const { params, client, entities, account } = ctx.oidc
  const { AccessToken, ClientCredentials } = entities
  const token = AccessToken ?? ClientCredentials
  return {
    event: 'tokens-issued',
    request: requestIdOf(ctx.req),
    grant: String(params?.['grant_type']),
    client: client?.clientId ?? '',
    source: sourceOf(ctx.req),
    user: account?.accountId,
    scope: token?.scope,
    resource: token?.resourceServer?.identifier(),
  }
}

/** OpenID Connect RP-Initiated Logout 1.0, where there was somebody to log out, who said yes. */
const logoutIn = (ctx: KoaContextWithOIDC): SessionsEndedEvent | undefined => {
  if (ctx.path !== LOGOUT_FORM || ctx.status !== 303) return undefined
  const { session, params } = ctx.oidc
  if (session?.accountId === undefined || !params?.['logout']) return undefined
  return {
    event: 'sessions-ended',
    request: requestIdOf(ctx.req),
    user: session.accountId,
    which: 'here',
    source: sourceOf(ctx.req),
  }
}
