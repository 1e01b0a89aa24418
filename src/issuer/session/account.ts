// The account page at the authorization server: who I am here, where I am logged in, and the ways out.
// It belongs to the login of this browser alone: nobody ends, or sees, a login of somebody else's.

import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider'
import type { SessionsEndedEvent } from '../../audit/login-event.ts'
import type { AuditSink } from '../../audit/sink.ts'
import type { AskStanding } from '../../authenticate/session/authenticator.ts'
import type { AuthorizationServer, Login } from '../../check/authorization-server.ts'
import { endedCookie, SESSION_CLIENT } from '../../check/answer/login-redirect.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Accounts, KnownAccount } from '../authorization/accounts.ts'
import { loginOf } from '../authorization/login-fields.ts'
import { sourceOf } from '../caller.ts'
import { readForm } from '../form-body.ts'
import { TOKEN_FIELD } from '../../pages/context.ts'
import { csrfToken, isCsrfToken, type FormOwner } from '../../pages/csrf.ts'
import { accountPage } from '../../pages/views/account.ts'
import { loggedOutPage } from '../../pages/views/logout.ts'
import type { PageSender } from '../page-sender.ts'
import type { Farewell } from '../login/provider/farewell.ts'
import type { UpstreamLogin } from '../login/provider/held-logins.ts'
import { ACCOUNT, ENDPOINTS, LOGGED_OUT } from '../paths.ts'
import { requestIdOf } from '../request-id.ts'
import { accountModel } from './account-model.ts'
import { accountReturnOf, ACCOUNT_RETURN } from './account-return.ts'
import { listLogins, loginId, type LoginsParts } from './logins.ts'
import type { SignOut } from './sign-out.ts'

/** What the page needs. */
export interface AccountPageParts {
  readonly server: AuthorizationServer
  readonly login: Login
  readonly provider: Provider
  readonly accounts: Accounts
  /** Whether a login still stands, by its id. */
  readonly standing: AskStanding
  readonly logins: LoginsParts
  readonly signOut: SignOut
  readonly farewell: Farewell
  readonly sender: PageSender
  /** Makes the tokens of forms; the same in every replica. */
  readonly formKey: Uint8Array
  readonly audit: AuditSink
  readonly clock: Clock
}

/** Whoever is logged in with this browser. */
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
  async answer(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
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

  /** As the login cookie says; `undefined` where nothing is known of the person any more. */
  async #visitorOf(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Visitor | undefined> {
    const { provider, accounts, standing } = this.#parts
    const session = await provider.Session.get(provider.createContext(request, response))
    const { accountId, uid, amr = [], loginTs = 0 } = session
    const login = loginOf(session)
    if (accountId === undefined || login === undefined) return undefined
    if ((await standing(login)) === 'ended') return undefined
    const account = await accounts.find(login)
    return account && { uid, account, methods: amr, at: loginTs }
  }

  /**
   * By an authorization like any other's, of which only the login is wanted: nobody keeps what the code
   * could be redeemed by (RFC 7636), so it is good for nothing.
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

  /** Not straight to the page where there was no login: that would ask again, without end. */
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
    const { logins, login, sender, clock, formKey, farewell } = this.#parts
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
      longest: login.config.longest,
      logins: await listLogins(logins, account.subject),
      current: this.#idOf(visitor),
      seen: { userAgent: request.headers['user-agent'], source: sourceOf(request) },
      now: clock.now(),
    })
    const content = accountPage({ ...model, ...(done && { done }) }, context)
    const places = await farewell.placesOf(visitor.uid)
    const { headers, body } = sender.page(content, context, places)
    response.writeHead(200, { ...headers }).end(body)
  }

  /** Only one of the visitor's own: with any other id nothing happens, as with one that has ended. */
  async #endOne(visitor: Visitor, id: string, exchange: Exchange): Promise<void> {
    const { logins, signOut, farewell } = this.#parts
    const own = await listLogins(logins, visitor.account.subject)
    const login = own.find((one) => one.id === id)
    if (login === undefined) return await this.#show(visitor, exchange)
    const here = login.uid === visitor.uid
    const vouched = here ? await farewell.end(visitor.uid) : undefined
    await signOut.endOne(login)
    await this.#record(visitor, exchange, here ? 'here' : 'one')
    if (here) await this.#left(exchange, vouched)
    else await this.#show(visitor, exchange, 'ended')
  }

  async #endAll(visitor: Visitor, exchange: Exchange): Promise<void> {
    const { signOut, farewell } = this.#parts
    const vouched = await farewell.end(visitor.uid)
    await signOut.endAll(visitor.account.subject)
    await this.#record(visitor, exchange, 'everywhere')
    await this.#left(exchange, vouched)
  }

  /** Once it is done: a log that is full keeps nobody logged in. */
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

  /** @param vouched what a provider of others gave with the login, which may have to end there too */
  async #left({ request, response }: Exchange, vouched: UpstreamLogin | undefined): Promise<void> {
    const { sender, provider, farewell } = this.#parts
    const cookie = provider.cookieName('session')
    for (const name of [cookie, `${cookie}.sig`]) {
      response.appendHeader('set-cookie', endedCookie(name))
    }
    const next = vouched && (await farewell.leaveBy(vouched, LOGGED_OUT))
    if (next !== undefined && next !== LOGGED_OUT) {
      response.writeHead(303, { location: next, 'cache-control': 'no-store' }).end()
      return
    }
    const context = sender.contextFor(request)
    const { headers, body } = sender.page(loggedOutPage({ logIn: ACCOUNT }, context), context)
    response.writeHead(200, { ...headers }).end(body)
  }

  #idOf({ uid }: Visitor): string {
    return loginId(this.#parts.logins.keys, uid)
  }
}

const ownerOf = ({ uid }: Visitor): FormOwner => ({ kind: 'session', id: uid })
