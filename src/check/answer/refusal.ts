// A refusal → the HTTP answer that the client gets: a status, and a body that users understand,
// in the form that suits the client. It names the rule that refused, so that users can report it to their
// operators, and nothing else of what is known.

import type { HeaderPair } from '../../transform/transformer.ts'
import type { CheckContext } from '../context.ts'
import type { Denial } from '../decision.ts'
import type { LoginInvitation, RefusalPage } from './login-redirect.ts'
import { DECISION_HEADER, type DenyAnswer } from './answer.ts'
import { challengesAfter, scopeChallenges } from './challenges.ts'
import { kubernetesBody } from './kubernetes-status.ts'
import { PUBLIC_ANSWERS, statusOf } from './public-answers.ts'
import type { Body, PublicRefusal, Refusal } from './public-refusal.ts'
import { ownBody, redirection } from './rule-answer.ts'
import { GRPC_CODES } from '../../runtime/grpc/framing.ts'
import { REASON_PHRASES } from '../../runtime/http/reason-phrases.ts'

/** Makes the answer for a refusal. */
export const refuse = (id: string, denial: Denial): DenyAnswer => {
  const { context, login } = denial
  if (login !== undefined) return invitation(id, login)
  const refused = describe(id, denial)
  const { status, reason } = refused
  const rule = reason === 'rule-denied' ? denial.deniedBy : undefined
  const own = ownBody(rule, refused)
  const page = own === undefined ? pageFor(refused, context) : undefined
  const { headers: bodyHeaders, body } = page ?? textual(own ?? bodyFor(refused, context))
  const headers: HeaderPair[] = [
    [DECISION_HEADER, id],
    ...bodyHeaders,
    ...waitingHeaders(refused, context),
    ...challengeHeaders(refused, denial),
  ]
  if (rule?.redirect !== undefined) headers.push(redirection(rule.redirect, id, context))
  return {
    allow: false,
    grpcStatus: grpcStatusOf(status),
    httpStatus: status,
    headers: rule?.answer === undefined ? headers : overridden(headers, rule.answer.headers),
    body,
  }
}

const textual = ({ type, body }: Body): RefusalPage => ({
  headers: [
    ['content-type', type],
    ['cache-control', 'no-store'],
    ['x-content-type-options', 'nosniff'],
  ],
  body,
})

/** On routes with a login users get pages; a Kubernetes API server is for programs. */
const pageFor = (refused: PublicRefusal, context: CheckContext): RefusalPage | undefined => {
  const { request, route } = context
  return request === undefined || isKubernetes(context)
    ? undefined
    : route?.login?.pageFor(request, refused)
}

const invitation = (id: string, { status, headers, body }: LoginInvitation): DenyAnswer => ({
  allow: false,
  grpcStatus: GRPC_CODES.unauthenticated,
  httpStatus: status,
  headers: [[DECISION_HEADER, id], ...headers],
  body,
})

const describe = (id: string, denial: Denial): PublicRefusal => {
  const { reason, rule, deniedBy } = denial
  const message = reason === 'rule-denied' ? deniedBy?.answer?.message : undefined
  return {
    id,
    reason,
    status: statusOf(denial),
    text: message ?? PUBLIC_ANSWERS[reason].text,
    own: message !== undefined,
    // Of a transform that failed the rule is the one that allowed.
    rule: reason === 'rule-denied' || reason === 'rule-failed' ? rule : undefined,
    wait: waitAfter(denial),
  }
}

// When the cause is on our side, seconds usually mend it; see RFC 9110 §10.2.3.
const RETRY_AFTER_SECONDS = 5
// As the API server itself has it (apiserver v0.37.2, pkg/server/filters/maxinflight.go).
const KUBERNETES_RETRY_AFTER_SECONDS = 1
// A bug is there the next time too, and another wait for the deadline is a long one.
const LASTING: ReadonlySet<Refusal> = new Set(['internal-error', 'deadline-exceeded', 'cancelled'])

const waitAfter = ({ reason, context, retryAfter }: Denial): number | undefined => {
  const { status } = PUBLIC_ANSWERS[reason]
  if (status === 429) return retryAfter ?? RETRY_AFTER_SECONDS
  if (status !== 503) return undefined
  if (!isKubernetes(context)) return retryAfter ?? RETRY_AFTER_SECONDS
  return LASTING.has(reason) ? undefined : KUBERNETES_RETRY_AFTER_SECONDS
}

/**
 * client-go sleeps for the time of `Retry-After`, and tries again, up to ten times, whenever an
 * answer of 429 or 5xx has it (client-go v0.37.2, rest/with_retry.go; `maxRetries` of
 * rest/request.go). That bridges a short outage, but makes a user who is locked out for minutes
 * look at a kubectl that hangs, and then count as ten more attempts: so after failed attempts the time is in the
 * Status alone, which client-go hands to its caller and does not act upon.
 */
const waitingHeaders = (
  { reason, wait }: PublicRefusal,
  context: CheckContext,
): readonly HeaderPair[] =>
  wait === undefined || (reason === 'too-many-attempts' && isKubernetes(context))
    ? []
    : [['retry-after', String(wait)]]

const challengeHeaders = (
  { status, reason }: PublicRefusal,
  denial: Denial,
): readonly HeaderPair[] => {
  // RFC 9110 §11.6.1: one challenge for each way in.
  if (status === 401) return challengesAfter(denial).map(asChallenge)
  return reason === 'scope-missing' ? scopeChallenges(denial).map(asChallenge) : []
}

const asChallenge = (challenge: string): HeaderPair => ['www-authenticate', challenge]

/** The headers of the rule, and those of the answer that the rule does not set itself. */
const overridden = (
  ours: readonly HeaderPair[],
  own: Readonly<Record<string, string>>,
): readonly HeaderPair[] => {
  const pairs = Object.entries(own)
  // The headers of the body are set with it.
  const set = new Set(pairs.map(([name]) => name))
  return [
    ...ours.filter(([name]) => name === 'content-type' || !set.has(name)),
    ...pairs.filter(([name]) => name !== 'content-type'),
  ]
}

const bodyFor = (refused: PublicRefusal, context: CheckContext): Body => {
  if (isKubernetes(context)) return kubernetesBody(refused, context)
  const { id, status, text, rule } = refused
  const title = REASON_PHRASES.get(status)
  if (prefersJson(context)) {
    const problem = { title, status, detail: text, rule, decision: id } // RFC 9457
    return { type: 'application/problem+json', body: JSON.stringify(problem) }
  }
  const heading = title === undefined ? String(status) : `${status} ${title}`
  const named = rule === undefined ? '' : `Rule: ${rule}\n`
  return {
    type: 'text/plain; charset=utf-8',
    body: `${heading}\n\n${text}\n${named}Decision: ${id}\n`,
  }
}

const isKubernetes = ({ route }: CheckContext): boolean => route?.kind === 'kubernetes'

const prefersJson = ({ request }: CheckContext): boolean => {
  const accept = request?.headers.text('accept') ?? ''
  return /\bapplication\/(problem\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}

const GRPC_STATUS: Readonly<Record<number, number>> = {
  400: GRPC_CODES.invalidArgument,
  401: GRPC_CODES.unauthenticated,
  403: GRPC_CODES.permissionDenied,
  404: GRPC_CODES.notFound,
  409: GRPC_CODES.aborted,
  414: GRPC_CODES.invalidArgument,
  429: GRPC_CODES.resourceExhausted,
  431: GRPC_CODES.invalidArgument,
}

/** google.rpc.Code for an HTTP status, as its comments have it. Never 0, which would mean "allow". */
const grpcStatusOf = (status: number): number =>
  status >= 500 ? GRPC_CODES.unavailable : (GRPC_STATUS[status] ?? GRPC_CODES.permissionDenied)
