// Phase 5: may this identity make this request? The only place where a `Permit` comes from.

import type { Identity } from '../identity/identity.ts'
import { isDiscovery } from '../request/kubernetes/discovery.ts'
import { grantedScopes, hasScopes } from '../request/openapi/scopes.ts'
import type { Request } from '../request/request.ts'
import type { Target } from '../request/target.ts'
import type { Unknown } from './matcher.ts'
import type { Policy, Rule } from './policy.ts'
import type { Question } from './question.ts'

/**
 * Proof that a rule allowed a request. Its class stays in this file and has a private field, so
 * nothing else can make one and no look-alike object compiles; `transform` accepts nothing less.
 */
class Permit {
  readonly #proof = true
  readonly identity: Identity
  readonly request: Request
  /** The requested operation or resource, as the rules saw it. */
  readonly target: Target
  /** The rule that allowed it. */
  readonly rule: string

  constructor({ identity, request, kubernetes, operation }: Question, rule: string) {
    this.identity = identity
    this.request = request
    this.target = { kubernetes, operation }
    this.rule = rule
  }

  /** Whether the value is a permit made here; for the one place that turns permits into answers. */
  static isGenuine(value: object): boolean {
    return #proof in value && value.#proof
  }
}

export type { Permit }

/** What a rule in shadow would have decided; `failed` where it could not be evaluated. */
export interface ShadowVerdict {
  readonly rule: string
  readonly decision: 'allow' | 'deny' | 'failed'
}

/** What the rules come to. */
export type Verdict = (
  | { readonly outcome: 'permit'; readonly permit: Permit }
  | { readonly outcome: 'denied'; readonly rule: Rule }
  /** It is undetermined whether the rule matches, so no later rule may decide. */
  | { readonly outcome: 'failed'; readonly rule: Rule; readonly detail: string }
  | { readonly outcome: 'no-rule' }
  /** The OpenAPI document has no such operation, and the route refuses those. */
  | { readonly outcome: 'operation-undefined' }
  /** The token lacks scopes; here the smallest set that would do. */
  | { readonly outcome: 'scope-missing'; readonly scopes: readonly string[] }
  /**
   * The API server has to review the request first; the same question with its `review` then has an answer, or
   * with `unavailable` the same again, where a rule that is in force depends on it.
   */
  | { readonly outcome: 'review-needed'; readonly rule: Rule }
) & {
  /** The rules in shadow that would have decided, in order. */
  readonly shadows: readonly ShadowVerdict[]
}

const NONE: readonly ShadowVerdict[] = []

/**
 * Evaluates a policy: the first rule that matches decides; when none does, the request is refused.
 * Pure: the same question has the same answer, and nothing is remembered.
 */
export const evaluate = (policy: Policy, question: Question): Verdict => {
  const unmet = unmetDemand(policy, question)
  if (unmet !== undefined) return unmet
  const shadows: ShadowVerdict[] = []
  let spoken: Set<object> | undefined
  for (const rule of policy.candidates(question)) {
    const { speaksFor } = rule
    if (speaksFor !== undefined && spoken?.has(speaksFor) === true) continue
    const match = matchOf(rule, question)
    if (match === false) continue
    if (match === 'review-needed') return { outcome: 'review-needed', rule, shadows }
    if (rule.shadow) {
      shadows.push({ rule: rule.name, decision: match === true ? rule.effect : 'failed' })
      if (speaksFor !== undefined) (spoken ??= new Set()).add(speaksFor)
    } else if (match !== true) {
      return { outcome: 'failed', rule, detail: match.unknown, shadows }
    } else if (rule.effect === 'deny') {
      return { outcome: 'denied', rule, shadows }
    } else {
      return { outcome: 'permit', permit: new Permit(question, rule.name), shadows }
    }
  }
  return { outcome: 'no-rule', shadows }
}

/**
 * Whether a rule takes the question; every matcher has to. Without an answer of the API server, a
 * rule in shadow is unknown and the evaluation continues: the request must not fail for a rule that decides nothing.
 */
export const matchOf = (rule: Rule, question: Question): boolean | 'review-needed' | Unknown => {
  for (const matcher of rule.matchers) {
    const answer = matcher.test(question)
    if (answer !== true) return answer
  }
  if (rule.review === undefined) return true
  const { review } = question
  if (review === 'unavailable') {
    return rule.shadow ? { unknown: 'the API server gave no answer' } : 'review-needed'
  }
  return review === undefined ? 'review-needed' : review === rule.review
}

/** The requirement of the OpenAPI document that the request does not meet, independent of the rules. */
const unmetDemand = (
  { demands }: Policy,
  { operation, identity, kubernetes }: Question,
): Verdict | undefined => {
  if (demands === undefined) return undefined
  if (operation === undefined) {
    // The API server's own document lacks /openapi and /readyz, which kubectl needs.
    const isKnown = kubernetes !== undefined && isDiscovery(kubernetes)
    return demands.undefined === 'deny' && !isKnown
      ? { outcome: 'operation-undefined', shadows: NONE }
      : undefined
  }
  if (demands.scopes === 'ignore') return undefined
  const { scopes } = operation.operation
  if (hasScopes(scopes, grantedScopes(identity.claims))) return undefined
  const fewest = scopes.toSorted((one, other) => one.length - other.length)[0] ?? []
  return { outcome: 'scope-missing', scopes: fewest, shadows: NONE }
}

/** Whether the value is a permit that {@link evaluate} made: a cast cannot get past this. */
export const isPermit = (value: object): value is Permit => Permit.isGenuine(value)
