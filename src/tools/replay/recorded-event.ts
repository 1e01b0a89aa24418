// A line of the audit log → the decision that it records. A log is a file like any other, so nothing
// is taken for what it should be without a look.

import type { Reason, RecordedKubernetes } from '../../audit/event.ts'
import type { ShadowVerdict } from '../../authorize/evaluate.ts'
import type { Identity } from '../../identity/identity.ts'
import type { JsonObject } from '../../runtime/json-object.ts'
import type { TransformFailure } from '../../transform/transformer.ts'
import { EventFields } from './event-fields.ts'

/** What the rules came to, or would come to. */
export interface Outcome {
  readonly decision: 'allow' | 'deny'
  readonly reason: Reason
  /** Absent where no rule decided; of an `allow` also where the log does not tell which. */
  readonly rule?: string | undefined
}

/** The input of the rules, as far as the log contains it. */
export interface RecordedCheck {
  /** When it was decided, in milliseconds since the epoch: when the event was written. */
  readonly at: number
  /** How long before that it may have been: what the decision took, in milliseconds. */
  readonly duration: number
  readonly identity: Identity
  /** The link of the route's chain that proved it; of several at once, their names with a `+`. */
  readonly link: string
  readonly method: string
  readonly host: string
  /** The path as it was sent; of the query what `audit.query` left, and cut where it was long. */
  readonly path: string
  /** Whether there was a query that `path` does not contain. */
  readonly queryOmitted: boolean
  /** Whether the event is not whole. */
  readonly cut: boolean
  readonly source: string
  /** The route by which it was decided. */
  readonly route: string
  readonly kubernetes: RecordedKubernetes | undefined
  readonly shadows: readonly ShadowVerdict[]
  /** What the rules came to: an `allow` also where the request was refused for another cause. */
  readonly outcome: Outcome
}

/** One decision of the log. */
export interface RecordedDecision {
  readonly id: string
  /** When it was written, in milliseconds since the epoch. */
  readonly at: number
  /** As in the log, also where it was not proven. */
  readonly user: string | undefined
  readonly route: string | undefined
  readonly reason: Reason
  /** Absent where it was decided before the rules, or it is not known whether they had a say. */
  readonly asked: RecordedCheck | undefined
}

/** What a line records. */
export type EventReading =
  | { readonly outcome: 'decision'; readonly decision: RecordedDecision }
  /** A summary of so many refusals, which cannot be decided again. */
  | { readonly outcome: 'summary'; readonly count: number }
  /** Some other event, or not an event of Countersign: logs can share a stream. */
  | { readonly outcome: 'other' }
  /** A decision or a summary of which this field is missing or is not what it should be. */
  | { readonly outcome: 'malformed'; readonly field: string }

const MALFORMED_COUNT: EventReading = { outcome: 'malformed', field: 'count' }

/** Reads the object of one line. Pure; never throws; unknown fields are ignored. */
export const readDecision = (event: JsonObject): EventReading => {
  if (event['event'] === 'refusals-summary') {
    const { count, logins = 0 } = event
    const isCounted = typeof count === 'number' && typeof logins === 'number'
    return isCounted ? { outcome: 'summary', count: count - logins } : MALFORMED_COUNT
  }
  if (event['event'] !== 'decision') return { outcome: 'other' }
  const fields = new EventFields(event)
  const reason = fields.reason()
  const at = fields.time()
  const decision = {
    id: fields.text('id'),
    at,
    user: fields.textOrNone('user'),
    route: fields.textOrNone('route'),
    reason,
    asked: readCheck(fields, at, reason),
  }
  return fields.fault === undefined
    ? { outcome: 'decision', decision }
    : { outcome: 'malformed', field: fields.fault }
}

const readCheck = (fields: EventFields, at: number, reason: Reason): RecordedCheck | undefined => {
  const kubernetes = fields.kubernetes()
  const rule = fields.textOrNone('rule')
  const decision = fields.oneOf('decision', ['allow', 'deny'])
  if ((decision === 'allow') !== (reason === 'permitted')) fields.fault ??= 'decision'
  const decided = decidedBy(reason, rule, kubernetes !== undefined)
  if (decided === 'before') return undefined
  if (decided === 'rule' && rule === undefined) fields.fault ??= 'rule'
  const permitted = decision === 'allow' || PHASE_6.has(reason)
  return {
    at,
    duration: fields.duration(),
    identity: fields.identity(),
    link: fields.text('authenticator'),
    method: fields.text('method'),
    host: fields.text('host'),
    path: fields.text('path'),
    queryOmitted: fields.flag('queryOmitted'),
    cut: fields.flag('truncated'),
    source: fields.text('source'),
    route: fields.text('route'),
    kubernetes,
    shadows: fields.shadows(),
    outcome: permitted
      ? { decision: 'allow', reason: 'permitted', rule }
      : { decision: 'deny', reason, rule },
  }
}

/** After a permit: the rules allowed, and the credential for the upstream could not be made. */
const TRANSFORM_FAILURES: Readonly<Record<TransformFailure, true>> = {
  'header-unrepresentable': true,
  'header-unmapped': true,
  'header-reserved': true,
  'headers-too-large': true,
  'token-unmapped': true,
  'token-reserved': true,
  'token-missing': true,
  'exchange-refused': true,
  'certificate-unrepresentable': true,
  'certificate-reserved': true,
  'certificate-too-large': true,
  'certificate-missing': true,
  'certificate-unreadable': true,
  'credential-expired': true,
}
const PHASE_6: ReadonlySet<string> = new Set([
  ...Object.keys(TRANSFORM_FAILURES),
  'transform-unavailable',
  'rate-limited',
])

const BY_RULE: ReadonlySet<string> = new Set(['permitted', 'rule-denied', 'rule-failed'])
const BY_RULES: ReadonlySet<string> = new Set([
  'no-rule',
  'operation-undefined',
  'scope-missing',
  'authorizer-unavailable',
  'transform-unavailable', // a rule allowed it before, and an event need not say which
])

/** Who decided: one of the rules, the rules together, or something before them. */
const decidedBy = (
  reason: Reason,
  rule: string | undefined,
  kubernetes: boolean,
): 'rule' | 'rules' | 'before' => {
  if (BY_RULE.has(reason)) return 'rule'
  if (BY_RULES.has(reason)) return 'rules'
  // On other routes the headers alone are a reason to refuse, before any authenticator is called.
  if (reason === 'impersonation' && kubernetes) return 'rules'
  // The same reasons may occur before a rule was reached; then there is no rule.
  return PHASE_6.has(reason) && rule !== undefined ? 'rule' : 'before'
}
