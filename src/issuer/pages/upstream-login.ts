// Logins at upstream IdPs. The browser that returns must be the one that left. The cookie of the interaction proves it, and
// has the path of the interaction, so the callback redirects there first.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../runtime/clock.ts'
import { SourceBudgets } from '../../runtime/source-budgets.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import type { RecordStore } from '../../state/record-store.ts'
import { sourceOf } from '../http/caller.ts'
import { LOGIN } from '../http/paths.ts'
import type { PageSender } from '../http/page-sender.ts'
import type { LoginCompletion } from './login-completion.ts'
import type { Exchange } from './interaction-request.ts'
import type { LoginPages } from './login-pages.ts'
import { PendingAuthorizations } from '../../logins/pending-authorizations.ts'
import type { UpstreamFailure } from '../../logins/upstream-idp/failure.ts'
import {
  UpstreamIdp,
  type UpstreamFailed,
  type UpstreamTokens,
} from '../../logins/upstream-idp/upstream-idp.ts'
import type { FederatedLogin } from '../../logins/proven-logins.ts'
import { provenCredentialOf } from '../../logins/upstream-idp/proven-credential.ts'
import { renewalOf } from '../../logins/upstream-recheck.ts'

/** What these logins need. */
export interface UpstreamLoginsParts {
  readonly upstreamIdps: ReadonlyMap<string, UpstreamIdp>
  readonly records: RecordStore
  readonly derivedKeys: DerivedKeys
  readonly pages: LoginPages
  readonly ending: LoginCompletion
  readonly sender: PageSender
  readonly clock: Clock
  /** The longest time of a login in milliseconds, and of one that is not checked again. */
  readonly longest: number
  readonly longestUnchecked: number
}

// Failed redemptions of one source address at upstream IdPs. An IdP limits its client as a whole (RFC 6585 §4), so false
// codes must not use up that limit.
const REDEMPTIONS = { burst: 10, perSecond: 1 / 6, outstanding: 10 } as const

/** Logins at upstream IdPs. */
export class UpstreamLogins {
  readonly #parts: UpstreamLoginsParts
  readonly #redemptions: SourceBudgets
  readonly #pendingAuthorizations: PendingAuthorizations

  constructor(parts: UpstreamLoginsParts) {
    this.#parts = parts
    this.#redemptions = new SourceBudgets({ ...REDEMPTIONS, clock: parts.clock })
    this.#pendingAuthorizations = new PendingAuthorizations(parts.derivedKeys, parts.records)
  }

  /** Redirects the browser to an upstream IdP. */
  async leave(exchange: Exchange, id: string): Promise<void> {
    const { upstreamIdps, clock, pages } = this.#parts
    const provider = upstreamIdps.get(id)
    if (provider === undefined) return await pages.showLogin(exchange, { kind: 'expired' })
    const { uid, prompt } = exchange.interaction
    const fresh = prompt.reasons.some((reason) => FRESH.has(reason))
    const now = clock.now()
    const login = this.#pendingAuthorizations.begin(
      { uid, provider: id, ...(fresh ? { since: now } : {}) },
      now,
    )
    const departure = await provider.authorize(login, fresh)
    if (departure.outcome === 'failed') {
      return await this.#fail(exchange, provider, departure.failure)
    }
    sendTo(departure.url.href, exchange.response)
  }

  /** Redirects a browser that returned to the interaction of its state. */
  sendBack(id: string, request: IncomingMessage, response: ServerResponse): void {
    const query = queryOf(request)
    const login = this.#pendingAuthorizations.read(
      query.get('state') ?? '',
      this.#parts.clock.now(),
    )
    // A state of another IdP is refused (RFC 9700 §4.4.2.2).
    if (login?.provider !== id) return this.#parts.sender.tell('expired', 400, request, response)
    sendTo(`${LOGIN}/${login.uid}/returned?${query.toString()}`, response)
  }

  /** Redeems the code of a browser that has proven to be the one that left. */
  async arrive(exchange: Exchange): Promise<void> {
    const { upstreamIdps, pages, clock } = this.#parts
    const query = queryOf(exchange.request)
    const login = this.#pendingAuthorizations.read(query.get('state') ?? '', clock.now())
    const isOwn = login?.uid === exchange.interaction.uid
    const provider = isOwn ? upstreamIdps.get(login.provider) : undefined
    const isUsed = isOwn && query.has('code') && !(await this.#pendingAuthorizations.use(login))
    if (!isOwn || isUsed || provider === undefined) {
      return await pages.showLogin(exchange, { kind: 'expired' })
    }
    const source = sourceOf(exchange.request)
    const redemption = this.#redemptions.begin(source)
    if (redemption === undefined) {
      const seconds = Math.max(1, Math.ceil(this.#redemptions.waitOf(source) / 1_000))
      return await pages.showLogin(exchange, { kind: 'locked', seconds })
    }
    try {
      const arrival = await provider.redeem(query, login, login.since)
      if (arrival.outcome === 'verified') redemption.giveBack()
      await this.#conclude(exchange, provider, arrival)
    } finally {
      redemption.end()
    }
  }

  async #conclude(
    exchange: Exchange,
    provider: UpstreamIdp,
    arrival: UpstreamTokens | UpstreamFailed,
  ): Promise<void> {
    const { pages, ending, derivedKeys } = this.#parts
    if (arrival.outcome === 'failed') return await this.#fail(exchange, provider, arrival.failure)
    const credential = provenCredentialOf(provider, arrival, derivedKeys)
    const result = provider.mapping.identityOf(credential)
    if (result.outcome === 'refused') {
      const { code: reason, detail } = result
      const authenticator = provider.id
      await ending.record(exchange, {
        outcome: 'refused',
        user: credential.user,
        authenticator,
        reason,
        detail,
      })
      return await pages.showLogin(exchange, { kind: 'provider', name: provider.name })
    }
    const proven = this.#heldOf(provider, arrival)
    const failure = await ending.complete(exchange, result.identity, proven)
    if (failure !== undefined) await pages.showLogin(exchange, { kind: 'unavailable' })
  }

  #heldOf(
    { id, renews }: UpstreamIdp,
    statement: UpstreamTokens,
  ): Omit<FederatedLogin, 'session' | 'user'> {
    const { clock, longest, longestUnchecked } = this.#parts
    const now = clock.now()
    const renewal = renews ? renewalOf(statement, now) : undefined
    const { signed, idToken } = statement
    const login = { provider: id, signed, idToken }
    return renewal === undefined
      ? { ...login, ends: now + Math.min(longest, longestUnchecked) }
      : { ...login, renewal, ends: now + longest }
  }

  async #fail(
    exchange: Exchange,
    { id, name }: UpstreamIdp,
    { reason, detail }: UpstreamFailure,
  ): Promise<void> {
    const { ending, pages } = this.#parts
    await ending.record(exchange, { outcome: 'refused', authenticator: id, reason, detail })
    const isDown = reason === 'authenticator-unavailable'
    await pages.showLogin(exchange, { kind: 'provider', name, isDown })
  }
}

// Why the library requires a login although there is one: "prompt=login", "max_age".
const FRESH: ReadonlySet<string> = new Set(['login_prompt', 'max_age'])

const queryOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
  new URLSearchParams(url.split('?', 2)[1] ?? '')

const sendTo = (location: string, response: ServerResponse): void => {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
  response.writeHead(303, headers).end()
}
