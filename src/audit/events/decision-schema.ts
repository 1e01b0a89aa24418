// The event of a check, and the summaries of refusals.

import * as z from 'zod'
import type { ShadowVerdict } from '../../authorize/evaluate.ts'
import type { ForwardedKind } from '../../transform/transformer.ts'
import type { Reason } from '../reason.ts'
import { DECISION_REASONS } from '../reasons/reasons.ts'
import { clientFields, generation, keysOf, source } from './fields-schema.ts'
import type { Frozen } from './frozen.ts'

const text = z.string()

const FORWARDED = {
  headers: true,
  'minted-token': true,
  assertion: true,
  'exchanged-token': true,
  'service-token': true,
  passthrough: true,
  certificate: true,
} as const satisfies Readonly<Record<ForwardedKind, true>>

const SHADOW_DECISIONS = {
  allow: true,
  deny: true,
  failed: true,
} as const satisfies Readonly<Record<ShadowVerdict['decision'], true>>

const kubernetes = z
  .strictObject({
    verb: text,
    apiGroup: text.optional(),
    apiVersion: text.optional(),
    namespace: text.optional(),
    resource: text.optional(),
    subresource: text.optional(),
    name: text.optional(),
    impersonation: z
      .strictObject({
        user: text,
        uid: text.optional(),
        groups: z.array(text).optional(),
        extra: z.array(text).optional().describe('Requested keys, without their values.'),
      })
      .optional()
      .describe('The identity that the caller impersonates.'),
  })
  .describe(
    'The request as a Kubernetes API server reads it, on routes of `kind: kubernetes`. Empty fields are left out.',
  )

/** One check, decided. Exactly one for every check, also when it failed. */
export const decisionEvent = z
  .strictObject({
    event: z.literal('decision'),
    id: text.describe(
      'The decision id, also in `x-countersign-decision` of the answer; `auditID` in the audit log of a Kubernetes API server.',
    ),
    request: text.optional().describe('Envoy’s `x-request-id`.'),
    decision: z.enum(['allow', 'deny']),
    reason: z.enum(keysOf<Reason>(DECISION_REASONS)).describe('Why: a reason code.'),
    status: z.int().describe('The HTTP status; 200 where the request was forwarded.'),
    route: text.optional().describe('The route. Absent where none was found.'),
    method: text.optional().describe('Of the request.'),
    host: text.optional().describe('Of the request.'),
    path: text.optional().describe('Path and query; `audit.query` says how much of the query.'),
    queryOmitted: z
      .boolean()
      .optional()
      .describe('`true` where there was a query and `audit.query: none` kept it out of `path`.'),
    source: source.optional(),
    ...clientFields,
    rule: text.optional().describe('The rule that decided.'),
    shadow: z
      .array(z.strictObject({ rule: text, decision: z.enum(keysOf(SHADOW_DECISIONS)) }))
      .optional()
      .describe('Rules in shadow that would have decided.'),
    detail: text
      .optional()
      .describe(
        'Of a rule or mapping that failed: the place and the reason, never a value. Of a refused token: what was required and what was found. With `deadline-exceeded`: how long Envoy waits.',
      ),
    kubernetes: kubernetes.optional(),
    operation: text.optional().describe('The operation of the OpenAPI document of the route.'),
    forwarded: z
      .array(z.enum(keysOf<ForwardedKind>(FORWARDED)))
      .optional()
      .describe('What the upstream received. Absent where the request was refused.'),
    handle: text
      .optional()
      .describe('Digest of the grant for the client certificate, as in `certificate-issued`.'),
    jti: z
      .array(text)
      .optional()
      .describe(
        'Of the tokens that the upstream received; kube-apiserver logs it as `credential-id`.',
      ),
    truncated: z
      .literal(true)
      .optional()
      .describe(
        '`true` where `kubernetes` is left out and texts are shorter, so that a request of an unauthenticated client causes at most 2 KB.',
      ),
    duration: z.number().describe('From the arrival of the check to the event, in µs.'),
    generation,
  })
  .describe('One check, decided. Exactly one for every check, written before the answer.')

/** Refusals that have no event of their own. */
export const refusalsSummaryEvent = z
  .strictObject({
    event: z.literal('refusals-summary'),
    source: text
      .optional()
      .describe('An IPv4 address or an IPv6 /64. Absent where it is about several sources.'),
    count: z.int().describe('How many refusals.'),
    logins: z.int().optional().describe('How many of them are logins. Absent: none.'),
    first: text.describe('The time of the first one, RFC 3339.'),
    last: text.describe('The time of the last one, RFC 3339.'),
    reasons: z
      .array(z.strictObject({ reason: text, count: z.int() }))
      .describe('Their reasons, the most frequent first. A sum below `count` means further ones.'),
    routes: z
      .array(z.strictObject({ route: text, count: z.int() }))
      .optional()
      .describe('At most 16 routes.'),
    users: z
      .array(z.strictObject({ user: text, count: z.int() }))
      .optional()
      .describe('At most 8 claimed names.'),
    bytes: z.int().describe('What their events would have taken of the log.'),
  })
  .describe(
    'Refusals of unauthenticated clients beyond their budget, of one source. Written at intervals, when the process ends, and when the file is reopened.',
  )

/** One check, decided. */
export type DecisionEvent = Frozen<z.output<typeof decisionEvent>>
/** What audit keeps of a Kubernetes request. */
export type RecordedKubernetes = Frozen<z.output<typeof kubernetes>>
/** Refusals that have no event of their own. */
export type RefusalsSummaryEvent = Frozen<z.output<typeof refusalsSummaryEvent>>
