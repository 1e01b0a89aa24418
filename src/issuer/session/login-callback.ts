// The redirect URI of logins on the host of a route, which begins a session there (OpenID Connect Core §3.1.2.5). A response
// in another browser than the one that began the login is not used.

import type { AuditSink } from '../../audit/sink.ts'
import { SESSION_COOKIE } from '../../authenticate/session/authenticator.ts'
import {
  cookieName,
  type LoginAttempts,
  type KnownAttempt,
  type ReturnedLogin,
} from '../../logins/login-attempts.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import { type LoginRedirect } from '../../check/answer/login-redirect.ts'
import { callbackOf, SESSION_CLIENT } from '../../logins/session-client.ts'
import { COOKIE_END, endedCookie } from '../../request/cookies.ts'
import type { Claims } from '../../identity/claims.ts'
import type { MessageKind } from '../../pages/views/message.ts'
import { cookiesNamed } from '../../request/cookies.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import { sourceOf } from '../http/caller.ts'
import { idTokenClaims } from '../http/id-token-claims.ts'
import { cookieHeadersOf } from '../http/cookie-headers.ts'
import type { Logins } from '../../logins/logins.ts'
import type { TokenClient } from './loopback-token-client.ts'
import type { PageSender } from '../http/page-sender.ts'
import { requestIdOf } from '../http/request-id.ts'
import { sendOn, type RouteRequest } from './route-request.ts'

/** What returning needs. */
export interface LoginCallbackParts {
  readonly server: Pick<AuthorizationServer, 'url'>
  readonly logins: Pick<Logins, 'sessions' | 'termsOf'>
  readonly loginAttempts: LoginAttempts
  readonly redirect: LoginRedirect
  readonly sender: PageSender
  /** Of the client of the routes' sessions. */
  readonly secret: string
  readonly tokenClient: TokenClient
  readonly audit: AuditSink
  readonly clock: Clock
}

/** The result of a code at the token endpoint. */
type Redemption =
  | { readonly outcome: 'redeemed'; readonly claims: Claims }
  | { readonly outcome: 'refused' }
  /** The store or the audit log is unavailable. */
  | { readonly outcome: 'unavailable' }

/** The callback of one configuration. */
export class LoginCallback {
  readonly #parts: LoginCallbackParts

  constructor(parts: LoginCallbackParts) {
    this.#parts = parts
  }

  /** Answers a request to the callback. */
  async answer(visit: RouteRequest): Promise<void> {
    const { host, url, request, response } = visit
    const { server, loginAttempts, clock } = this.#parts
    const { searchParams: said } = url
    const state = said.get('state') ?? ''
    const name = cookieName(state)
    const [value = '', ...more] = cookiesNamed(cookieHeadersOf(request), name)
    const login =
      more.length === 0 ? loginAttempts.open(host, state, value, clock.now()) : undefined
    if (login === undefined)
      return await this.#answerUnbound(visit, loginAttempts.read(host, state))
    response.appendHeader('set-cookie', endedCookie(name))
    // RFC 9207 §2.4: a code of another issuer is refused.
    if (said.get('iss') !== server.url) return this.#tell(visit, 'forged', 400, login.target)
    const code = said.get('code')
    if (code === null) {
      const denied = said.get('error') === 'access_denied'
      return this.#tell(visit, denied ? 'cancelled' : 'login-failed', 403, login.target)
    }
    await this.#conclude(visit, code, login)
  }

  async #conclude(visit: RouteRequest, code: string, login: ReturnedLogin): Promise<void> {
    const { target } = login
    const redemption = await this.#redeem(code, login.verifier, visit.host)
    if (redemption.outcome === 'unavailable') return this.#tell(visit, 'unavailable', 503, target)
    const isOwn = redemption.outcome === 'redeemed' && redemption.claims['nonce'] === login.nonce
    if (!isOwn || !(await this.#begin(visit, redemption.claims))) {
      return this.#tell(visit, 'login-failed', 403, target)
    }
    sendOn(visit, target)
  }

  /**
   * Without the cookie of the attempt, nothing of the response is used: the cookie was dropped for newer tabs, it expired, or
   * another browser began the login. The user still ends at the target, as by a link to it: by the session of the browser, or
   * by a new login, which asks nothing where the authorization server has a session.
   */
  async #answerUnbound(visit: RouteRequest, known: KnownAttempt | undefined): Promise<void> {
    const { host, url, request, response } = visit
    const { clock, redirect } = this.#parts
    const target = known?.target ?? '/'
    if (await this.#hasSession(visit)) return sendOn(visit, target)
    const isLogin = known !== undefined && url.searchParams.has('code')
    if (!isLogin || known.again) {
      const message = isLogin ? 'no-cookie' : 'expired'
      return this.#tell(visit, message, 400, target)
    }
    const from = { host, headers: cookieHeadersOf(request) }
    const { headers, status } = redirect.begin(from, target, clock.now(), true)
    for (const [name, value] of headers) response.appendHeader(name, value)
    response.writeHead(status).end()
  }

  async #hasSession({ host, request }: RouteRequest): Promise<boolean> {
    const [text, ...more] = cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
    if (text === undefined || more.length > 0) return false
    return (await this.#parts.logins.sessions.find(text))?.host === host
  }

  /** @param target where the user wanted to go, which begins a login */
  #tell(
    { request, response }: RouteRequest,
    message: MessageKind,
    status: number,
    target: string,
  ): void {
    this.#parts.sender.tell(message, status, request, response, { logIn: target })
  }

  async #redeem(code: string, verifier: string, host: string): Promise<Redemption> {
    const { server, secret, tokenClient } = this.#parts
    const answer = await tokenClient(
      new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: callbackOf(host, server.url),
        client_id: SESSION_CLIENT,
        client_secret: secret,
      }),
    )
    if (!isJsonObject(answer)) return { outcome: 'refused' }
    const { id_token: token, error } = answer
    if (typeof error === 'string' && OUR_FAULT.has(error)) return { outcome: 'unavailable' }
    const claims = typeof token === 'string' ? idTokenClaims(token) : undefined
    return claims === undefined ? { outcome: 'refused' } : { outcome: 'redeemed', claims }
  }

  /** Whether there is a session now: not where its login has just been ended. */
  async #begin(
    { host, config, request, response }: RouteRequest,
    claims: Claims,
  ): Promise<boolean> {
    const { logins, clock, audit } = this.#parts
    const { sub, sid, grant_id: grant } = claims
    if (typeof sub !== 'string') throw new TypeError('an ID token of this issuer without "sub"')
    const terms = typeof grant === 'string' ? await logins.termsOf(grant) : undefined
    if (terms === undefined) return false
    const { login, renewal, ends } = terms
    // Before there is a session: what cannot be recorded does not happen.
    await audit.write({
      event: 'session-began',
      request: requestIdOf(request),
      login,
      user: sub,
      host,
      source: sourceOf(request),
    })
    const before = cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
    const text = await logins.sessions.begin({
      user: sub,
      claims,
      login: typeof sid === 'string' ? sid : undefined,
      loginId: login,
      host,
      source: sourceOf(request),
      userAgent: (request.headers['user-agent'] ?? '').slice(0, LONGEST_USER_AGENT),
      ends: Math.min(clock.now() + config.maxLifetime, ends),
      idle: config.idleTimeout,
      ...(renewal === undefined ? {} : { renewal }),
    })
    if (text === undefined) return false
    // What the browser had before is of no use any more.
    for (const old of before) await logins.sessions.endText(old)
    response.appendHeader('set-cookie', `${SESSION_COOKIE}=${text}${COOKIE_END}`)
    return true
  }
}

// RFC 6749 §4.1.2.1: the token endpoint's errors while `state` or the audit log is unavailable.
const OUR_FAULT: ReadonlySet<string> = new Set(['temporarily_unavailable', 'server_error'])

const LONGEST_USER_AGENT = 300
