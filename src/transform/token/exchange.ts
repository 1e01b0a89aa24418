// The caller's own token, exchanged for one that is meant for the upstream (RFC 8693, or the JWT bearer
// grant on behalf of the caller). The caller's goes to the authorization server and nowhere else, and
// is exchanged only where it is what proved who the caller is.

import { shared } from '../../runtime/shared.ts'
import type { CredentialCache } from '../../authenticate/credential-cache.ts'
import { readBearerCredentials } from '../../authenticate/bearer/bearer-credentials.ts'
import type { Permit } from '../../authorize/evaluate.ts'
import type { ExchangeConfig } from './exchange-schema.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import { Derived } from '../../runtime/derived.ts'
import type { Asker } from '../../runtime/shared-server.ts'
import type { Transformation, Transformer } from '../transformer.ts'
import { bearerHeader } from './bearer-header.ts'
import { Refusals, TokenRefusal, type RefusedToken } from './refusals.ts'
import type { HeldToken, TokenCache } from './token-cache.ts'
import {
  repeated,
  requestToken,
  scopeOf,
  type FormParameters,
  type TokenSource,
} from './token-request.ts'

/** The requested token; see {@link ExchangeConfig}. */
type ExchangeTerms = Pick<
  ExchangeConfig,
  | 'flow'
  | 'subjectTokenType'
  | 'requestedTokenType'
  | 'audience'
  | 'resource'
  | 'scopes'
  | 'cacheTtl'
>

/** What the transformer needs. */
export interface ExchangeOptions {
  readonly terms: ExchangeTerms
  /** The actor: the type of its token, and its current value. */
  readonly actor: { readonly type: string; readonly read: () => Promise<string> } | undefined
  readonly source: TokenSource
  /** Differs with every setting that a token rests on. */
  readonly generation: string
  /** Makes cache keys from tokens without revealing them. */
  readonly keys: Pick<CredentialCache, 'keyOf'>
  readonly cache: TokenCache
  readonly clock: Clock
}

const KIND = 'exchanged-token'

/** `bearer.exchange`: requested once, and used until some time before its end. */
export const exchangedToken = (options: ExchangeOptions): Transformer => {
  const exchange = new Exchange(options)
  return {
    kind: KIND,
    asks: true,
    transform: (permit, signal) => exchange.transform(permit, signal),
  }
}

interface Known {
  /** The caller's token: one identity can be presented by several. */
  readonly subject: string
  readonly transformation: Transformation
  /** Milliseconds since the epoch. */
  readonly until: number
}

const MISSING = { outcome: 'failed', code: 'token-missing' } as const
const EXPIRED = { outcome: 'failed', code: 'credential-expired' } as const

class Exchange {
  readonly #options: ExchangeOptions
  readonly #refusals: Refusals
  // Identities are remembered with the proof behind them: most requests end here, without hashing.
  readonly #known = new Derived<Identity, Known>()

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#refusals = new Refusals(options.clock, options.terms.cacheTtl)
  }

  transform(
    { identity, request }: Permit,
    signal: AbortSignal,
  ): Transformation | Promise<Transformation> {
    const { cache, clock } = this.#options
    // One that was presented with DPoP is bound to a key that only the caller has, and is not read here.
    const credentials = readBearerCredentials(request.headers)
    if (credentials.outcome !== 'present' || !isProvenByToken(identity)) return MISSING
    const { token: subject } = credentials
    const { expires = Number.POSITIVE_INFINITY } = identity
    const now = clock.now()
    if (now >= expires) return EXPIRED
    const known = this.#known.get(identity)
    if (known?.subject !== subject || now >= known.until) {
      return this.#exchange(identity, subject, signal)
    }
    cache.countHit(KIND)
    return known.transformation
  }

  async #exchange(
    identity: Identity,
    subject: string,
    signal: AbortSignal,
  ): Promise<Transformation> {
    const { keys, generation } = this.#options
    try {
      const key = keys.keyOf(generation, subject)
      const refused = this.#refusals.recall(key)
      if (refused !== undefined) return refused
      const held = await shared(
        () => this.#tokenFor({ subject: key, caller: identity.user }, subject),
        signal,
      )
      const transformation = bearerHeader(held)
      this.#known.set(identity, { subject, transformation, until: held.until })
      return transformation
    } catch (cause) {
      return cause instanceof TokenRefusal ? cause.refused : { outcome: 'unavailable', cause }
    }
  }

  /** Shared by all requests that carry this token now; it continues when one of them leaves. */
  async #tokenFor(asker: Asker, subject: string): Promise<HeldToken> {
    const { source, terms, cache, clock } = this.#options
    const { cacheTtl, requestedTokenType: requestedType } = terms
    const { subject: key } = asker
    const request = {
      asker,
      parameters: () => this.#parametersFor(subject),
      expectation: { exchange: terms.flow === 'token-exchange', requestedType },
      remember: cacheTtl,
    }
    return await cache.tokenOf(
      KIND,
      key,
      ({ until }) => clock.now() < until,
      async () => {
        const answer = await requestToken(source, request, clock)
        if (answer.outcome === 'token') return answer.held
        const refused = refusedWith(answer.error)
        this.#refusals.remember(key, refused)
        throw new TokenRefusal(refused)
      },
    )
  }

  async #parametersFor(subject: string): Promise<FormParameters> {
    const { terms, actor } = this.#options
    const { flow, audience, resource, scopes, requestedTokenType, subjectTokenType } = terms
    if (flow === 'on-behalf-of') {
      // RFC 7523 §2.1; learn.microsoft.com, "OAuth 2.0 On-Behalf-Of flow".
      return [
        ['grant_type', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        ['assertion', subject],
        ['requested_token_use', 'on_behalf_of'],
        ...scopeOf(scopes),
      ]
    }
    // RFC 8693 §2.1, in its order.
    return [
      ['grant_type', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ...repeated('resource', resource),
      ...repeated('audience', audience),
      ...scopeOf(scopes),
      ...(requestedTokenType === undefined
        ? []
        : repeated('requested_token_type', [requestedTokenType])),
      ['subject_token', subject],
      ['subject_token_type', subjectTokenType],
      ...(actor === undefined
        ? []
        : [
            ...repeated('actor_token', [await actor.read()]),
            ...repeated('actor_token_type', [actor.type]),
          ]),
    ]
  }
}

/**
 * Whether an authenticator has judged the token. A caller who was proven by a client certificate may
 * send a second one that no authenticator has read, and perhaps another user's. With another credential
 * (`all`) its claims show that it was judged; a TokenReview yields none, so there it counts only alone.
 */
const isProvenByToken = ({ method, claims }: Identity): boolean =>
  method === 'bearer' || claims !== undefined

/** The code alone: the description may quote the token. */
const refusedWith = (error = 'no code of OAuth'): RefusedToken => ({
  outcome: 'failed',
  code: 'exchange-refused',
  detail: error,
})
