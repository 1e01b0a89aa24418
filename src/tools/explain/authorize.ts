// Phase 5 explained: which rule decided, how each judged the question, and the answer of the API server.

import type { AuthorizerVerdict } from '../../authorize/authorizer.ts'
import { explainRules, type RuleExplanation } from '../../authorize/explain.ts'
import { describeError } from '../../runtime/errors.ts'
import type { CheckContext } from '../../check/context.ts'
import type { PhaseOutcome } from './outcome.ts'
import type { Trace } from './trace.ts'

/** Phase 5: may they. */
export interface AuthorizePhase {
  readonly outcome: PhaseOutcome
  readonly verdict?: AuthorizerVerdict['outcome']
  /** The rule that decided. */
  readonly rule?: string
  /** In order, those of lists among them. */
  readonly rules: readonly RuleExplanation[]
  /** What the API server answered, where a review was sent. */
  readonly review?: 'allowed' | 'refused' | 'unavailable'
  /** The scopes that are missing. */
  readonly scopes?: readonly string[]
  /** What failed. */
  readonly detail?: string
}

/** Explains what the rules came to. */
export const explainAuthorization = (
  { route, identity }: CheckContext,
  { question, verdict, review }: Trace,
): AuthorizePhase => {
  if (identity === undefined || route === undefined || question === undefined) {
    return { outcome: 'not-reached', rules: [] }
  }
  if (verdict === undefined) return { outcome: 'miss', rules: [] } // a fault; the answer reports it
  const allowed = review?.outcome === 'reviewed' ? review.allowed : undefined
  const answered = review?.outcome === 'unavailable' ? 'unavailable' : allowed
  const decided = { ...question, workspace: undefined, review: answered } as const
  return {
    outcome: verdict.outcome === 'permit' ? 'hit' : 'miss',
    verdict: verdict.outcome,
    ...ruleOf(verdict),
    rules: explainRules(route.authorizer.policy, decided, verdict),
    ...(review && {
      review: allowed === undefined ? 'unavailable' : allowed ? 'allowed' : 'refused',
    }),
    ...(verdict.outcome === 'scope-missing' ? { scopes: verdict.scopes } : {}),
    ...detailOf(verdict),
  }
}

const ruleOf = (verdict: AuthorizerVerdict): Pick<AuthorizePhase, 'rule'> => {
  if (verdict.outcome === 'permit') return { rule: verdict.permit.rule }
  return 'rule' in verdict ? { rule: verdict.rule.name } : {}
}

const detailOf = (verdict: AuthorizerVerdict): Pick<AuthorizePhase, 'detail'> => {
  if (verdict.outcome === 'failed') return { detail: verdict.detail }
  return verdict.outcome === 'unavailable' ? { detail: describeError(verdict.cause) } : {}
}
