// Decision → answer to Envoy: what it does to a request that it forwards. What the caller of a
// refused one gets is in `refusal.ts`.

import type { HeaderPair } from '../../transform/transformer.ts'
import type { Decision, Trail } from '../decision.ts'
import { DECISION_HEADER, type CheckAnswer } from './answer.ts'
import { refuse } from './refusal.ts'

/**
 * Makes the answer for a decision.
 *
 * @param now milliseconds since the epoch: what a credential has left bounds what it began
 */
export const respond = (id: string, decision: Decision, trail: Trail, now: number): CheckAnswer =>
  decision.outcome === 'allow'
    ? {
        allow: true,
        setHeaders: boundBy(decision.permit.identity.expires, now, decision.credentials.setHeaders),
        removeHeaders: decision.credentials.removeHeaders,
        repeatedHeaders: decision.credentials.repeatedHeaders,
        responseHeaders: [[DECISION_HEADER, id]],
        ...(decision.credentials.secret === undefined
          ? {}
          : { upstreamSecret: decision.credentials.secret.name }),
      }
    : refuse(id, decision, trail)

// Envoy ends the request then, upgraded connections too, and forwards no such header (its
// documentation of the router's "HTTP headers (consumed)").
const STREAM_DURATION = 'x-envoy-upstream-stream-duration-ms'

// Tokens are good for some seconds more, since clocks differ; a request is then given a moment still.
const SHORTEST_MS = 1_000
// Beyond that nobody waits for the end: 30 days.
const LONGEST_MS = 2_592_000_000

/** No request outlives the credential that it came with: a watch, an exec, a long download. */
const boundBy = (
  expires: number | undefined,
  now: number,
  headers: readonly HeaderPair[],
): readonly HeaderPair[] => {
  if (expires === undefined || expires - now > LONGEST_MS) return headers
  const left = Math.max(SHORTEST_MS, Math.floor(expires - now))
  return [...headers, [STREAM_DURATION, String(left)]]
}
