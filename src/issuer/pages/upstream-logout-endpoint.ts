// The post-logout redirect URI and the back-channel logout URI of each upstream IdP. Logout tokens are signed, and end
// logins of the IdP's own users alone.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuditSink } from '../../audit/sink.ts'
import type { Clock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { RecordStore } from '../../state/record-store.ts'
import { readForm } from '../http/form-body.ts'
import { LOGGED_OUT } from '../http/paths.ts'
import type { Logout } from '../../logins/logout.ts'
import type { UpstreamLogout } from '../../logins/upstream-logout.ts'
import { failureOf } from '../../logins/upstream-idp/failure.ts'
import type { UpstreamIdp } from '../../logins/upstream-idp/upstream-idp.ts'
import { isFederated, type ProvenLogins } from '../../logins/proven-logins.ts'
import type { LogoutToken } from '../../logins/upstream-idp/logout-token.ts'

/** What the endpoint needs. */
export interface UpstreamLogoutEndpointParts {
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly provenLogins: ProvenLogins
  readonly upstreamLogout: Pick<UpstreamLogout, 'returnOf'>
  readonly records: RecordStore
  readonly logout: Pick<Logout, 'endOne'>
  readonly audit: AuditSink
  readonly clock: Clock
  readonly logger: Logger
}

// OpenID Connect Back-Channel Logout 1.0 §2.8.
const NOT_STORED = { 'cache-control': 'no-store' }

/** The endpoint of every provider. */
export class UpstreamLogoutEndpoint {
  readonly #parts: UpstreamLogoutEndpointParts

  constructor(parts: UpstreamLogoutEndpointParts) {
    this.#parts = parts
  }

  /** A browser returns from a logout there. */
  async sendOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const state = new URLSearchParams(request.url?.split('?', 2)[1] ?? '').get('state') ?? ''
    const next = (await this.#parts.upstreamLogout.returnOf(state)) ?? LOGGED_OUT
    response.writeHead(303, { location: next, ...NOT_STORED }).end()
  }

  /** An upstream IdP sends a logout token (OpenID Connect Back-Channel Logout 1.0 §2.5). */
  async hear(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { upstreamIdps, logger } = this.#parts
    const provider = upstreamIdps.get(id)
    const form = await readForm(request)
    if (form === undefined) response.setHeader('connection', 'close')
    const text = form?.get('logout_token') ?? ''
    if (provider === undefined || text === '') {
      return refuse(response, 400, 'a provider that is configured here sends "logout_token"')
    }
    try {
      await this.#end(provider, await provider.logoutTokenIn(text))
    } catch (cause) {
      const isOurs = cause instanceof CountersignError
      const isDown = failureOf(cause).reason === 'authenticator-unavailable'
      logger.warn({ provider: id, reason: describeError(cause) }, 'logout token refused')
      // With 503 the IdP sends it again.
      if (isOurs || isDown) return refuse(response, 503, 'it cannot be verified now')
      return refuse(response, 400, 'invalid logout token')
    }
    response.writeHead(200, NOT_STORED).end()
  }

  async #end({ id }: UpstreamIdp, token: LogoutToken): Promise<void> {
    const { records, logout, audit, clock } = this.#parts
    const logins = await this.#loginsOf(id, token)
    const lifetime = Math.max(1, token.expires - clock.now()) + REPLAY_MARGIN_MS
    // Replayed, it would end logins that began since.
    const key = `logout-token:${JSON.stringify([id, token.id])}`
    if (!(await records.add(key, { text: '', kind: 'decisive', lifetime }))) return
    try {
      for (const { login, uid, user } of logins) {
        await logout.endOne({ uid, sessions: [] })
        const event = {
          event: 'login-ended',
          login,
          user,
          loginMethod: id,
          provider: id,
          cause: 'upstream-logout',
        } as const
        await audit.write(event)
      }
    } catch (cause) {
      await records.remove([key]).catch(() => undefined) // so that a retry is accepted
      throw cause
    }
  }

  /** The logins of its session; without a `sid` in the token or in the login, those of its user. */
  async #loginsOf(
    id: string,
    { session, subject }: LogoutToken,
  ): Promise<readonly { readonly login: string; readonly uid: string; readonly user: string }[]> {
    const { provenLogins } = this.#parts
    const bySession = session === undefined ? [] : await provenLogins.loginsOfSession(id, session)
    const bySubject = subject === undefined ? [] : await provenLogins.loginsOfSubject(id, subject)
    const logins = []
    for (const login of new Set([...bySession, ...bySubject])) {
      const known = (await provenLogins.find(login))?.proven
      if (known === undefined || known.ended === true || !isFederated(known)) continue
      const isMeant =
        session === undefined || bySession.includes(login) || known.signed['sid'] === undefined
      if (isMeant) logins.push({ login, uid: known.session, user: known.user })
    }
    return logins
  }
}

// Of clocks.
const REPLAY_MARGIN_MS = 120_000

const refuse = (response: ServerResponse, status: number, description: string): void => {
  const headers = { 'content-type': 'application/json', ...NOT_STORED }
  const error = status === 400 ? 'invalid_request' : 'temporarily_unavailable'
  const body = JSON.stringify({ error, error_description: description })
  response.writeHead(status, headers).end(body)
}
