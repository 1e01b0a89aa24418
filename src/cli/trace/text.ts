// The text output of `countersign trace`: each decision, and below it the events that belong to it, in order
// of time.

import { explainReason, type ExplainedReason } from '../../audit/reasons/reasons.ts'
import type { Difference } from '../../tools/trace/compare.ts'
import {
  credentialOf,
  type ApiRequest,
  type TracedDecision,
  type TracedFailure,
  type TracedIssuance,
  type TracedLogin,
  type TracedRefusal,
  type TracedSummary,
} from '../../tools/trace/records.ts'
import type { DecisionReport, ReportNote, Trace } from '../../tools/trace/report.ts'
import { blocksAsText, counted, joined, rowsAsLines, type Row } from '../format.ts'

// Of long lists: what is more is counted.
const MAX_SHOWN = 10

/** The whole text, with a line feed at its end, safe for a terminal. */
export const traceText = (trace: Trace): string => {
  return blocksAsText([
    ...trace.logins.map(loginLines),
    ...trace.reports.map(reportLines),
    loose('refused by Envoy, without a decision', trace.failures.flatMap(failureLines)),
    loose('refused, without an event for each request', trace.summaries.flatMap(summaryLines)),
    loose('certificates without a decision in the logs', [
      ...trace.issued.flatMap(issuedLines),
      ...trace.refused.flatMap(refusedLines),
    ]),
    loose(
      'requests at the API server with this id and without a decision in the logs: they bypassed Countersign, or its log is missing',
      trace.undecided.flatMap(seenLines),
    ),
    alarm(trace),
    loose(
      `${counted(trace.likely.length, 'request')} at the API server with the same credential and without ids of Countersign; by path and time, each has a decision (see "auditId" of the route)`,
      trace.likely.slice(0, MAX_SHOWN).map(briefLine),
    ),
    trace.cut
      ? ['There are more events than fit, so the report is incomplete; trace one decision instead.']
      : [],
  ])
}

type Lines = readonly string[]

const loose = (title: string, lines: Lines): Lines => (lines.length === 0 ? [] : [title, ...lines])

const alarm = ({ unaccounted }: Trace): Lines => {
  const shown = unaccounted.slice(0, MAX_SHOWN)
  const more = unaccounted.length - shown.length
  return loose(
    `!!! ${counted(unaccounted.length, 'request')} at the API server with this credential and without a decision in the logs: it may be stolen`,
    [...shown.map(briefLine), ...(more > 0 ? [`  and ${more} more`] : [])],
  )
}

const briefLine = (request: ApiRequest): string => {
  const { requestReceivedTimestamp, auditID, user, verb, requestURI, sourceIPs } = request
  return `  ${requestReceivedTimestamp}  ${auditID}  ${user.username}  ${verb} ${requestURI}  from ${sourceIPs.join(', ')}  ${credentialOf(request) ?? ''}`
}

const reportLines = (report: DecisionReport): Lines => {
  const { decision, issued, refused, failures, seen, differences, notes } = report
  const parts = [
    { at: decision.time, lines: decisionLines(decision) },
    ...issued.map((one) => ({ at: one.time, lines: issuedLines(one) })),
    ...refused.map((one) => ({ at: one.time, lines: refusedLines(one) })),
    ...failures.map((one) => ({ at: one.time, lines: failureLines(one) })),
    ...seen.map((one) => ({ at: one.requestReceivedTimestamp, lines: seenLines(one) })),
  ]
  return [
    `decision ${decision.id}`,
    ...parts
      .toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))
      .flatMap(({ lines }) => lines),
    ...verdictLines(seen.length, differences),
    ...notes.map((note) => `  ${NOTES[note]}`),
  ]
}

const NOTES: Readonly<Record<ReportNote, string>> = {
  'no-kubernetes-log': 'not compared with the API server: --kube-audit is missing',
  'not-in-kubernetes-log':
    'the API server logged no request with this id: its audit policy or rotation omits it, the upstream is another, or it was not reached',
  'issuance-not-found': 'the certificate is in no given log of a signer (--issuance)',
}

const verdictLines = (seen: number, differences: readonly Difference[]): Lines => {
  if (differences.length === 0) return seen === 0 ? [] : ['  the API server saw the same']
  return differences.map(
    ({ what, ours: decided, theirs: observed }) =>
      `  !!! ${what.replaceAll('-', ' ')}: decided ${decided}, the API server saw ${observed}`,
  )
}

const heading = (time: string, who: string, what: string): string => `  ${time}  ${who}: ${what}`

const rows = (pairs: readonly Row[]): Lines => rowsAsLines(pairs, { indent: 6, width: 12 })

const labelled = (label: string, value: string | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : `${label} ${value}`

// A group may hold a comma.
const groupsText = (groups: readonly string[]): string | undefined =>
  groups.length === 0 ? undefined : groups.map((group) => JSON.stringify(group)).join(', ')

const decisionLines = (decision: TracedDecision): Lines => {
  const { decision: outcome, reason, rule, route, kubernetes, forwarded, status } = decision
  const why = joined([
    `${outcome}, ${reason}`,
    labelled('by rule', rule),
    labelled('on route', route),
  ])
  return [
    heading(decision.time, 'Countersign decided', why),
    ...rows([
      ['user', decision.user],
      ['groups', groupsText(decision.groups)],
      [
        'credential',
        joined([
          decision.authentication,
          labelled('by', decision.authenticator),
          labelled('fingerprint', decision.credential),
        ]),
      ],
      ...presentedRows(decision.presented),
      ['from', decision.source],
      ['request', joined([decision.method, joined([decision.host, decision.path], '')])],
      ['kubernetes', kubernetes && targetText(kubernetes.verb, kubernetes)],
      ['as', kubernetes?.impersonation && `${kubernetes.impersonation.user} (impersonation)`],
      ['forwarded', forwarded.join(', ')],
      ['token', labelled('jti', decision.jti.join(', '))],
      ['certificate', labelled('handle', decision.handle)],
      ['answer', outcome === 'deny' && status !== undefined ? String(status) : undefined],
      ['detail', decision.detail],
      ['remedy', outcome === 'deny' ? remedyFor(reason, 'decision') : undefined],
      ['request id', decision.request],
    ]),
  ]
}

/** Of a reason that this release knows; the log may be of another one. */
const remedyFor = (reason: string, place: ExplainedReason['of']): string | undefined =>
  explainReason(reason).find((known) => known.of === place)?.remedy

/** The credential as presented. */
const presentedRows = (presented: TracedDecision['presented']): readonly Row[] => {
  if (presented === undefined) return []
  const { proven, subject, issuer, serial, fingerprint, iss, jti, aud, id, login } = presented
  const text = joined([
    labelled('subject', subject),
    labelled('issuer', issuer),
    labelled('serial', serial),
    labelled('fingerprint', fingerprint),
    labelled('iss', iss),
    labelled('jti', jti),
    labelled('client', presented.client_id ?? presented.azp),
    labelled('aud', aud.join(', ')),
    labelled('id', id),
    labelled('login', login),
  ])
  return [[proven ? 'presented' : 'not proven', text]]
}

type TargetParts = Pick<
  NonNullable<ApiRequest['objectRef']>,
  'apiGroup' | 'resource' | 'subresource' | 'namespace' | 'name'
>

const targetText = (
  verb: string,
  { apiGroup, resource, subresource, namespace, name }: TargetParts,
): string =>
  joined([
    verb,
    joined([joined([resource, apiGroup], '.'), subresource], '/'),
    name,
    labelled('in', namespace),
  ])

const issuedLines = (issuance: TracedIssuance): Lines => [
  heading(
    issuance.time,
    'signer',
    joined(['issued a certificate', labelled('of', issuance.authority)]),
  ),
  ...rows([
    ['subject', issuance.subject],
    ['fingerprint', issuance.fingerprint],
    ['serial', issuance.serial],
    ['handle', issuance.handle],
    ['valid', joined([issuance.notBefore, issuance.notAfter], ' to ')],
  ]),
]

const refusedLines = ({ time, handle, reason, detail }: TracedRefusal): Lines => [
  heading(time, 'signer', `refused a certificate: ${reason}`),
  ...rows([
    ['handle', handle],
    ['detail', detail],
    ['remedy', remedyFor(reason, 'issuance')],
  ]),
]

const failureLines = (failure: TracedFailure): Lines => {
  const { time, event, reason, termination, detail, status, upstream } = failure
  const what = event === 'connection-refused' ? 'refused a connection' : 'failed a request'
  return [
    heading(time, 'Envoy', `${what}: ${joined([reason, termination, detail], ', ')}`),
    ...rows([
      ['from', failure.source],
      ['server name', failure.serverName],
      ['subject', failure.subject],
      ['issuer', failure.issuer],
      ['serial', failure.serial],
      ['fingerprint', failure.fingerprint],
      ['request', joined([failure.method, joined([failure.host, failure.path], '')])],
      ['answer', status === undefined || status === 0 ? undefined : String(status)],
      ['upstream', upstream],
      ['request id', failure.request],
    ]),
  ]
}

const summaryLines = ({ time, source, count, first, last, ...lists }: TracedSummary): Lines => [
  heading(time, 'Countersign refused', counted(count, 'request')),
  ...rows([
    ['from', source],
    ['between', joined([first, last], ' and ')],
    ['reasons', lists.reasons.map((one) => `${one.reason} ${one.count}`).join(', ')],
    ['routes', lists.routes.map((one) => `${one.route} ${one.count}`).join(', ')],
    ['users', lists.users.map((one) => `${one.user} ${one.count}`).join(', ')],
  ]),
]

const seenLines = (request: ApiRequest): Lines => {
  const { user, impersonatedUser, verb, objectRef, responseStatus, annotations } = request
  const what = objectRef === undefined ? verb : targetText(verb, objectRef)
  const code = responseStatus?.code
  return [
    heading(
      request.requestReceivedTimestamp,
      'API server',
      `${what}${code === undefined ? '' : ` -> ${code}`}`,
    ),
    ...rows([
      ['user', user.username],
      ['groups', groupsText(user.groups)],
      ['as', impersonatedUser?.username],
      ['as groups', groupsText(impersonatedUser?.groups ?? [])],
      ['credential', credentialOf(request)],
      ['from', request.sourceIPs.join(', ')],
      ['request', request.requestURI],
      [
        'authorized',
        joined(
          [
            annotations['authorization.k8s.io/decision'],
            annotations['authorization.k8s.io/reason'],
          ],
          ': ',
        ),
      ],
      ['audit id', request.auditID],
    ]),
  ]
}

const loginLines = (login: TracedLogin): Lines => [
  heading(
    login.time,
    login.event,
    joined([login.outcome, login.reason, labelled('by', login.loginMethod)]),
  ),
  ...rows([
    ['user', login.user],
    ['client', login.client],
    ['provider', joined([login.provider, login.cause], ', ')],
    ['grant type', login.grantType],
    ['token', labelled('jti', login.jti.join(', '))],
    ['login', login.login],
    ['from', login.source],
    ['request id', login.request],
  ]),
]
