// One upstream IdP, as its client. Tokens are accepted when they are signed by it, for this client, and for this login.

import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  fetchUserInfo,
  refreshTokenGrant,
  tokenRevocation,
  type Configuration,
  type TokenEndpointResponse,
} from 'openid-client'
import type { UpstreamIdpSettings } from './build.ts'
import { isConfidential } from '../../config/values.ts'
import { claimsIn, type Claims } from '../../identity/claims.ts'
import { UPSTREAM_CALLBACKS } from './callbacks.ts'
import { Discovery, TOLERANCE_S } from './discovery.ts'
import { failureOf, type UpstreamFailure } from './failure.ts'
import type { UpstreamRequestParts } from './fetch.ts'
import { readLogoutToken, type LogoutToken } from './logout-token.ts'

/** The secrets of one authorization there; `state` is public. */
export interface AuthorizationSecrets {
  readonly state: string
  readonly nonce: string
  /** RFC 7636 §4.1. */
  readonly verifier: string
}

/** A request to it failed. */
export interface UpstreamFailed {
  readonly outcome: 'failed'
  readonly failure: UpstreamFailure
}

/** The authorization request to redirect the browser to. */
export type AuthorizationUrl = { readonly outcome: 'ready'; readonly url: URL } | UpstreamFailed

/** The tokens of a user, verified. */
export interface UpstreamTokens {
  readonly outcome: 'verified'
  /** Of its latest ID token, which is signed. */
  readonly signed: Claims & { readonly sub: string }
  /** Those, and the further ones of its userinfo endpoint. */
  readonly claims: Claims
  readonly idToken: string
  /** Refreshes them; `undefined` without one. */
  readonly refreshToken: string | undefined
  /** Their lifetime in milliseconds (`expires_in`), where it was in the response. */
  readonly lifetime: number | undefined
}

/** The tokens before they are refreshed. */
export interface KnownTokens {
  readonly signed: UpstreamTokens['signed']
  readonly idToken: string
  readonly refreshToken: string
}

/** An upstream IdP. */
export class UpstreamIdp {
  readonly id: string
  readonly name: string
  readonly mapping: UpstreamIdpSettings['mapping']
  /** Where it sends browsers back to. */
  readonly redirectUri: string
  readonly #provider: UpstreamIdpSettings
  readonly #discovery: Discovery

  /** @param redirectUri of this IdP alone, against mix-up attacks (RFC 9700 §4.4) */
  constructor(provider: UpstreamIdpSettings, redirectUri: string, parts: UpstreamRequestParts) {
    this.id = provider.id
    this.name = provider.config.name
    this.mapping = provider.mapping
    this.redirectUri = redirectUri
    this.#provider = provider
    this.#discovery = new Discovery(provider, parts)
  }

  /** Its issuer. */
  get issuer(): string {
    return this.#provider.config.issuer
  }

  /** Whether its refresh tokens are used. */
  get renews(): boolean {
    return this.#provider.config.refresh
  }

  /** The URLs that a login may redirect the browser to, as far as they are known. */
  get loginUrls(): readonly string[] {
    return [this.issuer, ...this.#discovery.endpoints('authorization_endpoint')]
  }

  /** The URLs that a logout may redirect the browser to; none without `logout`. */
  async logoutUrls(): Promise<readonly string[]> {
    if (!this.#provider.config.logout) return []
    await this.#discovery.configuration().catch(() => undefined) // then no browser is redirected there
    return [this.issuer, ...this.#discovery.endpoints('end_session_endpoint')]
  }

  /** Its post-logout redirect URI, and its back-channel logout URI. */
  get logoutUri(): string {
    return `${this.redirectUri}/logout`
  }

  /** Fetches its metadata before a user needs them. */
  prepare(): void {
    void this.#discovery.configuration().catch(() => undefined) // the login that needs it fails
  }

  /** @param fresh whether the user has to authenticate again, whatever session the IdP has */
  async authorize(secrets: AuthorizationSecrets, fresh: boolean): Promise<AuthorizationUrl> {
    const { scopes, parameters } = this.#provider.config
    try {
      const configuration = await this.#discovery.configuration()
      const url = buildAuthorizationUrl(configuration, {
        ...parameters,
        redirect_uri: this.redirectUri,
        scope: scopes.join(' '),
        code_challenge: await calculatePKCECodeChallenge(secrets.verifier),
        code_challenge_method: 'S256',
        state: secrets.state,
        nonce: secrets.nonce,
        // OpenID Connect Core §3.1.2.1; `max_age` makes the server send `auth_time`.
        ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      })
      if (!isConfidential(url)) throw new Error(`${url.origin} is not https`)
      return { outcome: 'ready', url }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /**
   * Redeems the code that the browser returned with.
   *
   * @param since when the login had to be made at the earliest, in milliseconds since the epoch
   */
  async redeem(
    query: URLSearchParams,
    { state, nonce, verifier }: AuthorizationSecrets,
    since: number | undefined,
  ): Promise<UpstreamTokens | UpstreamFailed> {
    const url = new URL(this.redirectUri)
    url.search = query.toString()
    try {
      // Also holds `iss` against the issuer, where it is there or announced (RFC 9207 §2.4).
      const configuration = await this.#discovery.configuration()
      const tokens = await authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const signed = signedClaimsOf(tokens)
      const { id_token: idToken } = tokens
      if (signed === undefined || idToken === undefined) throw new Error('there is no ID token')
      if (since !== undefined && !isSince(signed['auth_time'], since)) {
        throw new Error('"auth_time" of the ID token is missing or before this login')
      }
      const further = await this.#userInfo(configuration, tokens.access_token, signed.sub)
      // The claims of the ID token are signed, so they take precedence.
      return { ...statementOf(tokens), signed, idToken, claims: { ...further, ...signed } }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /** Refreshes the tokens of a login: whether it is active there, and its claims now. */
  async refresh(known: KnownTokens): Promise<UpstreamTokens | UpstreamFailed> {
    const { signed: before, refreshToken } = known
    try {
      const configuration = await this.#discovery.configuration()
      const tokens = await refreshTokenGrant(configuration, refreshToken)
      const anew = signedClaimsOf(tokens)
      // OpenID Connect Core §12.2: an ID token is optional, and has the same subject.
      if (anew !== undefined && anew.sub !== before.sub) throw new Error('"sub" has changed')
      const signed = anew ?? before
      const further = await this.#userInfo(configuration, tokens.access_token, before.sub)
      return {
        ...statementOf(tokens),
        signed,
        idToken: tokens.id_token ?? known.idToken,
        // Claims that were signed long ago count less than those of now.
        claims: anew === undefined ? { ...before, ...further } : { ...further, ...anew },
        refreshToken: tokens.refresh_token ?? refreshToken,
      }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /** Revokes a refresh token (RFC 7009), where it has the endpoint; returns the failure, if any. */
  async revoke(refreshToken: string): Promise<UpstreamFailure | undefined> {
    try {
      const configuration = await this.#discovery.configuration()
      if (configuration.serverMetadata().revocation_endpoint === undefined) return undefined
      await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' })
      return undefined
    } catch (cause) {
      return failureOf(cause)
    }
  }

  /**
   * The URL that logs a browser out there (OpenID Connect RP-Initiated Logout 1.0); `undefined` without `logout`, and
   * without such an endpoint.
   */
  async logoutUrl(idToken: string, state: string): Promise<URL | undefined> {
    if (!this.#provider.config.logout) return undefined
    try {
      const configuration = await this.#discovery.configuration()
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined
      const url = buildEndSessionUrl(configuration, {
        id_token_hint: idToken,
        post_logout_redirect_uri: this.logoutUri,
        state,
      })
      return isConfidential(url) ? url : undefined
    } catch {
      return undefined // unavailable: this login ends in any case
    }
  }

  /**
   * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6).
   *
   * @throws Error that says what is wrong with it
   */
  async logoutTokenIn(text: string): Promise<LogoutToken> {
    const { issuer } = (await this.#discovery.configuration()).serverMetadata()
    return await readLogoutToken(text, {
      issuer,
      clientId: this.#provider.config.clientId,
      keys: await this.#discovery.keys(),
      tolerance: TOLERANCE_S,
    })
  }

  /** OpenID Connect Core §5.3: many providers have claims there that the ID token has not. */
  async #userInfo(configuration: Configuration, token: string, subject: string): Promise<Claims> {
    const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
    if (!this.#provider.config.userinfo || endpoint === undefined) return {}
    return await fetchUserInfo(configuration, token, subject)
  }
}

/** The claims of the ID token that the library has verified; `undefined` where there is none. */
const signedClaimsOf = ({
  id_token: idToken,
}: TokenEndpointResponse): UpstreamTokens['signed'] | undefined => {
  if (idToken === undefined) return undefined
  const claims = claimsIn(idToken)
  const sub = claims?.['sub']
  if (typeof sub !== 'string') throw new Error('the ID token has claims with more than one reading')
  return { ...claims, sub }
}

/** The fields of a token response except its claims. */
const statementOf = ({
  refresh_token: refreshToken,
  expires_in: seconds,
}: TokenEndpointResponse) => ({
  outcome: 'verified' as const,
  refreshToken,
  lifetime: seconds === undefined ? undefined : seconds * 1_000,
})

const isSince = (authTime: unknown, since: number): boolean =>
  typeof authTime === 'number' && authTime + TOLERANCE_S >= since / 1_000

/** The upstream IdPs of a configuration, by their ids. */
export const upstreamIdpsOf = (
  settings: readonly UpstreamIdpSettings[],
  issuer: string,
  parts: UpstreamRequestParts,
): ReadonlyMap<string, UpstreamIdp> =>
  new Map(
    settings.map((one) => {
      const redirectUri = new URL(`${UPSTREAM_CALLBACKS}/${one.id}`, issuer).href
      return [one.id, new UpstreamIdp(one, redirectUri, parts)]
    }),
  )
