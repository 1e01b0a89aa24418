// Logging in at a provider of others. The browser that comes back has to be the one that left: it is told
// by the cookie of the login, which only reaches the path of that login, so it is sent there first.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LoginProvider } from '../../../check/login-providers.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { SourceBudgets } from '../../../runtime/source-budgets.ts'
import type { OpaqueKeys } from '../../../state/opaque-keys.ts'
import type { RecordStore } from '../../../state/record-store.ts'
import { sourceOf } from '../../caller.ts'
import { LOGIN, PROVIDER_CALLBACKS } from '../../paths.ts'
import type { PageSender } from '../../page-sender.ts'
import type { LoginEnding } from '../ending.ts'
import type { Exchange } from '../exchange.ts'
import type { LoginPages } from '../login-pages.ts'
import { Departures } from './departures.ts'
import type { ProviderFailure } from './failure.ts'
import type { AskingParts } from './fetch.ts'
import { ForeignProvider, type ProviderFailed, type ProviderStatement } from './foreign-provider.ts'
import type { UpstreamLogin } from './held-logins.ts'
import { factsAt } from './identity-at.ts'
import { renewalOf } from './renew-upstream.ts'

/** What these logins need. */
export interface ProviderLoginsParts {
  readonly foreign: ReadonlyMap<string, ForeignProvider>
  readonly records: RecordStore
  readonly opaqueKeys: OpaqueKeys
  readonly pages: LoginPages
  readonly ending: LoginEnding
  readonly sender: PageSender
  readonly clock: Clock
  /** How long a login can be good, in milliseconds; and one for which the IdP is not asked again. */
  readonly longest: number
  readonly longestUnchecked: number
}

/** The providers of a configuration, as clients of theirs. */
export const foreignProviders = (
  providers: readonly LoginProvider[],
  issuer: string,
  parts: AskingParts,
): ReadonlyMap<string, ForeignProvider> =>
  new Map(
    providers.map((provider) => {
      const redirectUri = new URL(`${PROVIDER_CALLBACKS}/${provider.id}`, issuer).href
      return [provider.id, new ForeignProvider(provider, redirectUri, parts)]
    }),
  )

// What one source address may have redeemed at upstream IdPs that is no login: an IdP limits our client as a
// whole (RFC 6585 §4), so who brings codes that are none must not use that up.
const REDEMPTIONS = { burst: 10, perSecond: 1 / 6, outstanding: 10 } as const

/** Logins at providers of others. */
export class ProviderLogins {
  readonly #parts: ProviderLoginsParts
  readonly #redemptions: SourceBudgets
  readonly #departures: Departures

  constructor(parts: ProviderLoginsParts) {
    this.#parts = parts
    this.#redemptions = new SourceBudgets({ ...REDEMPTIONS, clock: parts.clock })
    this.#departures = new Departures(parts.opaqueKeys, parts.records)
  }

  /** Sends the browser to a provider. */
  async leave(exchange: Exchange, id: string): Promise<void> {
    const { foreign, clock, pages } = this.#parts
    const provider = foreign.get(id)
    if (provider === undefined) return await pages.showLogin(exchange, { kind: 'expired' })
    const { uid, prompt } = exchange.interaction
    const fresh = prompt.reasons.some((reason) => FRESH.has(reason))
    const now = clock.now()
    const login = this.#departures.begin(
      { uid, provider: id, ...(fresh ? { since: now } : {}) },
      now,
    )
    const departure = await provider.leave(login, fresh)
    if (departure.outcome === 'failed') {
      return await this.#fail(exchange, provider, departure.failure)
    }
    sendTo(departure.url.href, exchange.response)
  }

  /** Sends a browser that is back to the login that it says it left. */
  sendBack(id: string, request: IncomingMessage, response: ServerResponse): void {
    const query = queryOf(request)
    const login = this.#departures.read(query.get('state') ?? '', this.#parts.clock.now())
    // What was for another provider is not for this one (RFC 9700 §4.4.2.2).
    if (login?.provider !== id) return this.#parts.sender.tell('expired', 400, request, response)
    sendTo(`${LOGIN}/${login.uid}/returned?${query.toString()}`, response)
  }

  /** Ends the login of a browser that is back, and that has shown that it is the one that left. */
  async arrive(exchange: Exchange): Promise<void> {
    const { foreign, pages, clock } = this.#parts
    const query = queryOf(exchange.request)
    const login = this.#departures.read(query.get('state') ?? '', clock.now())
    const isOwn = login?.uid === exchange.interaction.uid
    const provider = isOwn ? foreign.get(login.provider) : undefined
    const isUsed = isOwn && query.has('code') && !(await this.#departures.use(login))
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
      const arrival = await provider.arrive(query, login, login.since)
      if (arrival.outcome === 'stated') redemption.giveBack()
      await this.#conclude(exchange, provider, arrival)
    } finally {
      redemption.end()
    }
  }

  async #conclude(
    exchange: Exchange,
    provider: ForeignProvider,
    arrival: ProviderStatement | ProviderFailed,
  ): Promise<void> {
    const { pages, ending, opaqueKeys } = this.#parts
    if (arrival.outcome === 'failed') return await this.#fail(exchange, provider, arrival.failure)
    const facts = factsAt(provider, arrival, opaqueKeys)
    const result = provider.mapping.identityOf(facts)
    if (result.outcome === 'refused') {
      const { code: reason, detail } = result
      const authenticator = provider.id
      await ending.record(exchange, {
        outcome: 'refused',
        user: facts.user,
        authenticator,
        reason,
        detail,
      })
      return await pages.showLogin(exchange, { kind: 'provider', name: provider.name })
    }
    const held = this.#heldOf(provider, arrival)
    const failure = await ending.letIn(exchange, result.identity, held)
    if (failure !== undefined) await pages.showLogin(exchange, { kind: 'unavailable' })
  }

  #heldOf(
    { id, renews }: ForeignProvider,
    statement: ProviderStatement,
  ): Omit<UpstreamLogin, 'session' | 'user'> {
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
    { id, name }: ForeignProvider,
    { reason, detail }: ProviderFailure,
  ): Promise<void> {
    const { ending, pages } = this.#parts
    await ending.record(exchange, { outcome: 'refused', authenticator: id, reason, detail })
    const isDown = reason === 'authenticator-unavailable'
    await pages.showLogin(exchange, { kind: 'provider', name, isDown })
  }
}

// Why the provider asks for a login although there is one: "prompt=login", "max_age".
const FRESH: ReadonlySet<string> = new Set(['login_prompt', 'max_age'])

const queryOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
  new URLSearchParams(url.split('?', 2)[1] ?? '')

const sendTo = (location: string, response: ServerResponse): void => {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
  response.writeHead(303, headers).end()
}
