// The endpoints below `/.countersign/` on the hosts of routes: login callback, and logout.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { SESSION_COOKIE } from '../../authenticate/session/authenticator.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import { LoginRedirect } from '../../check/answer/login-redirect.ts'
import {
  CALLBACK_PATH,
  LOGGED_OUT_PATH,
  loggedOutOf,
  LOGIN_PATH,
  LOGOUT_PATH,
  originOf,
  SESSION_CLIENT,
} from '../../logins/session-client.ts'
import { LoginAttempts } from '../../logins/login-attempts.ts'
import { cookiesNamed, endedCookie } from '../../request/cookies.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import { cookieHeadersOf } from '../http/cookie-headers.ts'
import { ENDPOINTS } from '../http/paths.ts'
import { LoginCallback, type LoginCallbackParts } from './login-callback.ts'
import { LogoutStates } from './logout-states.ts'
import { sendOn, type RouteRequest } from './route-request.ts'

/** What the endpoints need. */
export interface SessionEndpointParts extends Omit<
  LoginCallbackParts,
  'redirect' | 'secret' | 'loginAttempts'
> {
  readonly server: AuthorizationServer
  /** Of the state, so that replicas know each other's logouts. */
  readonly derivedKeys: DerivedKeys
}

/** The endpoints of one configuration. */
export class SessionEndpoints {
  readonly #parts: SessionEndpointParts
  readonly #redirect: LoginRedirect
  readonly #callback: LoginCallback
  readonly #logouts: LogoutStates

  constructor(parts: SessionEndpointParts) {
    this.#parts = parts
    const { server, derivedKeys } = parts
    const { url: issuer, theme } = server
    const loginAttempts = new LoginAttempts(derivedKeys)
    const secret = derivedKeys.of('session-client')
    this.#redirect = new LoginRedirect({ issuer, theme, attempts: loginAttempts })
    this.#callback = new LoginCallback({
      ...parts,
      loginAttempts,
      secret,
      redirect: this.#redirect,
    })
    this.#logouts = new LogoutStates(derivedKeys)
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
    const visit: RouteRequest = { host, config, url, request, response }
    switch (path) {
      case CALLBACK_PATH:
        return await this.#callback.answer(visit)
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

  #begin({ host, request, response }: RouteRequest): void {
    const { clock } = this.#parts
    const { headers } = this.#redirect.begin(
      { host, headers: cookieHeadersOf(request) },
      '/',
      clock.now(),
    )
    for (const [name, value] of headers) response.appendHeader(name, value)
    response.writeHead(302).end()
  }

  /** The authorization server confirms it with the user, and ends its session by a back-channel logout (`endLogin`). */
  #leave({ host, request, response }: RouteRequest): void {
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
   * A cached session would be accepted for some seconds still. Only a logout that began here in this browser ends it: any
   * page can send a browser to this address.
   */
  async #left(visit: RouteRequest): Promise<void> {
    const { host, url, request, response } = visit
    const { logins, clock } = this.#parts
    const presented = sessionCookiesOf(request)
    const state = url.searchParams.get('state') ?? ''
    if (presented.length > 0 && this.#logouts.holds(host, presented, state, clock.now())) {
      for (const text of presented) await logins.sessions.endText(text)
      response.appendHeader('set-cookie', endedCookie(SESSION_COOKIE))
      // The next user of the browser would see cached pages of the upstream by the button "back".
      response.setHeader('clear-site-data', '"cache"')
    }
    sendOn(visit, '/')
  }
}

const sessionCookiesOf = (request: IncomingMessage): readonly string[] =>
  cookiesNamed(cookieHeadersOf(request), SESSION_COOKIE)
