// Decision → answer to Envoy: what it does to a request that it forwards. What the caller of a
// refused one gets is in `refusal.ts`.

import type { Identity } from '../../identity/identity.ts'
import type { HeaderPair } from '../../transform/transformer.ts'
import type { Decision } from '../decision.ts'
import { DECISION_HEADER, type CheckAnswer } from './answer.ts'
import { refuse } from './refusal.ts'

/**
 * Makes the answer for a decision.
 *
 * @param now milliseconds since the epoch: what a credential has left bounds what it began
 */
export const respond = (id: string, decision: Decision, now: number): CheckAnswer => {
  if (decision.outcome === 'deny') return refuse(id, decision)
  const { permit, credentials, context } = decision
  const { setHeaders, removeHeaders, repeatedHeaders, secret } = credentials
  const isSent = context.route.sendsAuditId
  const allSet: HeaderPair[] = [...setHeaders]
  if (isSent) allSet.push([AUDIT_ID, id])
  const left = timeLeft(permit.identity, now)
  if (left !== undefined) allSet.push([STREAM_DURATION, String(left)])
  const answer = {
    allow: true,
    setHeaders: allSet,
    // Envoy sets first and removes afterwards.
    removeHeaders: isSent ? removeHeaders.filter(isNotAuditId) : removeHeaders,
    repeatedHeaders,
    responseHeaders: [[DECISION_HEADER, id]],
  } as const
  return secret === undefined ? answer : { ...answer, upstreamSecret: secret.name }
}

// A Kubernetes API server takes the id of the request in its audit log from this header, whichever client sends it
// (apiserver v0.37.2, pkg/endpoints/filters/audit_init.go).
const AUDIT_ID = 'audit-id'

const isNotAuditId = (name: string): boolean => name.toLowerCase() !== AUDIT_ID

// Envoy ends the request then, upgraded connections too, and forwards no such header (its
// documentation of the router's "HTTP headers (consumed)").
const STREAM_DURATION = 'x-envoy-upstream-stream-duration-ms'

// Tokens are accepted for some seconds after their expiry, since clocks differ. A request then gets this time.
const SHORTEST_MS = 1_000
// Longer than any client waits: 30 days.
const LONGEST_MS = 2_592_000_000

/**
 * How long the request may last, in whole milliseconds; `undefined` for no bound. No request outlives the credential that it
 * came with: a watch, an exec, a long download. A watch looks like a download, so where a credential can be ended before it
 * expires, its limit is for every request.
 */
export const timeLeft = (
  { expires = Infinity, requestLimit = Infinity }: Identity,
  now: number,
): number | undefined => {
  const left = Math.min(expires - now, requestLimit)
  return left > LONGEST_MS ? undefined : Math.max(SHORTEST_MS, Math.floor(left))
}
