// One provider of others, as its client. What it sends is believed once it is signed, for us, and for this
// very login; or for the one that it was asked about again.

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
import type { Claims } from '../../identity/claims.ts'
import { Discovery, TOLERANCE_S } from './discovery.ts'
import { failureOf, type UpstreamFailure } from './failure.ts'
import type { UpstreamRequestParts } from './fetch.ts'
import { readLogoutToken, type LogoutToken } from './logout-token.ts'

/** What a login there needs beside the browser; secret but for `state`. */
export interface AuthorizationSecrets {
  readonly state: string
  readonly nonce: string
  /** RFC 7636 §4.1. */
  readonly verifier: string
}

/** Something went wrong there. */
export interface UpstreamFailed {
  readonly outcome: 'failed'
  readonly failure: UpstreamFailure
}

/** Where to send the browser. */
export type AuthorizationUrl = { readonly outcome: 'ready'; readonly url: URL } | UpstreamFailed

/** What a provider said of a person. */
export interface UpstreamTokens {
  readonly outcome: 'verified'
  /** Of its latest ID token, which is signed. */
  readonly signed: Claims & { readonly sub: string }
  /** Those, and what else its userinfo endpoint said. */
  readonly claims: Claims
  readonly idToken: string
  /** Where it is to be asked again with; `undefined` where it gave none. */
  readonly refreshToken: string | undefined
  /** For how long it stands by that, in milliseconds, as far as it said (`expires_in`). */
  readonly lifetime: number | undefined
}

/** What was known before it is asked again. */
export interface KnownTokens {
  readonly signed: UpstreamTokens['signed']
  readonly idToken: string
  readonly refreshToken: string
}

/** A provider of others. */
export class UpstreamIdp {
  readonly id: string
  readonly name: string
  readonly mapping: UpstreamIdpSettings['mapping']
  /** Where it sends browsers back to. */
  readonly redirectUri: string
  readonly #provider: UpstreamIdpSettings
  readonly #discovery: Discovery

  /** @param redirectUri ours alone for this provider, so that one cannot pass for another (RFC 9700 §4.4) */
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

  /** Whether it is asked again, where it gives us what to ask with. */
  get renews(): boolean {
    return this.#provider.config.refresh
  }

  /** Where it may take the browser, as far as is known. */
  get loginUrls(): readonly string[] {
    return [this.issuer, ...this.#discovery.endpoints('authorization_endpoint')]
  }

  /** Where it may take a browser that logs out; nowhere, where logins there go on. */
  async logoutUrls(): Promise<readonly string[]> {
    if (!this.#provider.config.logout) return []
    await this.#discovery.configuration().catch(() => undefined) // then nobody is sent there
    return [this.issuer, ...this.#discovery.endpoints('end_session_endpoint')]
  }

  /** Where it sends browsers back to that have logged out there, and tells us of others that have. */
  get logoutUri(): string {
    return `${this.redirectUri}/logout`
  }

  /** Finds it, so that it is known by the time that somebody goes there. */
  prepare(): void {
    void this.#discovery.configuration().catch(() => undefined) // told to who goes there
  }

  /** @param fresh whether the person has to prove it anew there, whatever session there is */
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
        // OpenID Connect Core §3.1.2.1; `max_age` is what makes it say when that was.
        ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      })
      if (!isConfidential(url)) throw new Error(`${url.origin} is not https`)
      return { outcome: 'ready', url }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /**
   * Redeems what the browser came back with.
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
      const signed = tokens.claims()
      const { id_token: idToken } = tokens
      if (signed === undefined || idToken === undefined) throw new Error('there is no ID token')
      if (since !== undefined && !isSince(signed.auth_time, since)) {
        throw new Error('it does not say that the person logged in just now')
      }
      const further = await this.#userInfo(configuration, tokens.access_token, signed.sub)
      // What the token says is signed.
      return { ...statementOf(tokens), signed, idToken, claims: { ...further, ...signed } }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /** Asks whether it still stands by a login, and what it says of the person now. */
  async refresh(known: KnownTokens): Promise<UpstreamTokens | UpstreamFailed> {
    const { signed: before, refreshToken } = known
    try {
      const configuration = await this.#discovery.configuration()
      const tokens = await refreshTokenGrant(configuration, refreshToken)
      const anew = tokens.claims()
      // OpenID Connect Core §12.2: there need not be one, and it is about nobody else.
      if (anew !== undefined && anew.sub !== before.sub) throw new Error('it is somebody else now')
      const signed = anew ?? before
      const further = await this.#userInfo(configuration, tokens.access_token, before.sub)
      return {
        ...statementOf(tokens),
        signed,
        idToken: tokens.id_token ?? known.idToken,
        // Signed long ago is less than said now.
        claims: anew === undefined ? { ...before, ...further } : { ...further, ...anew },
        refreshToken: tokens.refresh_token ?? refreshToken,
      }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /** Gives a refresh token back (RFC 7009), where it takes them; what went wrong, if anything. */
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
   * Where a browser logs out there (OpenID Connect RP-Initiated Logout 1.0); `undefined` where it does not
   * have to, or cannot.
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
      return undefined // out of reach: here the person is logged out in any case
    }
  }

  /**
   * Reads what it says of a logout there (OpenID Connect Back-Channel Logout 1.0 §2.6).
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

  /** OpenID Connect Core §5.3: many providers say there what they do not say in the ID token. */
  async #userInfo(configuration: Configuration, token: string, subject: string): Promise<Claims> {
    const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
    if (!this.#provider.config.userinfo || endpoint === undefined) return {}
    return await fetchUserInfo(configuration, token, subject)
  }
}

/** Of an answer of the token endpoint, what is said beside the claims. */
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

/** Below it each upstream IdP has a path of its own, on the issuer's host. */
export const UPSTREAM_CALLBACKS = '/login/callback'

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
