// Where a question goes: to a URL that was configured, or to the one that the issuer names now.

import type { Clock } from '../../runtime/clock.ts'
import {
  discover,
  discoveryUrl,
  locationIn,
  mutualTlsLocationIn,
  trustedUrl,
} from '../discovery.ts'
import type { FetchJson } from '../fetch-json.ts'

/** Finds the URL; rejects with a message for operators. */
export type Endpoint = (signal: AbortSignal) => Promise<URL>

/**
 * The one at this URL.
 *
 * @throws CountersignError `configuration-invalid` for a URL that is not fit to be trusted
 */
export const fixedEndpoint = (text: string): Endpoint => {
  const url = trustedUrl(text)
  return () => Promise.resolve(url)
}

/** What a discovered endpoint needs. */
export interface DiscoveredEndpointOptions {
  readonly issuer: string
  /** The member of the discovery document. */
  readonly member: string
  /** Whether the client authenticates by certificate (RFC 8705 §5). */
  readonly mutualTls: boolean
  readonly fetchJson: FetchJson
  readonly clock: Clock
}

// Endpoints hardly ever move, and requests to one that did fail until the next discovery.
const KNOWN_FOR_MS = 15 * 60_000

/**
 * The one that the issuer's discovery document names. It is fetched when it is first needed, so that
 * an issuer that is down holds up nothing else, and again now and then; what it said last counts
 * while the issuer cannot be reached.
 *
 * @throws CountersignError `configuration-invalid` for an issuer that is not fit to be trusted
 */
export const discoveredEndpoint = (options: DiscoveredEndpointOptions): Endpoint => {
  const { issuer, member, mutualTls, fetchJson, clock } = options
  const start = discoveryUrl(issuer)
  let known: { readonly url: URL; readonly since: number } | undefined
  let pending: Promise<URL> | undefined
  const look = async (signal: AbortSignal): Promise<URL> => {
    const since = clock.monotonic()
    const discovery = await discover(issuer, start, fetchJson, signal)
    const url = (mutualTls ? mutualTlsLocationIn : locationIn)(discovery, member)
    known = { url, since }
    return url
  }
  return async (signal) => {
    if (known !== undefined && clock.monotonic() - known.since < KNOWN_FOR_MS) return known.url
    pending ??= look(signal).finally(() => {
      pending = undefined
    })
    try {
      return await pending
    } catch (cause) {
      if (known === undefined) throw cause
      known = { ...known, since: clock.monotonic() }
      return known.url
    }
  }
}
