// The input of a policy: identity, request and time. Everything that a rule may look at is in here, so
// the same question has the same answer.

import type { Budget } from '../expression/budget.ts'
import type { Identity } from '../identity/identity.ts'
import type { Request } from '../request/request.ts'
import type { Target } from '../request/target.ts'

/** What the expressions of all rules share while one question is evaluated; of no use to another question. */
export class Workspace {
  /** How much they may work, by purpose. */
  budgets: { readonly decision: Budget; readonly shadow: Budget } | undefined
  /** What they read. */
  variables: ExpressionVariables | undefined
}

/** The variables of expressions; those of the request may get more for a rule. */
export interface ExpressionVariables {
  readonly request: Readonly<Record<string, unknown>>
  readonly [name: string]: unknown
}

/** One question. */
export interface Question extends Target {
  readonly identity: Identity
  readonly request: Request
  /** When, in milliseconds since the epoch. */
  readonly at: number
  /**
   * What the API server answered to the review of this request; absent until it is sent.
   * `unavailable`: it gave no answer, so what depends on one cannot be decided.
   */
  readonly review?: boolean | 'unavailable' | undefined
  /** It is from an audit log, which does not contain everything; the rest is unknown. */
  readonly recorded?: boolean | undefined
  /** One that is not given is found by the question, which takes longer. */
  readonly workspace?: Workspace | undefined
}
