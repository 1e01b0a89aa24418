// Decision → answer to Envoy: for a refusal the HTTP response that the caller gets, with a body
// that a person understands.

import { STATUS_CODES } from 'node:http'
import { status as grpcStatus } from '@grpc/grpc-js'
import type { HeaderPair } from '../transform/transformer.ts'
import type { CheckAnswer } from './answer.ts'
import { challengesAfter } from './challenges.ts'
import { PUBLIC_ANSWERS, type Decision, type Trail } from './decision.ts'

/** The answer header that carries the decision id, on refusals and on forwarded answers alike. */
export const DECISION_HEADER = 'x-countersign-decision'

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
    : refuse(id, decision.reason, trail)

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

// When the cause is on our side, seconds usually mend it; see RFC 9110 §10.2.3.
const RETRY_AFTER_SECONDS = 5

const refuse = (
  id: string,
  reason: Extract<Decision, { outcome: 'deny' }>['reason'],
  trail: Trail,
): CheckAnswer => {
  const { status, text } = PUBLIC_ANSWERS[reason]
  const title = STATUS_CODES[status] ?? ''
  const json = prefersJson(trail)
  const headers: HeaderPair[] = [
    [DECISION_HEADER, id],
    ['content-type', json ? 'application/problem+json' : 'text/plain; charset=utf-8'],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
  ]
  if (status === 429 || status === 503) {
    headers.push(['retry-after', String(trail.retryAfter ?? RETRY_AFTER_SECONDS)])
  }
  if (status === 401) {
    // RFC 9110 §11.6.1: one challenge for each way in.
    for (const challenge of challengesAfter(trail)) headers.push(['www-authenticate', challenge])
  }
  return {
    allow: false,
    grpcStatus: GRPC_STATUS[status],
    httpStatus: status,
    headers,
    body: json
      ? JSON.stringify({ title, status, detail: text, decision: id }) // RFC 9457
      : `${status} ${title}\n\n${text}\nDecision: ${id}\n`,
  }
}

const GRPC_STATUS = {
  400: grpcStatus.INVALID_ARGUMENT,
  401: grpcStatus.UNAUTHENTICATED,
  403: grpcStatus.PERMISSION_DENIED,
  429: grpcStatus.RESOURCE_EXHAUSTED,
  503: grpcStatus.UNAVAILABLE,
} as const

const prefersJson = ({ request }: Trail): boolean => {
  const accept = request?.headers.get('accept')?.toString('latin1') ?? ''
  return /\bapplication\/(problem\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}
