// The authorization server of one configuration over HTTP: it mounts the provider, the pages, and the sessions of routes.
// A failure is answered with 503, and grants nothing.

import type { IncomingMessage } from 'node:http'
import type { AuditSink } from '../audit/sink.ts'
import type { AuthorizationServer } from '../check/authorization-server.ts'
import type { SigningKeySet } from '../keys/signing-key-set.ts'
import type { Logins } from '../logins/logins.ts'
import { SESSION_PREFIX } from '../logins/session-client.ts'
import type { Clock } from '../runtime/clock.ts'
import { cutText } from '../runtime/text.ts'
import type { Application } from '../runtime/http/server.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AttemptStore } from '../state/attempt-store.ts'
import type { DerivedKeys } from '../state/derived-keys.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import { sourceOf } from './http/caller.ts'
import { PageSender } from './http/page-sender.ts'
import { requestIdOf } from './http/request-id.ts'
import type { IssuerMetrics } from './http/metrics.ts'
import { pagesOf } from './pages/pages.ts'
import { BrowserBinding } from './provider/browser-binding.ts'
import { BrowserRecords } from './provider/browser-records.ts'
import { mountedProvider } from './provider/mounted-provider.ts'
import { SessionEndpoints } from './session/endpoints.ts'
import type { TokenClient } from './session/loopback-token-client.ts'

/** What is served. */
export interface Served {
  readonly server: AuthorizationServer
  readonly logins: Logins
  readonly keys: SigningKeySet
}

/** What the applications of all configurations share. */
export interface ApplicationParts {
  readonly records: RevocableRecords
  /** Counts what is limited; shared as the records are. */
  readonly attempts: AttemptStore
  /** Of the state: replicas that share it have equal keys. */
  readonly derivedKeys: DerivedKeys
  readonly audit: AuditSink
  readonly metrics: IssuerMetrics
  readonly tokenClient: TokenClient
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes the application. When a signing key changes its state, a new application is needed. */
export const createApplication = (served: Served, parts: ApplicationParts): Application => {
  const { url, theme } = served.server
  const { derivedKeys, clock, logger } = parts
  const logFailure = failureLog(logger)
  const sender = new PageSender(theme, url)
  const binding = new BrowserBinding(url, derivedKeys, clock)
  const browserRecords = new BrowserRecords(url, derivedKeys, clock)
  const shared = { ...parts, ...served, sender, binding, browserRecords, logFailure }
  const provider = mountedProvider(shared)
  const answer: (...exchange: Parameters<Application>) => Promise<void> = async (_path, ...rest) =>
    await provider.callback()(...rest)
  const pageAt = pagesOf({ ...shared, provider })
  const session = new SessionEndpoints(shared)
  return async (path, request, response) => {
    try {
      if (path.startsWith(SESSION_PREFIX)) return await session.answer(path, request, response)
      reachAs(url, request)
      const page = pageAt(path) ?? answer
      await browserRecords.within(request, response, async () => page(path, request, response))
    } catch (cause) {
      logFailure(cause, request)
      if (response.headersSent) response.destroy()
      else sender.tell('unavailable', 503, request, response)
    }
  }
}

// Of what a client wrote, in a line of the log.
const MAX_PATH = 256

const failureLog =
  (logger: Logger) =>
  (cause: unknown, request?: IncomingMessage): void => {
    const [path = ''] = request?.url?.split('?', 1) ?? []
    const about = request && { path: cutText(path, MAX_PATH), request: requestIdOf(request) }
    // Clients can leave as many requests incomplete as they like.
    if (request?.complete === false) logger.debug(about, 'request not received')
    else logger.error({ err: cause, ...about }, 'request failed')
  }

/**
 * Links and cookies are for the configured URL, however the request reached the listener. The client's own `Host` and
 * forwarding headers are replaced, so that no client can redirect a link.
 */
const reachAs = (issuer: string, request: IncomingMessage): void => {
  const { host, protocol } = new URL(issuer)
  request.headers.host = host
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  delete request.headers['x-forwarded-host']
  request.headers['x-forwarded-for'] = sourceOf(request)
}
