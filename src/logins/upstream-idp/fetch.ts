// Requests to upstream IdPs: by TLS, or on this machine, and in less time than Envoy waits for a response.

import { isConfidential } from '../../config/values.ts'
import type { UpstreamIdpSettings } from './build.ts'
import type { Clock } from '../../runtime/clock.ts'
import { httpFetcher, type HttpFetch } from '../../runtime/http/fetch.ts'
import {
  UNMEASURED,
  type RequestDurations,
  type RequestOutcome,
} from '../../runtime/request-durations.ts'
import { webFetch } from '../../runtime/http/web-fetch.ts'

/** For each response, in seconds: all requests of a login fit into Envoy's timeout. */
export const ANSWER_LIMIT_S = 4

/** What requests to upstream IdPs need. */
export interface UpstreamRequestParts {
  readonly durations?: RequestDurations | undefined
  readonly clock: Clock
}

/** The `fetch` of the library for an upstream IdP. */
export const providerFetch = (
  { id, ca }: Pick<UpstreamIdpSettings, 'id' | 'ca'>,
  { durations }: UpstreamRequestParts,
): ReturnType<typeof webFetch> => {
  const { fetch: send } = httpFetcher({ ca }) // it keeps no connections, so there is nothing to end
  const measured = durations?.of('upstream-idp', id) ?? UNMEASURED
  const fetch: HttpFetch = (...request) => measured.measure('', () => send(...request), ANSWERED)
  return webFetch({ fetch, isConfidential, limit: ANSWER_LIMIT_S * 1_000 })
}

// A server error is a failure (RFC 9110 §15.6); a refusal of a code or token is an answer.
const ANSWERED = {
  outcomeOf: ({ status }: { readonly status: number }): RequestOutcome =>
    status >= 500 ? 'failed' : 'answered',
}
