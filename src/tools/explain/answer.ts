// The answer explained: what was decided, and what the caller would get.

import { describeError } from '../../runtime/errors.ts'
import type { CheckAnswer } from '../../check/answer/answer.ts'
import type { Decision } from '../../check/decision.ts'

/** What the caller would get. */
export interface AnswerPhase {
  readonly decision: Decision['outcome']
  readonly reason: Decision['reason']
  /** The rule that decided. */
  readonly rule?: string
  /** 200 for a request that is forwarded. */
  readonly status: number
  /** Of a refusal, with those of the same name several times. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Of a refusal. */
  readonly body?: string
  /** What failed, for operators. */
  readonly detail?: string
}

/** Explains the answer. */
export const explainAnswer = (decision: Decision, answer: CheckAnswer): AnswerPhase => {
  const { outcome, reason } = decision
  const rule = decision.outcome === 'allow' ? decision.permit.rule : decision.rule
  const cause = decision.outcome === 'allow' ? undefined : decision.cause
  return {
    decision: outcome,
    reason,
    ...(rule === undefined ? {} : { rule }),
    status: answer.allow ? 200 : answer.httpStatus,
    headers: answer.allow
      ? []
      : answer.headers.map(([name, value]) => [name, shownOfAnswer(name, value)]),
    ...(answer.allow ? {} : { body: answer.body }),
    ...(cause === undefined ? {} : { detail: describeError(cause) }),
  }
}

/** A redirect contains the URL of the request, and with it its query, percent-encoded. */
const shownOfAnswer = (name: string, value: string): string => {
  if (name === 'set-cookie') return '[withheld]'
  return name === 'location' ? value.replace(/(\?|%3f).*$/is, '$1[withheld]') : value
}
