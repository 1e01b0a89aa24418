// A token of authz as a client, the same for every caller (RFC 6749 §4.4). The next one is requested while
// the old one is still valid, so that no request of a busy service waits for it.

import { shared } from '../../runtime/shared.ts'
import { LONGEST_REJECTION } from '../../authenticate/credential-cache.ts'
import type { ClientCredentialsConfig } from './exchange-schema.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Transformer } from '../transformer.ts'
import { bearerHeader } from './bearer-header.ts'
import type { HeldToken, TokenCache } from './token-cache.ts'
import { marginOf, repeated, requestToken, scopeOf, type TokenSource } from './token-request.ts'

/** What the transformer needs. */
export interface ClientCredentialsOptions {
  readonly terms: Pick<ClientCredentialsConfig, 'audience' | 'resource' | 'scopes' | 'cacheTtl'>
  readonly source: TokenSource
  /** Differs with every setting that the token rests on. */
  readonly generation: string
  readonly cache: TokenCache
  /** Called when there is no new token, while the old one is still used. */
  readonly report: (failure: unknown) => void
  readonly clock: Clock
}

const KIND = 'service-token'

/** `bearer.clientCredentials`. */
export const clientCredentials = (options: ClientCredentialsOptions): Transformer => {
  const token = new RenewedToken(options)
  return {
    kind: KIND,
    asks: true,
    transform(_permit, signal) {
      const held = token.current()
      if (held !== undefined) return bearerHeader(held)
      return waitFor(token, signal)
    },
  }
}

const waitFor = async (token: RenewedToken, signal: AbortSignal) => {
  try {
    return bearerHeader(await shared(() => token.next(), signal))
  } catch (cause) {
    return { outcome: 'unavailable', cause } as const
  }
}

// The pause after a failed attempt while the old token is valid.
const PAUSE_MS = 1_000

/** Why there is no new token, and until when no request is sent for one (monotonic). */
interface Failure {
  readonly cause: unknown
  readonly until: number
}

class RenewedToken {
  readonly #options: ClientCredentialsOptions
  #held: HeldToken | undefined
  #renewal: Promise<HeldToken> | undefined
  #pausedUntil = Number.NEGATIVE_INFINITY
  #refusal: Failure | undefined

  constructor(options: ClientCredentialsOptions) {
    this.#options = options
  }

  /** The token that can be used now; sees to the next one in time. */
  current(): HeldToken | undefined {
    const { cache, clock } = this.#options
    const held = this.#held
    if (held === undefined || !this.#isGood(held)) return undefined
    if (clock.now() >= this.#renewalOf(held) && clock.monotonic() >= this.#pausedUntil) {
      // Its failure has been reported; the next request for a token gets it too.
      this.next().catch(() => undefined)
    }
    cache.countHit(KIND)
    return held
  }

  /** The next token, requested once for all that wait; the old one where that fails and it is valid. */
  async next(): Promise<HeldToken> {
    const { terms, clock } = this.#options
    if (terms.cacheTtl === 0) return await this.#ask()
    const refusal = this.#refusal
    if (refusal !== undefined && clock.monotonic() < refusal.until) throw refusal.cause
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined
    })
    return await this.#renewal
  }

  async #renew(): Promise<HeldToken> {
    const { generation, cache, report, clock } = this.#options
    const isFresh = (held: HeldToken): boolean => {
      // Of the configuration before this one: better than nothing while the server is down.
      if (this.#isGood(held)) this.#held ??= held
      return clock.now() < this.#renewalOf(held)
    }
    try {
      this.#held = await cache.tokenOf(KIND, generation, isFresh, () => this.#ask())
      return this.#held
    } catch (cause) {
      const kept = this.#held
      if (kept === undefined || !this.#isGood(kept)) throw cause
      this.#pausedUntil = Math.max(clock.monotonic() + PAUSE_MS, this.#refusal?.until ?? 0)
      report(cause)
      return kept
    }
  }

  async #ask(): Promise<HeldToken> {
    const { source, terms, clock } = this.#options
    const { audience, resource, scopes, cacheTtl } = terms
    const parameters = [
      ...repeated('grant_type', ['client_credentials']),
      ...repeated('resource', resource),
      ...repeated('audience', audience),
      ...scopeOf(scopes),
    ]
    const request = {
      parameters: () => Promise.resolve(parameters),
      expectation: { exchange: false },
      remember: cacheTtl,
    }
    const answer = await requestToken(source, request, clock)
    if (answer.outcome === 'token') return answer.held
    const { error = 'no code of OAuth' } = answer
    const cause = new Error(
      `${source.name} refuses us a token (${error}): see "scopes", "audience" and "resource", and what this client may ask for`,
    )
    // A mistake in the configuration; until it is corrected the server gets no question for every request.
    const until = clock.monotonic() + Math.min(cacheTtl, LONGEST_REJECTION)
    this.#refusal = { cause, until }
    throw cause
  }

  #isGood({ until, expires = until }: HeldToken): boolean {
    return this.#options.clock.now() < expires
  }

  /** When the next one is requested. Where the server did not send an expiry, `remember` is its lifetime. */
  #renewalOf({ until, expires }: HeldToken): number {
    return expires === undefined ? until - marginOf(this.#options.terms.cacheTtl) : until
  }
}
