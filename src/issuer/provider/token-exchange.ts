// Token exchange (RFC 8693): a service that was called with a token of this issuer receives one for the next service, about
// the same user and with itself as actor. The new token never outlives the old one.

import {
  errors,
  type AccessToken,
  type Provider,
  type TokenEndpointGrantContext,
} from 'oidc-provider'
import { checkToken, refusalOf, type TokenRules } from '../../authenticate/bearer/verify-token.ts'
import { Keys } from '../../authenticate/bearer/keys.ts'
import { readToken } from '../../authenticate/bearer/token.ts'
import type { LoginStatusLookup } from '../../logins/status.ts'
import type { AuthorizationServer, ResourceServer } from '../../check/authorization-server.ts'
import type { ExchangeGrantConfig } from '../../configuration/client-schema.ts'
import { SIGNING_ALGORITHMS } from '../../keys/mint-schema.ts'
import type { TokenSigner } from '../../keys/signing-key-set.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { hasEndedLogin } from './login-claims.ts'
import { resourceInfo } from './resource-info.ts'
import { scopesIn } from '../http/scope.ts'

/** `grant_type`. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What exchanging needs. */
export interface TokenExchangeParts {
  readonly server: AuthorizationServer
  readonly signers: readonly TokenSigner[]
  /** The status of a login, by its id. */
  readonly statusOf: LoginStatusLookup
  readonly clock: Clock
}

// RFC 8693 §3.
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const TYPES: ReadonlySet<unknown> = new Set([ACCESS_TOKEN, 'urn:ietf:params:oauth:token-type:jwt'])

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'resource',
  'audience',
  'scope',
] as const

type Parameters = { readonly [name in (typeof PARAMETERS)[number]]?: unknown }

type Exchange = TokenEndpointGrantContext<Parameters>

/** The user of a token, and until when it is valid. */
interface Subject {
  readonly user: string
  /** The grant that it was given out by: what was proven at its login is found by it. */
  readonly grant: string
  readonly expires: number
  readonly scopes: readonly string[]
  /** `act` of the token, where it was exchanged before. */
  readonly actor: JsonObject | undefined
}

/** Exchanges tokens for the clients that may. */
export class TokenExchange {
  readonly #parts: TokenExchangeParts
  readonly #keys: Keys
  readonly #actors = new WeakMap<AccessToken, JsonObject>()

  constructor(parts: TokenExchangeParts) {
    this.#parts = parts
    this.#keys = new Keys(
      parts.signers.map(({ kid, algorithm, publicKey }) => ({
        id: kid,
        algorithm,
        key: publicKey,
      })),
    )
  }

  /** Adds the grant to a provider, where some client may use it. */
  serve(provider: Provider): void {
    const { clients } = this.#parts.server
    if (clients.every(({ config }) => config.exchange === undefined)) return
    provider.registerGrantType<Parameters>(
      TOKEN_EXCHANGE,
      async (ctx) => await this.#exchange(ctx),
      PARAMETERS,
    )
  }

  /** The claims of a token in addition to those of its resource: the actor (RFC 8693 §4.1). */
  claimsOf(token: AccessToken): JsonObject {
    const act = this.#actors.get(token)
    return act === undefined ? {} : { act }
  }

  async #exchange(ctx: Exchange): Promise<void> {
    const { provider, client, params } = ctx.oidc
    const allowed = this.#parts.server.clients.find(({ id }) => id === client.clientId)?.config
    if (allowed?.exchange === undefined) throw new errors.UnauthorizedClient()
    refuseUnknown(params)
    const target = this.#targetOf(params, allowed.exchange)
    const subject = await this.#subjectOf(params, allowed.exchange, client.clientId)
    const { user: accountId, grant: grantId } = subject
    if (await hasEndedLogin(ctx, { accountId, grantId }, this.#parts.statusOf)) {
      throw invalid('is of a login that has ended')
    }
    const scope = scopeOf(params, target, [
      ...subject.scopes,
      ...(allowed.exchange.scopes[target.uri] ?? []),
    ])
    const left = Math.floor((subject.expires - this.#parts.clock.now()) / 1_000)
    if (left < 1) throw new errors.InvalidRequest('the subject token has expired')
    const info = resourceInfo(target)
    const token = new provider.AccessToken({
      client,
      accountId,
      resourceServer: new provider.ResourceServer(target.uri, info),
      grantId,
      gty: 'token_exchange',
      scope,
      expiresIn: Math.min(left, info.accessTokenTTL ?? left),
    })
    const { actor } = subject
    this.#actors.set(token, {
      sub: client.clientId,
      ...(actor === undefined ? {} : { act: actor }),
    })
    ctx.oidc.entity('AccessToken', token)
    ctx.oidc.entity('Account', { accountId })
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: token.expiration,
      ...(scope === undefined ? {} : { scope }),
    }
  }

  #targetOf({ resource, audience }: Parameters, { to }: ExchangeGrantConfig): ResourceServer {
    if (audience !== undefined) throw new errors.InvalidTarget('name the target by "resource"')
    const target =
      typeof resource === 'string' ? this.#parts.server.resources.get(resource) : undefined
    if (target === undefined || !to.includes(target.uri)) throw new errors.InvalidTarget()
    return target
  }

  /** @throws errors.InvalidRequest for whatever is wrong with the token (RFC 8693 §2.2.2) */
  async #subjectOf(
    { subject_token: text }: Parameters,
    { from }: ExchangeGrantConfig,
    client: string,
  ): Promise<Subject> {
    const { server, clock } = this.#parts
    const reading = readToken(typeof text === 'string' ? text : '')
    if (reading.outcome !== 'token') throw invalid('is not a JWT access token of this issuer')
    const { claims } = reading.token
    // The text itself is compared, as everywhere (RFC 8725 §3.8).
    if (claims['iss'] !== server.url) throw invalid('is from another issuer')
    const rules: TokenRules = {
      issuer: server.url,
      audiences: from.map((uri) => server.resources.get(uri)?.config.audience ?? uri),
      kind: 'access',
      algorithms: SIGNING_ALGORITHMS,
      skew: 0, // it is our own clock
    }
    const judgement = checkToken(reading.token, rules, clock.now())
    if (judgement.outcome === 'rejected') throw invalid(judgement.code)
    const refusal = await refusalOf(judgement.plausible, this.#keys, rules)
    if (refusal !== undefined) throw invalid(refusal.code)
    const { subject: user, expires } = judgement.plausible
    const { aud, client_id: holder, grant_id: grant, cnf, act, may_act: may } = claims
    if (typeof aud !== 'string') throw invalid('has more than one audience')
    // The exchanged token would lose the binding to the key (RFC 7800 §3.1).
    if (cnf !== undefined) throw invalid('is bound to a key')
    // RFC 9068 §5: a client that acts for itself may have the name of a user.
    if (typeof holder !== 'string' || holder === user) throw invalid('has no user as its subject')
    // RFC 8693 §4.4.
    if (may !== undefined && !(isJsonObject(may) && may['sub'] === client)) {
      throw invalid('does not allow this client as its actor (may_act)')
    }
    if (typeof grant !== 'string') throw invalid('names no grant')
    const actor = isJsonObject(act) ? act : undefined
    return { user, grant, expires, scopes: scopesIn(claims['scope']), actor }
  }
}

const invalid = (what: string): errors.InvalidRequest =>
  new errors.InvalidRequest(`the subject token ${what}`)

const refuseUnknown = (params: Parameters): void => {
  const { subject_token_type: given, requested_token_type: wanted = ACCESS_TOKEN } = params
  if (!TYPES.has(given)) throw new errors.InvalidRequest('"subject_token_type" is not known here')
  if (!TYPES.has(wanted))
    throw new errors.InvalidRequest('"requested_token_type" is not known here')
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('it is the client itself that acts: leave out "actor_token"')
  }
}

/**
 * The scopes of the new token, all of them requested.
 *
 * @param granted those of the subject token, and what the configuration adds to them for this client there
 * @throws errors.InvalidScope for one that the resource does not have, or that was not granted
 */
const scopeOf = (
  { scope }: Parameters,
  { config }: ResourceServer,
  granted: readonly string[],
): string | undefined => {
  const words = scopesIn(scope)
  const unknown = words.find((word) => !config.scopes.includes(word))
  if (unknown !== undefined) throw new errors.InvalidScope('the resource does not have it', unknown)
  const wider = words.find((word) => !granted.includes(word))
  if (wider !== undefined) {
    throw new errors.InvalidScope('the subject token does not have it', wider)
  }
  return words.length === 0 ? undefined : words.join(' ')
}
