// One provider of others, as its client: found when somebody first wants to go there, and again after a
// failure or an hour. What it sends is believed once it is signed, for us, and for this very login.

import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  type ClientAuth,
  type Configuration,
} from 'openid-client'
import type { LoginProvider } from '../../../check/login-providers.ts'
import type { Claims } from '../../../identity/identity.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { failureOf, type ProviderFailure } from './failure.ts'
import { ANSWER_LIMIT_S, isConfidential, providerFetch } from './fetch.ts'

/** What a login there needs beside the browser; secret but for `state`. */
export interface ProviderSecrets {
  readonly state: string
  readonly nonce: string
  /** RFC 7636 §4.1. */
  readonly verifier: string
}

/** Where to send the browser. */
export type Departure =
  | { readonly outcome: 'leaves'; readonly url: URL }
  | { readonly outcome: 'failed'; readonly failure: ProviderFailure }

/** Who came back. */
export type Arrival =
  | {
      readonly outcome: 'arrived'
      readonly claims: Claims & { readonly sub: string }
      readonly token: string
    }
  | { readonly outcome: 'failed'; readonly failure: ProviderFailure }

const HOUR_MS = 3_600_000
// What its clock and ours may differ by.
const TOLERANCE_S = 60

// In the policy of a page (CSP §2.3.1); the issuer's own was looked at with the configuration.
const WRITABLE = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/

interface Found {
  readonly configuration: Promise<Configuration>
  /** Monotonic, in milliseconds. */
  readonly at: number
}

/** A provider of others. */
export class ForeignProvider {
  readonly id: string
  readonly name: string
  readonly mapping: LoginProvider['mapping']
  /** Where it sends browsers back to. */
  readonly redirectUri: string
  readonly #provider: LoginProvider
  readonly #clock: Clock
  #found: Found | undefined
  #endpoint: string | undefined

  /** @param redirectUri ours alone for this provider, so that one cannot pass for another (RFC 9700 §4.4) */
  constructor(provider: LoginProvider, redirectUri: string, clock: Clock) {
    this.id = provider.id
    this.name = provider.config.name
    this.mapping = provider.mapping
    this.redirectUri = redirectUri
    this.#provider = provider
    this.#clock = clock
  }

  /** Its issuer. */
  get issuer(): string {
    return this.#provider.config.issuer
  }

  /** Where it may take the browser, as far as is known. */
  get places(): readonly string[] {
    return this.#endpoint === undefined ? [this.issuer] : [this.issuer, this.#endpoint]
  }

  /** Finds it, so that it is known by the time that somebody goes there. */
  prepare(): void {
    void this.#configuration().catch(() => undefined) // told to who goes there
  }

  /** @param fresh whether the person has to prove it anew there, whatever session there is */
  async leave(secrets: ProviderSecrets, fresh: boolean): Promise<Departure> {
    const { scopes } = this.#provider.config
    try {
      const configuration = await this.#configuration()
      const url = buildAuthorizationUrl(configuration, {
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
      return { outcome: 'leaves', url }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /**
   * Redeems what the browser came back with.
   *
   * @param since when the login had to be made at the earliest, in milliseconds since the epoch
   */
  async arrive(
    query: URLSearchParams,
    { state, nonce, verifier }: ProviderSecrets,
    since: number | undefined,
  ): Promise<Arrival> {
    const url = new URL(this.redirectUri)
    url.search = query.toString()
    try {
      // Also holds `iss` against the issuer, where it is there or announced (RFC 9207 §2.4).
      const configuration = await this.#configuration()
      const tokens = await authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      const { id_token: token } = tokens
      if (claims === undefined || token === undefined) throw new Error('there is no ID token')
      if (since !== undefined && !isSince(claims.auth_time, since)) {
        throw new Error('it does not say that the person logged in just now')
      }
      const further = await this.#userInfo(configuration, tokens.access_token, claims.sub)
      // What the token says is signed.
      return { outcome: 'arrived', claims: { ...further, ...claims }, token }
    } catch (cause) {
      return { outcome: 'failed', failure: failureOf(cause) }
    }
  }

  /** OpenID Connect Core §5.3: many providers say there what they do not say in the ID token. */
  async #userInfo(configuration: Configuration, token: string, subject: string): Promise<Claims> {
    const { userinfo_endpoint: endpoint } = configuration.serverMetadata()
    if (!this.#provider.config.userinfo || endpoint === undefined) return {}
    return await fetchUserInfo(configuration, token, subject)
  }

  async #configuration(): Promise<Configuration> {
    const now = this.#clock.monotonic()
    const known = this.#found
    if (known !== undefined && now - known.at < HOUR_MS) {
      try {
        return await known.configuration
      } catch {
        // Whoever began that is told. It may have begun long ago, so it says little of now.
        if (this.#found !== known && this.#found !== undefined) {
          return await this.#found.configuration
        }
      }
    }
    return await this.#find(now)
  }

  async #find(at: number): Promise<Configuration> {
    const found = { configuration: this.#discover(), at }
    this.#found = found
    const configuration = await found.configuration
    const { authorization_endpoint: endpoint = '' } = configuration.serverMetadata()
    const host = URL.parse(endpoint)?.hostname ?? ''
    this.#endpoint = WRITABLE.test(host) ? endpoint : undefined
    return configuration
  }

  async #discover(): Promise<Configuration> {
    const { config, secret, ca } = this.#provider
    const insecure = config.issuer.startsWith('https:') ? [] : [allowInsecureRequests]
    return await discovery(
      new URL(config.issuer),
      config.clientId,
      { [clockTolerance]: TOLERANCE_S },
      withSecret(secret),
      {
        [customFetch]: providerFetch(ca),
        // Without it the library takes ID tokens that come over TLS unverified (OpenID Connect Core §3.1.3.7).
        execute: [enableNonRepudiationChecks, ...insecure],
        timeout: ANSWER_LIMIT_S,
      },
    )
  }
}

const isSince = (authTime: unknown, since: number): boolean =>
  typeof authTime === 'number' && authTime + TOLERANCE_S >= since / 1_000

/** As the provider has it; `client_secret_basic` where it does not say (OpenID Connect Discovery §3). */
const withSecret = (secret: string): ClientAuth => {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const chosen = methods.includes('client_secret_basic') ? basic : post
    chosen(server, ...rest)
  }
}
