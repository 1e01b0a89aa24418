// Requests to upstream IdPs: by TLS, or on this machine, and in less time than Envoy waits for a response.

import { isConfidential } from '../../config/values.ts'
import type { UpstreamIdpSettings } from './build.ts'
import type { Clock } from '../../runtime/clock.ts'
import { httpFetcher, type HttpFetch } from '../../runtime/http/fetch.ts'
import { webFetch } from '../../runtime/http/web-fetch.ts'

/** For each response, in seconds: all requests of a login fit into Envoy's timeout. */
export const ANSWER_LIMIT_S = 4

/** Measures the requests to upstream IdPs. */
export interface UpstreamRequestMetrics {
  /**
   * A request to an upstream IdP.
   *
   * @param idp its id
   * @param result failed: no response, or a server error (RFC 9110 §15.6)
   * @param duration in seconds
   */
  upstreamRequest(idp: string, result: 'answered' | 'failed', duration: number): void
}

/** What requests to upstream IdPs need. */
export interface UpstreamRequestParts {
  readonly metrics: UpstreamRequestMetrics
  readonly clock: Clock
}

/** The `fetch` of the library for an upstream IdP. */
export const providerFetch = (
  { id, ca }: Pick<UpstreamIdpSettings, 'id' | 'ca'>,
  { metrics, clock }: UpstreamRequestParts,
): ReturnType<typeof webFetch> => {
  const { fetch: send } = httpFetcher({ ca }) // it keeps no connections, so there is nothing to end
  const fetch: HttpFetch = async (...request) => {
    const start = clock.monotonic()
    let result: 'answered' | 'failed' = 'failed'
    try {
      const answer = await send(...request)
      if (answer.status < INTERNAL_ERROR) result = 'answered'
      return answer
    } finally {
      metrics.upstreamRequest(id, result, (clock.monotonic() - start) / 1_000)
    }
  }
  return webFetch({ fetch, isConfidential, limit: ANSWER_LIMIT_S * 1_000 })
}

const INTERNAL_ERROR = 500
