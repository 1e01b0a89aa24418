// The provider with its middleware, in the order in which a request passes it.

import type { IncomingMessage } from 'node:http'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { AuditSink } from '../../audit/sink.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import type { SigningKeySet } from '../../keys/signing-key-set.ts'
import type { Logins } from '../../logins/logins.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { AttemptStore } from '../../state/attempt-store.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import type { RevocableRecords } from '../../state/record-store.ts'
import type { PageSender } from '../http/page-sender.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { recording } from './audit-middleware.ts'
import { refusingOtherBrowsers, type BrowserBinding } from './browser-binding.ts'
import type { BrowserRecords } from './browser-records.ts'
import { answeringLostForms, limitingUserCodes } from './device-guard.ts'
import { DeviceLimits } from './device-limits.ts'
import { linksSessions } from './link-session.ts'
import { checkingLoginStatus, loggingOutUpstream } from './login-middleware.ts'
import { logoutFetch } from './logout-fetch.ts'
import { ProviderPages } from './provider-pages.ts'
import { createProvider } from './provider.ts'
import { sessionClient } from './session-client.ts'

/** What a mounted provider needs. */
export interface MountedProviderParts {
  readonly server: AuthorizationServer
  readonly keys: SigningKeySet
  readonly logins: Logins
  readonly records: RevocableRecords
  readonly attempts: AttemptStore
  readonly derivedKeys: DerivedKeys
  readonly browserRecords: BrowserRecords
  readonly binding: BrowserBinding
  readonly sender: PageSender
  readonly audit: AuditSink
  readonly metrics: IssuerMetrics
  /** Logs what Koa reports: a bug, or a broken connection. */
  readonly logFailure: (cause: unknown, request?: IncomingMessage) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the provider of a configuration with the keys that sign now. */
export const mountedProvider = (parts: MountedProviderParts): Provider => {
  const { server, keys, logins, derivedKeys, sender, binding, logFailure } = parts
  const { login } = server
  const { sessions, provenLogins, upstreamLogout, status } = logins
  const deviceLimits = new DeviceLimits({ attempts: parts.attempts, keys: derivedKeys })
  const provider = createProvider({
    ...parts,
    signers: keys.signers(),
    accounts: login && logins.accounts,
    cookieKey: derivedKeys.of('login-cookies'),
    sessionClient: sessionClient(
      server,
      derivedKeys.of('session-client'),
      login?.config.algorithm ?? 'ES256',
    ),
    fetch: logoutFetch(server.url, sessions),
    pages: new ProviderPages(sender, upstreamLogout.logoutUrlsOf),
    statusOf: status.login,
    linkSession: linksSessions(provenLogins, parts.clock),
    deviceLimits,
  })
  Object.assign(provider, {
    onerror: (cause: unknown, ctx?: KoaContextWithOIDC) => logFailure(cause, ctx?.req),
  })
  const around = { ...parts, provider, provenLogins, upstreamLogout, statusOf: status.login }
  provider.use(securePages)
  provider.use(refusingOtherBrowsers({ provider, binding, sender }))
  provider.use(limitingUserCodes({ ...around, limits: deviceLimits }))
  provider.use(answeringLostForms(sender))
  provider.use(recording({ ...parts, keys: derivedKeys }))
  provider.use(checkingLoginStatus(around))
  provider.use(loggingOutUpstream(around))
  return provider
}

/** Headers of the pages that are the provider's own: forms that submit themselves. */
const securePages = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
  ctx.set({
    // The provider adds the hashes of its scripts to `script-src`.
    'content-security-policy':
      "default-src 'none'; script-src; frame-ancestors 'none'; base-uri 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  })
  await next()
}
