// What our own routes answer below `/.countersign/`: logins come back there and become sessions, and
// there they end.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { SESSION_COOKIE } from '../../authenticate/session/authenticator.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import {
  CALLBACK_PATH,
  endedCookie,
  LOGGED_OUT_PATH,
  loggedOutOf,
  LOGIN_PATH,
  LoginRedirect,
  originOf,
  SESSION_CLIENT,
} from '../../check/answer/login-redirect.ts'
import { cookiesNamed } from '../../request/cookies.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'
import { cookieHeadersOf } from '../cookie-headers.ts'
import { ENDPOINTS } from '../paths.ts'
import { LoginReturn, type LoginReturnParts } from './login-return.ts'
import { LogoutReturns } from './logout-returns.ts'
import { sendOn, type Visit } from './visit.ts'

/** Everything below is answered here. */
export const SESSION_PREFIX = '/.countersign/'

/** Where people log out. */
const LOGOUT_PATH = '/.countersign/logout'

/** What the endpoints need. */
export interface SessionEndpointParts extends Omit<LoginReturnParts, 'redirect'> {
  readonly server: AuthorizationServer
  /** Of the state, so that replicas know each other's logouts. */
  readonly opaqueKeys: OpaqueKeys
}

/** The endpoints of one configuration. */
export class SessionEndpoints {
  readonly #parts: SessionEndpointParts
  readonly #redirect: LoginRedirect
  readonly #return: LoginReturn
  readonly #logouts: LogoutReturns

  constructor(parts: SessionEndpointParts) {
    this.#parts = parts
    const { server, attempts } = parts
    this.#redirect = new LoginRedirect({ issuer: server.url, look: server.look, attempts })
    this.#return = new LoginReturn({ ...parts, redirect: this.#redirect })
    this.#logouts = new LogoutReturns(parts.opaqueKeys)
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
        return await this.#return.answer(visit)
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
  #leave({ host, request, response }: Visit): void {
    const { server, clock } = this.#parts
    const url = new URL(ENDPOINTS.end_session, server.url)
    url.search = new URLSearchParams({
      client_id: SESSION_CLIENT,
      post_logout_redirect_uri: loggedOutOf(host, server.url),
      state: this.#logouts.begin(host, sessionCookiesOf(request), clock.now()),
    }).toString()
    response.writeHead(302, { location: url.href, 'cache-control': 'no-store' }).end()
  }

  /**
   * What is remembered of a session would let this browser in for some seconds still. Only a logout that
   * began here in this browser ends it: any page can lead a browser to this address.
   */
  async #left(visit: Visit): Promise<void> {
    const { host, url, request, response } = visit
    const { sessions, clock } = this.#parts
    const shown = sessionCookiesOf(request)
    const state = url.searchParams.get('state') ?? ''
    if (shown.length > 0 && this.#logouts.holds(host, shown, state, clock.now())) {
      for (const text of shown) await sessions.endText(text)
      response.appendHeader('set-cookie', endedCookie(SESSION_COOKIE))
      // What an upstream lets browsers keep, the next person would see by the button "back".
      response.setHeader('clear-site-data', '"cache"')
    }
    sendOn(visit, '/')
  }
}

const sessionCookiesOf = (request: IncomingMessage): readonly string[] =>
  cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
