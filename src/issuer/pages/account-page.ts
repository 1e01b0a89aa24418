// The account page at the authorization server: the user's identity, logins, and logout. It shows and ends logins of the
// user of this browser alone.

import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import type { SessionsEndedEvent } from '../../audit/event.ts'
import type { AuditSink } from '../../audit/sink.ts'
import type { AuthorizationServer, Login } from '../../check/authorization-server.ts'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import { endedCookie } from '../../request/cookies.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { KnownAccount } from '../../logins/accounts.ts'
import { loginOf } from '../../logins/login-id.ts'
import { sourceOf } from '../http/caller.ts'
import { readForm } from '../http/form-body.ts'
import { TOKEN_FIELD } from '../../pages/context.ts'
import { csrfToken, isCsrfToken, type FormOwner } from '../../pages/csrf.ts'
import { accountPage } from '../../pages/views/account.ts'
import { loggedOutPage } from '../../pages/views/logout.ts'
import type { PageSender } from '../http/page-sender.ts'
import type { FederatedLogin } from '../../logins/proven-logins.ts'
import { ACCOUNT, ACCOUNT_RETURN, accountReturnOf, ENDPOINTS, LOGGED_OUT } from '../http/paths.ts'
import { requestIdOf } from '../http/request-id.ts'
import { accountModel } from './account-model.ts'
import { listLogins, loginId, type LiveLogin } from '../../logins/live-logins.ts'
import type { Logins } from '../../logins/logins.ts'
import type { Application } from '../../runtime/http/server.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'

/** What the page needs. */
export interface AccountPageParts {
  readonly server: AuthorizationServer
  readonly login: Login
  readonly provider: Provider
  readonly logins: Logins
  readonly derivedKeys: DerivedKeys
  readonly sender: PageSender
  /** Makes the tokens of forms; the same in every replica. */
  readonly formKey: Uint8Array
  readonly audit: AuditSink
  readonly clock: Clock
}

/** The user who is logged in with this browser. */
interface Visitor {
  readonly uid: string
  readonly account: KnownAccount
  readonly methods: readonly string[]
  /** Seconds since the epoch. */
  readonly at: number
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

const FORMS = {
  session: `${ACCOUNT}/session`,
  here: `${ACCOUNT}/here`,
  everywhere: `${ACCOUNT}/everywhere`,
} as const

/** Whether a path is the page's, or one of its forms'. */
export const isAccountPath = (path: string): boolean =>
  path === ACCOUNT || path.startsWith(`${ACCOUNT}/`)

/** The account page of one configuration. */
export class AccountPage {
  readonly #parts: AccountPageParts

  constructor(parts: AccountPageParts) {
    this.#parts = parts
  }

  /** Answers a request. */
  readonly answer: Application = async (path, request, response) => {
    const { sender } = this.#parts
    const isForm = Object.values<string>(FORMS).includes(path)
    if (!isForm && path !== ACCOUNT && path !== ACCOUNT_RETURN) {
      return sender.tell('not-found', 404, request, response)
    }
    const methods = isForm ? ['POST'] : ['GET', 'HEAD']
    if (!methods.includes(request.method ?? '')) {
      response.setHeader('allow', methods.join(', '))
      return sender.tell('malformed', 405, request, response)
    }
    if (path === ACCOUNT_RETURN) return this.#comeBack({ request, response })
    const visitor = await this.#visitorOf(request, response)
    if (visitor === undefined) return this.#logIn({ request, response })
    if (!isForm) return await this.#show(visitor, { request, response })
    const form = await readForm(request)
    if (form === undefined) response.setHeader('connection', 'close')
    if (!isCsrfToken(this.#parts.formKey, ownerOf(visitor), form?.get(TOKEN_FIELD))) {
      return sender.tell('forged', 403, request, response)
    }
    if (path === FORMS.everywhere) return await this.#endAll(visitor, { request, response })
    const id = path === FORMS.here ? this.#idOf(visitor) : form?.get('session')
    await this.#endOne(visitor, id ?? '', { request, response })
  }

  /** The user of the login cookie; `undefined` without an active login. */
  async #visitorOf(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Visitor | undefined> {
    const { provider, logins } = this.#parts
    const session = await provider.Session.get(provider.createContext(request, response))
    const { accountId, uid, amr = [], loginTs = 0 } = session
    const login = loginOf(session)
    if (accountId === undefined || login === undefined) return undefined
    if ((await logins.status.login(login)) === 'ended') return undefined
    const account = await logins.accounts.find(login)
    return account && { uid, account, methods: amr, at: loginTs }
  }

  /**
   * Redirects to an authorization of which only the login is used: its PKCE verifier is not kept (RFC 7636), so its code
   * cannot be redeemed.
   */
  #logIn({ response }: Exchange): void {
    const { url: issuer } = this.#parts.server
    const url = new URL(ENDPOINTS.authorization, issuer)
    url.search = new URLSearchParams({
      client_id: SESSION_CLIENT,
      redirect_uri: accountReturnOf(issuer),
      response_type: 'code',
      scope: 'openid',
      code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
      code_challenge_method: 'S256',
    }).toString()
    response.writeHead(303, { location: url.href, 'cache-control': 'no-store' }).end()
  }

  /** Without a login it does not redirect to the page, which would begin another one without end. */
  #comeBack({ request, response }: Exchange): void {
    const { server, sender } = this.#parts
    const said = URL.parse(request.url ?? '', server.url)?.searchParams
    if (said?.has('code') !== true) {
      const denied = said?.get('error') === 'access_denied'
      return sender.tell(denied ? 'cancelled' : 'login-failed', 403, request, response, {
        logIn: ACCOUNT,
      })
    }
    const location = new URL(ACCOUNT, server.url).href
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end()
  }

  async #show(visitor: Visitor, { request, response }: Exchange, done?: 'ended'): Promise<void> {
    const { logins, login, sender, clock, formKey } = this.#parts
    const { account, methods, at } = visitor
    const context = {
      ...sender.contextFor(request),
      csrf: { token: csrfToken(formKey, ownerOf(visitor)) },
      paths: FORMS,
    }
    const model = accountModel({
      account,
      methods,
      at,
      longest: login.config.maxLifetime,
      logins: await this.#list(account.subject),
      current: this.#idOf(visitor),
      seen: { userAgent: request.headers['user-agent'], source: sourceOf(request) },
      now: clock.now(),
    })
    const content = accountPage({ ...model, ...(done && { done }) }, context)
    const places = await logins.upstreamLogout.logoutUrlsOf(visitor.uid)
    const { headers, body } = sender.page(content, context, places)
    response.writeHead(200, { ...headers }).end(body)
  }

  /** Only one of the user's own: any other id has no effect, as one that has ended. */
  async #endOne(visitor: Visitor, id: string, exchange: Exchange): Promise<void> {
    const { logout, upstreamLogout } = this.#parts.logins
    const own = await this.#list(visitor.account.subject)
    const login = own.find((one) => one.id === id)
    if (login === undefined) return await this.#show(visitor, exchange)
    const here = login.uid === visitor.uid
    const vouched = here ? await upstreamLogout.end(visitor.uid) : undefined
    await logout.endOne(login)
    await this.#record(visitor, exchange, here ? 'current' : 'one')
    if (here) await this.#left(exchange, vouched)
    else await this.#show(visitor, exchange, 'ended')
  }

  async #endAll(visitor: Visitor, exchange: Exchange): Promise<void> {
    const { logout, upstreamLogout } = this.#parts.logins
    const vouched = await upstreamLogout.end(visitor.uid)
    await logout.endAll(visitor.account.subject)
    await this.#record(visitor, exchange, 'all')
    await this.#left(exchange, vouched)
  }

  /** After the logins ended: a full audit log does not keep them active. */
  async #record(
    { account }: Visitor,
    { request }: Exchange,
    which: SessionsEndedEvent['which'],
  ): Promise<void> {
    await this.#parts.audit.write({
      event: 'sessions-ended',
      request: requestIdOf(request),
      user: account.subject,
      which,
      source: sourceOf(request),
    })
  }

  /** @param federated the federated login that ended, for a logout at its upstream IdP */
  async #left({ request, response }: Exchange, vouched: FederatedLogin | undefined): Promise<void> {
    const { sender, provider, logins } = this.#parts
    const cookie = provider.cookieName('session')
    for (const name of [cookie, `${cookie}.sig`]) {
      response.appendHeader('set-cookie', endedCookie(name))
    }
    const next = vouched && (await logins.upstreamLogout.logoutUrlOf(vouched, LOGGED_OUT))
    if (next !== undefined && next !== LOGGED_OUT) {
      response.writeHead(303, { location: next, 'cache-control': 'no-store' }).end()
      return
    }
    const context = sender.contextFor(request)
    const { headers, body } = sender.page(loggedOutPage({ logIn: ACCOUNT }, context), context)
    response.writeHead(200, { ...headers }).end(body)
  }

  #idOf({ uid }: Visitor): string {
    return loginId(this.#parts.derivedKeys, uid)
  }

  async #list(user: string): Promise<readonly LiveLogin[]> {
    const { logins, derivedKeys: keys } = this.#parts
    return await listLogins({ records: logins.store, sessions: logins.sessions, keys }, user)
  }
}

const ownerOf = ({ uid }: Visitor): FormOwner => ({ kind: 'session', id: uid })
