// The discovery document of an upstream IdP: fetched before the first login there, and again after a failure or an hour.

import { createRemoteJWKSet, customFetch as joseFetch, type JWTVerifyGetKey } from 'jose'
import {
  allowInsecureRequests,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type Configuration,
} from 'openid-client'
import { withSecret } from './client-secret.ts'
import type { UpstreamIdpSettings } from './build.ts'
import { ProviderUnreachable } from '../../runtime/http/web-fetch.ts'
import { ANSWER_LIMIT_S, providerFetch, type UpstreamRequestParts } from './fetch.ts'

/** The tolerated difference of clocks, in seconds. */
export const TOLERANCE_S = 60

const HOUR_MS = 3_600_000

interface Found {
  readonly configuration: Promise<Configuration>
  /** Monotonic, in milliseconds. */
  readonly at: number
}

/** What is known of one provider. */
export class Discovery {
  readonly #provider: UpstreamIdpSettings
  readonly #parts: UpstreamRequestParts
  #found: Found | undefined
  #metadata: Readonly<Record<string, unknown>> = {}
  #keys: { readonly uri: string; readonly get: JWTVerifyGetKey } | undefined

  constructor(provider: UpstreamIdpSettings, parts: UpstreamRequestParts) {
    this.#provider = provider
    this.#parts = parts
  }

  /** The hosts' URLs of these of its endpoints, as far as they are known. */
  endpoints(...names: readonly ProviderEndpoint[]): readonly string[] {
    return names.flatMap((name) => {
      const endpoint = this.#metadata[name]
      const isWritable =
        typeof endpoint === 'string' && WRITABLE.test(URL.parse(endpoint)?.hostname ?? '')
      return isWritable ? [endpoint] : []
    })
  }

  /** Its metadata and this client's. Rejects with what the library throws. */
  async configuration(): Promise<Configuration> {
    const now = this.#parts.clock.monotonic()
    const known = this.#found
    if (known !== undefined && now - known.at < HOUR_MS) {
      try {
        return await known.configuration
      } catch {
        // The request that began it receives the failure. It may have begun long ago, so it is tried again.
        if (this.#found !== known && this.#found !== undefined) {
          return await this.#found.configuration
        }
      }
    }
    return await this.#find(now)
  }

  /** The keys that it signs with; fetched again for one that is not among them. */
  async keys(): Promise<JWTVerifyGetKey> {
    const { jwks_uri: uri } = (await this.configuration()).serverMetadata()
    if (uri === undefined) throw new Error('"jwks_uri" is missing')
    if (this.#keys?.uri !== uri) {
      const fetch = providerFetch(this.#provider, this.#parts)
      this.#keys = {
        uri,
        get: createRemoteJWKSet(new URL(uri), {
          [joseFetch]: async (url, { headers, ...options }) => {
            const sent = { ...options, headers: Object.fromEntries(headers) }
            const answer = await fetch(url, sent)
            if (answer.status === 200) return answer
            throw new ProviderUnreachable(`its keys: status ${answer.status}`)
          },
          timeoutDuration: ANSWER_LIMIT_S * 1_000,
        }),
      }
    }
    return this.#keys.get
  }

  async #find(at: number): Promise<Configuration> {
    const found = { configuration: this.#discover(), at }
    this.#found = found
    const configuration = await found.configuration
    this.#metadata = configuration.serverMetadata()
    return configuration
  }

  async #discover(): Promise<Configuration> {
    const { config, secret } = this.#provider
    const insecure = config.issuer.startsWith('https:') ? [] : [allowInsecureRequests]
    return await discovery(
      new URL(config.issuer),
      config.clientId,
      { [clockTolerance]: TOLERANCE_S },
      withSecret(secret),
      {
        [customFetch]: providerFetch(this.#provider, this.#parts),
        // Without it the library takes ID tokens that come over TLS unverified (OpenID Connect Core §3.1.3.7).
        execute: [enableNonRepudiationChecks, ...insecure],
        timeout: ANSWER_LIMIT_S,
      },
    )
  }
}

/** An endpoint that browsers are sent to. */
type ProviderEndpoint = 'authorization_endpoint' | 'end_session_endpoint'

// In the policy of a page (CSP §2.3.1); the issuer's own was looked at with the configuration.
const WRITABLE = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/
