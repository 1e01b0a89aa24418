// The authorization server of one configuration: which part of it answers a request. Whatever fails,
// somebody is told, and nothing was given out.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { AuditSink } from '../audit/sink.ts'
import type { AuthorizationServer } from '../check/authorization-server.ts'
import type { SigningKeySet } from '../keys/signing-key-set.ts'
import type { Clock } from '../runtime/clock.ts'
import { cutText } from '../runtime/text.ts'
import type { Application } from '../runtime/http/server.ts'
import type { Logger } from '../runtime/logger.ts'
import type { AttemptStore } from '../state/attempt-store.ts'
import type { OpaqueKeys } from '../state/opaque-keys.ts'
import type { RevocableRecords } from '../state/record-store.ts'
import type { LoginStatuses } from '../authenticate/session/login-standings.ts'
import { BrowserSessions } from '../logins/browser-sessions.ts'
import { SignOuts } from '../logins/sign-outs.ts'
import { LoginAttempts } from '../logins/login-attempts.ts'
import { Accounts } from './authorization/accounts.ts'
import { BrowserRecords } from './authorization/browser-records.ts'
import { guardingUserCodes } from './authorization/device-guard.ts'
import { DeviceLimits } from './authorization/device-limits.ts'
import { LoginRecords } from './authorization/login-records.ts'
import { grantStanding, loginStanding } from './authorization/login-standing.ts'
import { createProvider } from './authorization/provider.ts'
import { ProviderPages } from './authorization/provider-pages.ts'
import { recording } from './authorization/recording.ts'
import { tellClientsOf } from './authorization/tell-client.ts'
import { sourceOf } from './caller.ts'
import { refusingLostForms } from './device-form.ts'
import { BrowserBinding, refusingOtherBrowsers } from './login/browser-binding.ts'
import { Interactions, isInteractionPath } from './login/interactions.ts'
import { LocalLogins } from './login/local-logins.ts'
import { LoginStatus } from './login/login-status.ts'
import { askingStanding, sayingGoodbye } from './login/provider/around-provider.ts'
import { LogoutEndpoint } from './login/provider/logout-endpoint.ts'
import { UpstreamCheck } from './login/provider/renew-upstream.ts'
import { vouchedLogins } from './login/provider/vouched-logins.ts'
import type { IssuerMetrics } from './metrics.ts'
import { PageSender } from './page-sender.ts'
import { ENDPOINTS } from './paths.ts'
import { AccountPage, isAccountPath } from './session/account.ts'
import { askSelf } from './session/ask-self.ts'
import type { OthersConcerned } from './session/operator-sign-outs.ts'
import { SESSION_PREFIX, SessionEndpoints } from './session/endpoints.ts'
import { logoutFetch } from './session/logout-fetch.ts'
import { sessionClient } from './session/session-client.ts'
import { SignOut } from './session/sign-out.ts'
import { requestIdOf } from './request-id.ts'

/** What outlives a configuration. */
export interface ApplicationParts {
  readonly records: RevocableRecords
  /** Counts what is limited; shared as the records are. */
  readonly attempts: AttemptStore
  /** Of the state, so that replicas that share it make the same ones. */
  readonly opaqueKeys: OpaqueKeys
  readonly audit: AuditSink
  readonly metrics: IssuerMetrics
  readonly clock: Clock
  readonly logger: Logger
  /** Opens a connection to our own listener. */
  readonly connect: () => Duplex
}

/** It answers requests, knows whether logins stand, and reaches whoever else they concern. */
export interface IssuerApplication extends OthersConcerned {
  readonly answer: Application
  readonly statuses: LoginStatuses
}

// Of what a client wrote, in a line of the log.
const MAX_PATH = 256

/** For a connection on which nothing moves once a login has been answered. */
const IDLE_MS = 25_000

/** Makes the application. Its keys are those that sign now: with others it is another. */
export const createApplication = (
  server: AuthorizationServer,
  keys: SigningKeySet,
  parts: ApplicationParts,
): IssuerApplication => {
  const { records, opaqueKeys, audit, metrics, clock, logger, connect } = parts
  const sender = new PageSender(server.look, server.url)
  const logFailure = (cause: unknown, request?: IncomingMessage): void => {
    const [path = ''] = request?.url?.split('?', 1) ?? []
    const about = request && { path: cutText(path, MAX_PATH), request: requestIdOf(request) }
    // Whoever does not send a request to its end can do so without end.
    if (request?.complete === false) logger.debug(about, 'request not received')
    else logger.error({ err: cause, ...about }, 'request failed')
  }
  const { login, resources } = server
  const secret = opaqueKeys.of('session-client')
  const sessions = new BrowserSessions(records, opaqueKeys, clock)
  const loginRecords = new LoginRecords(records)
  const accounts = login && new Accounts(login, resources, { records, clock })
  const vouched = vouchedLogins({
    ...parts,
    providers: login?.providers ?? [],
    issuer: server.url,
    logins: loginRecords,
  })
  const { farewell, settleLogin } = vouched
  const signOuts = new SignOuts(records, clock)
  const standing = loginStanding({
    accounts,
    signOuts,
    vouching: async (id) => (await status?.standing(id)) ?? 'ended',
  })
  const binding = new BrowserBinding(server.url, opaqueKeys, clock)
  const browserRecords = new BrowserRecords(server.url, opaqueKeys, clock)
  const deviceLimits = new DeviceLimits({ attempts: parts.attempts, keys: opaqueKeys })
  const provider = createProvider({
    server,
    signers: keys.signers(),
    accounts,
    records,
    browserRecords,
    cookieKey: opaqueKeys.of('login-cookies'),
    sessionClient: sessionClient(server, secret, login?.config.algorithm ?? 'ES256'),
    fetch: logoutFetch(server.url, sessions),
    pages: new ProviderPages(sender, farewell.placesOf),
    standing,
    settleLogin,
    binding,
    deviceLimits,
    metrics,
    clock,
    logger,
  })
  // What Koa tells of is a bug or a broken connection; what people should know they are told.
  Object.assign(provider, {
    onerror: (cause: unknown, ctx?: KoaContextWithOIDC) => logFailure(cause, ctx?.req),
  })
  provider.use(guardPages)
  provider.use(refusingOtherBrowsers({ provider, binding, sender }))
  provider.use(guardingUserCodes({ provider, limits: deviceLimits, sender, metrics, logger }))
  provider.use(refusingLostForms(sender))
  provider.use(recording({ audit, keys: opaqueKeys, metrics, logger }))
  const around = { ...vouched, provider, standing, sender, logger }
  provider.use(askingStanding(around))
  provider.use(sayingGoodbye(around))
  const answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> =
    provider.callback()
  const formKey = Buffer.from(opaqueKeys.of('login-forms'), 'base64url')
  const logins = { records: loginRecords, sessions, keys: opaqueKeys }
  const tell = tellClientsOf(provider, metrics, logger)
  const signOut = new SignOut({ ...logins, farewell, tell })
  const local = login && new LocalLogins({ login, clock })
  const upstream = new UpstreamCheck({ ...parts, ...vouched })
  const status =
    accounts &&
    local &&
    new LoginStatus({
      ...parts,
      ...vouched,
      local,
      upstream,
      accounts,
      sessions,
      signOut,
    })
  const interactions =
    login &&
    accounts &&
    local &&
    new Interactions({
      ...parts,
      ...vouched,
      issuer: server.url,
      provider,
      login,
      local,
      accounts,
      logoutEndpoint: new LogoutEndpoint({ ...parts, ...vouched, signOut }),
      sender,
      formKey,
      binding,
    })
  const people = login && accounts && { login, accounts }
  const account =
    people &&
    new AccountPage({
      server,
      ...people,
      standing,
      provider,
      logins,
      signOut,
      farewell,
      sender,
      formKey,
      audit,
      clock,
    })
  const attempts = new LoginAttempts(opaqueKeys)
  const askToken = async (form: URLSearchParams) => await askSelf(connect, ENDPOINTS.token, form)
  const routes = new SessionEndpoints({
    server,
    sessions,
    opaqueKeys,
    attempts,
    sender,
    secret,
    askToken,
    termsOf: async (grant) => await vouched.termsOf(grant),
    audit,
    clock,
  })
  const answerAll: Application = async (path, request, response) => {
    try {
      if (path.startsWith(SESSION_PREFIX)) return await routes.answer(path, request, response)
      reachAs(server.url, request)
      await browserRecords.within(request, response, async () => {
        if (interactions !== undefined && isInteractionPath(path)) {
          // The listener ends connections on which nothing moves; here a user may be asked on the telephone.
          request.socket.setTimeout((login?.wait ?? 0) + IDLE_MS)
          await interactions.answer(path, request, response)
        } else if (account !== undefined && isAccountPath(path)) {
          await account.answer(path, request, response)
        } else {
          await answer(request, response)
        }
      })
    } catch (cause) {
      logFailure(cause, request)
      if (response.headersSent) response.destroy()
      else sender.tell('unavailable', 503, request, response)
    }
  }
  const statuses = { login: standing, grant: grantStanding(loginRecords, standing) }
  return { answer: answerAll, statuses, tell, giveBack: farewell.giveBack }
}

/**
 * Links and cookies are for where people reach us, which is the configured URL, whatever way the
 * request took. What it says itself is not asked, so that nobody can turn a link elsewhere.
 */
const reachAs = (issuer: string, request: IncomingMessage): void => {
  const { host, protocol } = new URL(issuer)
  request.headers.host = host
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
  delete request.headers['x-forwarded-host']
  request.headers['x-forwarded-for'] = sourceOf(request)
}

/** For the pages that are the provider's own: forms that send themselves on. */
const guardPages = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
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
