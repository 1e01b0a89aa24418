// The findings, in order: for each decision its causes and consequences, and whether the API
// server saw what was decided.

import { compare, type Difference } from './compare.ts'
import {
  credentialOf,
  pathOf,
  type ApiRequest,
  type TracedDecision,
  type TracedFailure,
  type TracedIssuance,
  type TracedLogin,
  type TracedRefusal,
  type TracedSummary,
} from './records.ts'
import type { Found, UnreadLine } from './tracer.ts'

/** One decision, and what the logs have of its request. */
export interface DecisionReport {
  readonly decision: TracedDecision
  /** Certificates of its grant, and refusals of the signer, oldest first. */
  readonly issued: readonly TracedIssuance[]
  readonly refused: readonly TracedRefusal[]
  /** Where Envoy could not do what was decided. */
  readonly failures: readonly TracedFailure[]
  /** What the API server saw under its id: each request once, at its last stage. */
  readonly seen: readonly ApiRequest[]
  /** Where the API server saw something else than was decided. */
  readonly differences: readonly Difference[]
  readonly notes: readonly ReportNote[]
}

/** Why it is undetermined whether the logs agree. */
export type ReportNote = 'no-kubernetes-log' | 'not-in-kubernetes-log' | 'issuance-not-found'

/** Everything about an id. */
export interface Trace {
  readonly reports: readonly DecisionReport[]
  readonly logins: readonly TracedLogin[]
  /** What Envoy refused by itself, of which no decision is found. */
  readonly failures: readonly TracedFailure[]
  /** Refusals of the source that was searched for, which have no event of their own. */
  readonly summaries: readonly TracedSummary[]
  /** What the signer did for a grant of which no decision is found. */
  readonly issued: readonly TracedIssuance[]
  readonly refused: readonly TracedRefusal[]
  /** Requests under the id that was searched for, of which no decision is found. */
  readonly undecided: readonly ApiRequest[]
  /** Requests by a credential of the reports, of which no decision is found: alarming. */
  readonly unaccounted: readonly ApiRequest[]
  /** The same where the API server does not get Countersign's ids, correlated by path and time. */
  readonly likely: readonly ApiRequest[]
  readonly unread: readonly UnreadLine[]
  readonly cut: boolean
}

/** Puts it in order. @param isSearched whether there was a log of an API server */
export const correlate = (found: Found, isSearched: boolean): Trace => {
  const requests = lastStages(found.requests)
  const unaccounted = lastStages(found.unaccounted)
  const decisions = inOrder(found.decisions)
  const correlated = new Set(decisions.map(({ id }) => id))
  const grants = new Set(decisions.map(({ handle }) => handle))
  const likely = unaccounted.filter((request) => isLikely(request, found))
  return {
    reports: decisions.map((decision) => reportOf(decision, found, requests, isSearched)),
    logins: inOrder(found.logins),
    failures: inOrder(found.failures).filter(({ decision = '' }) => !correlated.has(decision)),
    summaries: inOrder(found.summaries),
    issued: inOrder(found.issuances).filter(({ handle }) => !grants.has(handle)),
    refused: inOrder(found.refusals).filter(({ handle }) => !grants.has(handle)),
    undecided: requests.filter(({ auditID }) => !correlated.has(auditID)),
    unaccounted: unaccounted.filter((request) => !likely.includes(request)),
    likely,
    unread: found.unread,
    cut: found.cut,
  }
}

/** Whether anything was found. */
export const isEmpty = (trace: Trace): boolean =>
  [
    trace.reports,
    trace.logins,
    trace.failures,
    trace.summaries,
    trace.issued,
    trace.refused,
    trace.undecided,
    trace.unaccounted,
    trace.likely,
  ].every(({ length }) => length === 0)

/** Whether something does not agree. */
export const isAlarming = ({ reports, unaccounted }: Trace): boolean =>
  unaccounted.length > 0 || reports.some(({ differences }) => differences.length > 0)

const reportOf = (
  decision: TracedDecision,
  found: Found,
  requests: readonly ApiRequest[],
  isSearched: boolean,
): DecisionReport => {
  const { id, handle } = decision
  const seen = requests.filter(({ auditID }) => auditID === id)
  const issued = inOrder(found.issuances).filter((one) => handle === one.handle)
  const refused = inOrder(found.refusals).filter((one) => handle === one.handle)
  const notes: ReportNote[] = []
  if (decision.decision === 'allow' && seen.length === 0) {
    notes.push(isSearched ? 'not-in-kubernetes-log' : 'no-kubernetes-log')
  }
  if (handle !== undefined && issued.length === 0 && refused.length === 0) {
    notes.push('issuance-not-found')
  }
  return {
    decision,
    issued,
    refused,
    failures: inOrder(found.failures).filter((one) => one.decision === id),
    seen,
    differences: compare(decision, issued, seen),
    notes,
  }
}

const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic']

const stageOf = ({ stage = '' }: ApiRequest): number => STAGES.indexOf(stage)

/** Each request once. Its stages have the moment of its arrival in common. */
const lastStages = (requests: readonly ApiRequest[]): readonly ApiRequest[] => {
  const last = new Map<string, ApiRequest>()
  for (const request of requests) {
    const key = `${request.requestReceivedTimestamp} ${request.auditID}`
    const known = last.get(key)
    if (known === undefined || stageOf(known) < stageOf(request)) last.set(key, request)
  }
  return [...last.values()].toSorted(
    (one, other) =>
      Date.parse(one.requestReceivedTimestamp) - Date.parse(other.requestReceivedTimestamp),
  )
}

const inOrder = <T extends { readonly time: string }>(records: readonly T[]): readonly T[] =>
  records.toSorted((one, other) => Date.parse(one.time) - Date.parse(other.time))

// Clocks of two machines, and the way from one to the other.
const EARLIEST_MS = 2_000
const LATEST_MS = 5_000

/** Whether a decision is of that path and moment, by a credential that never comes with our ids. */
const isLikely = (request: ApiRequest, { identified, uses }: Found): boolean => {
  const credential = credentialOf(request)
  if (credential === undefined || identified.has(credential)) return false
  const at = Date.parse(request.requestReceivedTimestamp)
  const times = uses.get(pathOf(request.requestURI)) ?? []
  return times.some((time) => at >= time - EARLIEST_MS && at <= time + LATEST_MS)
}
