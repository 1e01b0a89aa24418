// Middleware that writes audit events: tokens before they leave, logouts once they are done.

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { SessionsEndedEvent, TokensIssuedEvent } from '../../audit/event.ts'
import type { AuditSink } from '../../audit/sink.ts'
import type { Logger } from '../../runtime/logger.ts'
import { readToken } from '../../authenticate/bearer/token.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import { loginOf } from '../../logins/login-id.ts'
import { sourceOf } from '../http/caller.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { ENDPOINTS, LOGOUT_FORM } from '../http/paths.ts'
import { requestIdOf } from '../http/request-id.ts'

/** What recording needs. */
export interface RecordingParts {
  /** Hashes tokens without a `jti`. */
  readonly keys: DerivedKeys
  readonly audit: AuditSink
  readonly metrics: IssuerMetrics
  readonly logger: Logger
}

/** Middleware that records. */
export const recording =
  ({ audit, keys, metrics, logger }: RecordingParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next()
    const event = tokensIn(ctx, keys) ?? logoutIn(ctx)
    if (event === undefined) return
    try {
      await audit.write(event)
    } catch (cause) {
      logger.error({ err: cause, event }, 'audit event lost')
      if (event.event === 'tokens-issued') withhold(ctx, metrics)
    }
  }

const withhold = (ctx: KoaContextWithOIDC, metrics: IssuerMetrics): void => {
  metrics.tokensRefused('temporarily_unavailable')
  ctx.status = 503
  ctx.body = { error: 'temporarily_unavailable', error_description: 'nothing can be recorded' }
}

/** One event for each answer with tokens. */
const tokensIn = (ctx: KoaContextWithOIDC, keys: DerivedKeys): TokensIssuedEvent | undefined => {
  if (ctx.path !== ENDPOINTS.token || ctx.status !== 200) return undefined
  const { params, client, entities, account } = ctx.oidc
  const { AccessToken, ClientCredentials } = entities
  const token = AccessToken ?? ClientCredentials
  return {
    event: 'tokens-issued',
    request: requestIdOf(ctx.req),
    login: loginOf(entities.Grant),
    ...namesOf(ctx.body, keys),
    grantType: String(params?.['grant_type']),
    client: client?.clientId ?? '',
    source: sourceOf(ctx.req),
    user: account?.accountId,
    scope: token?.scope,
    resource: token?.resourceServer?.identifier(),
  }
}

/** What the tokens of an answer are known by. */
const namesOf = (body: unknown, keys: DerivedKeys): Pick<TokensIssuedEvent, 'jti' | 'tokens'> => {
  const answer = isJsonObject(body) ? body : {}
  const names = TOKENS.flatMap((kind) => {
    const token = answer[kind]
    if (typeof token !== 'string') return []
    const id = jtiOf(token)
    // Some tokens are usable by their `jti` alone.
    return [
      id === undefined ? { tokens: keys.of('token', token).slice(0, HASH_LENGTH) } : { jti: id },
    ]
  })
  const jti = names.flatMap((name) => name.jti ?? [])
  const tokens = names.flatMap((name) => name.tokens ?? [])
  return {
    ...(jti.length === 0 ? {} : { jti }),
    ...(tokens.length === 0 ? {} : { tokens }),
  }
}

const TOKENS = ['access_token', 'id_token', 'refresh_token'] as const
// As of other credentials: enough to distinguish them.
const HASH_LENGTH = 16

/** Of a JWT that this issuer signed. */
const jtiOf = (token: string): string | undefined => {
  const reading = readToken(token)
  const jti = reading.outcome === 'token' ? reading.token.claims['jti'] : undefined
  return typeof jti === 'string' ? jti : undefined
}

/** OpenID Connect RP-Initiated Logout 1.0, where a user was logged in, and confirmed it. */
const logoutIn = (ctx: KoaContextWithOIDC): SessionsEndedEvent | undefined => {
  if (ctx.path !== LOGOUT_FORM || ctx.status !== 303) return undefined
  const { session, params } = ctx.oidc
  if (session?.accountId === undefined || !params?.['logout']) return undefined
  return {
    event: 'sessions-ended',
    request: requestIdOf(ctx.req),
    login: loginOf(session),
    user: session.accountId,
    which: 'current',
    source: sourceOf(ctx.req),
  }
}
