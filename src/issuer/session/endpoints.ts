// What our own routes answer below `/.countersign/`: logins come back there and become sessions, and
// there they end.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditSink } from '../../audit/sink.ts'
import { SESSION_COOKIE } from '../../authenticate/session.ts'
import type { BrowserSessions } from '../../authenticate/session/browser-sessions.ts'
import { cookieName, type LoginAttempts } from '../../authenticate/session/login-attempts.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import {
  callbackOf,
  CALLBACK_PATH,
  COOKIE_END,
  endedCookie,
  LOGGED_OUT_PATH,
  loggedOutOf,
  LOGIN_PATH,
  LoginRedirect,
  originOf,
  SESSION_CLIENT,
} from '../../check/login-redirect.ts'
import type { SessionConfig } from '../../config/session-schema.ts'
import type { Claims } from '../../identity/identity.ts'
import { cookiesNamed } from '../../request/cookies.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import { sourceOf } from '../caller.ts'
import { cookieHeadersOf } from '../cookie-headers.ts'
import type { LoginTerms } from '../login/provider/vouched-logins.ts'
import type { PageSender } from '../page-sender.ts'
import { ENDPOINTS } from '../paths.ts'
import { requestIdOf } from '../request-id.ts'

/** Everything below is answered here. */
export const SESSION_PREFIX = '/.countersign/'

/** Where people log out. */
const LOGOUT_PATH = '/.countersign/logout'

/** Asks our own token endpoint. */
type AskToken = (form: URLSearchParams) => Promise<unknown>

/** What the endpoints need. */
export interface SessionEndpointParts {
  readonly server: AuthorizationServer
  readonly sessions: BrowserSessions
  readonly attempts: LoginAttempts
  readonly sender: PageSender
  /** Of the client that our routes are. */
  readonly secret: string
  readonly askToken: AskToken
  /** How long sessions of a login are good, by a grant of it; `undefined` where it has ended. */
  readonly termsOf: (grant: string) => Promise<LoginTerms | undefined>
  readonly audit: AuditSink
  readonly clock: Clock
}

/** A request, on the host of one of our routes. */
interface Visit {
  readonly host: string
  readonly config: SessionConfig
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** The endpoints of one configuration. */
export class SessionEndpoints {
  readonly #parts: SessionEndpointParts
  readonly #redirect: LoginRedirect

  constructor(parts: SessionEndpointParts) {
    this.#parts = parts
    const { server, attempts } = parts
    this.#redirect = new LoginRedirect({ issuer: server.url, look: server.look, attempts })
  }

  /** Answers a request. */
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { server, sender } = this.#parts
    const host = (request.headers.host ?? '').toLowerCase().replace(/:\d{1,5}$/, '')
    const config = server.sessions.get(host)
    if (config === undefined) return sender.tell('not-found', 404, request, response)
    if (request.method !== 'GET') return sender.tell('malformed', 405, request, response)
    const url = URL.parse(request.url ?? '', originOf(host, server.url))
    if (url === null) return sender.tell('malformed', 400, request, response)
    const visit: Visit = { host, config, url, request, response }
    switch (path) {
      case CALLBACK_PATH:
        return await this.#comeBack(visit)
      case LOGIN_PATH:
        return this.#begin(visit)
      case LOGOUT_PATH:
        return this.#leave(visit)
      case LOGGED_OUT_PATH:
        return await this.#left(visit)
      default:
        return sender.tell('not-found', 404, request, response)
    }
  }

  #begin({ host, request, response }: Visit): void {
    const { clock } = this.#parts
    const { headers } = this.#redirect.begin(
      { host, headers: cookieHeadersOf(request) },
      '/',
      clock.now(),
    )
    for (const [name, value] of headers) response.appendHeader(name, value)
    response.writeHead(302).end()
  }

  /** The authorization server asks whether it is meant, ends its session, and tells us (`endLogin`). */
  #leave({ host, response }: Visit): void {
    const { url: issuer } = this.#parts.server
    const url = new URL(ENDPOINTS.end_session, issuer)
    url.search = new URLSearchParams({
      client_id: SESSION_CLIENT,
      post_logout_redirect_uri: loggedOutOf(host, issuer),
    }).toString()
    response.writeHead(302, { location: url.href, 'cache-control': 'no-store' }).end()
  }

  /** What is remembered of a session would let this browser in for some seconds still. */
  async #left({ request, response }: Visit): Promise<void> {
    const { sessions } = this.#parts
    const shown = cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
    for (const text of shown) await sessions.endText(text) // oxlint-disable-line no-await-in-loop
    response.appendHeader('set-cookie', endedCookie(SESSION_COOKIE))
    // What an upstream lets browsers keep, the next person would see by the button "back".
    response.setHeader('clear-site-data', '"cache"')
    response.writeHead(303, { location: '/', 'cache-control': 'no-store' }).end()
  }

  async #comeBack(visit: Visit): Promise<void> {
    const { host, url, request, response } = visit
    const { server, attempts, sender, clock } = this.#parts
    const { searchParams: said } = url
    const state = said.get('state') ?? ''
    const name = cookieName(state)
    const [value = '', ...more] = cookiesNamed(cookieHeadersOf(request), name)
    const login = more.length === 0 ? attempts.open(host, state, value, clock.now()) : undefined
    // Nobody began that here: a link that somebody sent, or an old page of the history.
    if (login === undefined) return sender.tell('expired', 400, request, response)
    response.appendHeader('set-cookie', endedCookie(name))
    // RFC 9207 §2.4: whoever else sends a code may have it from elsewhere.
    if (said.get('iss') !== server.url) return sender.tell('forged', 400, request, response)
    const code = said.get('code')
    if (code === null) {
      const denied = said.get('error') === 'access_denied'
      return sender.tell(denied ? 'cancelled' : 'login-failed', 403, request, response)
    }
    const claims = await this.#redeem(code, login.verifier, host)
    if (claims === undefined || claims['nonce'] !== login.nonce) {
      return sender.tell('login-failed', 403, request, response)
    }
    if (!(await this.#begun(visit, claims))) {
      return sender.tell('login-failed', 403, request, response)
    }
    response.writeHead(303, { location: login.target, 'cache-control': 'no-store' }).end()
  }

  /** What the ID token for the code says; `undefined` where there is none. */
  async #redeem(code: string, verifier: string, host: string): Promise<Claims | undefined> {
    const { server, secret, askToken } = this.#parts
    const answer = await askToken(
      new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: callbackOf(host, server.url),
        client_id: SESSION_CLIENT,
        client_secret: secret,
      }),
    )
    const token = isJsonObject(answer) ? answer['id_token'] : undefined
    return typeof token === 'string' ? claimsIn(token) : undefined
  }

  /** Whether there is a session now: not where its login has just been ended. */
  async #begun({ host, config, request, response }: Visit, claims: Claims): Promise<boolean> {
    const { sessions, clock, audit, termsOf } = this.#parts
    const { sub, sid, grant_id: grant } = claims
    if (typeof sub !== 'string') throw new TypeError('an ID token of ours without "sub"')
    // Before there is a session: what cannot be recorded does not happen.
    await audit.write({
      event: 'session-began',
      request: requestIdOf(request),
      user: sub,
      host,
      source: sourceOf(request),
    })
    const before = cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
    const terms = typeof grant === 'string' ? await termsOf(grant) : undefined
    if (terms === undefined) return false
    const { renewal, ends } = terms
    const text = await sessions.begin({
      user: sub,
      claims,
      login: typeof sid === 'string' ? sid : undefined,
      host,
      source: sourceOf(request),
      userAgent: (request.headers['user-agent'] ?? '').slice(0, LONGEST_USER_AGENT),
      ends: Math.min(clock.now() + config.longest, ends),
      idle: config.idle,
      ...(renewal === undefined ? {} : { renewal }),
    })
    if (text === undefined) return false
    // What the browser had before is of no use any more.
    for (const old of before) await sessions.endText(old) // oxlint-disable-line no-await-in-loop
    response.appendHeader('set-cookie', `${SESSION_COOKIE}=${text}${COOKIE_END}`)
    return true
  }
}

const LONGEST_USER_AGENT = 300

/**
 * The claims of a token that came straight from our own token endpoint, so that its signature would only
 * prove it to be ours (OpenID Connect Core §3.1.3.7, 6).
 */
export const claimsIn = (token: string): Claims | undefined => {
  const [, payload = ''] = token.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  return isJsonObject(claims) ? claims : undefined
}
