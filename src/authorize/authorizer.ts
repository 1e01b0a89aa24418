// Phase 5 at the edge: the rules, and the API server that some of them ask. The rules themselves are
// evaluated by `evaluate.ts`, which sends no requests.

import type { MaybePromise } from '../runtime/maybe-promise.ts'
import { evaluate, type Verdict } from './evaluate.ts'
import type { Policy } from './policy.ts'
import { Workspace, type Question } from './question.ts'

/** The outcome of an access review. */
export type Review =
  | { readonly outcome: 'reviewed'; readonly allowed: boolean }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** Calls an API server for a SubjectAccessReview. It must not throw. */
export interface AccessReviewer {
  review(question: Question, signal: AbortSignal): Promise<Review>
}

/** The review for routes without an API server. */
export const NO_REVIEW: Review = {
  outcome: 'unavailable',
  cause: new TypeError('no API server is configured'),
}

/** What phase 5 comes to. */
export type AuthorizerVerdict =
  | Exclude<Verdict, { outcome: 'review-needed' }>
  /** The API server gave no answer, and this rule depends on it. */
  | (Omit<Extract<Verdict, { outcome: 'review-needed' }>, 'outcome'> & {
      readonly outcome: 'unavailable'
      readonly cause: unknown
    })

/** The rules of a route, and the API server that reviews access for them. */
export class Authorizer {
  readonly policy: Policy
  /** Reviews access. */
  readonly reviewer: AccessReviewer | undefined

  /** @param reviewer for rules with `subjectAccessReview`; without it they refuse */
  constructor(policy: Policy, reviewer?: AccessReviewer) {
    this.policy = policy
    this.reviewer = reviewer
  }

  /** Decides. A review is sent only when a rule that depends on it is reached. */
  authorize(question: Question, signal: AbortSignal): MaybePromise<AuthorizerVerdict> {
    const verdict = evaluate(this.policy, question)
    return verdict.outcome === 'review-needed' ? this.#review(question, signal) : verdict
  }

  async #review(question: Question, signal: AbortSignal): Promise<AuthorizerVerdict> {
    const review = (await this.reviewer?.review(question, signal)) ?? NO_REVIEW
    const answer = review.outcome === 'reviewed' ? review.allowed : review.outcome
    const reviewed = evaluate(this.policy, {
      ...question,
      workspace: new Workspace(),
      review: answer,
    })
    if (reviewed.outcome !== 'review-needed') return reviewed
    if (review.outcome === 'reviewed') throw new TypeError('a rule needs a second access review')
    return { ...reviewed, ...review }
  }
}
