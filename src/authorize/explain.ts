// Phase 5 explained: how each rule judged a question, by the same compiled matchers that decided.
// It tries every rule, where the live path tries those that its index finds, so that an explanation
// of one and a verdict of the other cannot differ unnoticed.

import type { AuthorizerVerdict } from './authorizer.ts'
import { matchOf, type ShadowVerdict } from './evaluate.ts'
import type { Matcher, MatcherKey } from './matcher.ts'
import type { Policy, Rule, RuleList } from './policy.ts'
import type { Question } from './question.ts'

/** One thing that a rule looks at. */
export interface MatcherExplanation {
  readonly key: MatcherKey | 'subjectAccessReview'
  /** `failed`: undetermined; `not-reached`: it is read only when all before it hit. */
  readonly outcome: 'hit' | 'miss' | 'failed' | 'not-reached'
  /** As the configuration has it. */
  readonly wanted: unknown
  /** What of the question it looks at; `undefined` where that is not one thing. */
  readonly got: unknown
  /** Why it failed: the place and the reason, never a value. */
  readonly detail?: string
}

/** What one rule came to. */
export interface RuleExplanation {
  /** Its position, from 0; the rules of lists are counted too. */
  readonly position: number
  readonly name: string
  readonly effect: Rule['effect']
  /** The list that it is in. */
  readonly list?: string
  /**
   * - `hit`: it decided.
   * - `miss`: a matcher of it missed.
   * - `failed`: it is undetermined whether it matches, so that it decided: the request is refused.
   * - `shadow`: it would have decided, and is not in force.
   * - `not-reached`: something before it decided, or spoke for its list.
   */
  readonly outcome: 'hit' | 'miss' | 'failed' | 'shadow' | 'not-reached'
  /** What a rule in shadow would have decided. */
  readonly shadow?: ShadowVerdict['decision']
  /** In the order in which they are read; of rules that were not reached, none was. */
  readonly matchers: readonly MatcherExplanation[]
}

/**
 * Explains a verdict rule by rule. Pure.
 *
 * @param question the one that was decided, with the answer of the API server if it was queried
 * @throws TypeError when the rules do not come to this verdict, which would be a bug
 */
export const explainRules = (
  policy: Policy,
  question: Question,
  verdict: AuthorizerVerdict,
): readonly RuleExplanation[] => {
  // What the OpenAPI document demands is decided before any rule.
  const beforeRules =
    verdict.outcome === 'operation-undefined' || verdict.outcome === 'scope-missing'
  const reader = new RuleReader(question, beforeRules)
  const rules = policy.rules.map((rule, position) => reader.read(rule, position))
  const complaint = disagreement(rules, verdict)
  if (complaint !== undefined) throw new TypeError(`explained otherwise than decided: ${complaint}`)
  return rules
}

/** Reads the rules in order, each once. */
class RuleReader {
  readonly #question: Question
  #decided: boolean
  /** Lists in shadow of which a rule has spoken. */
  readonly #spoken = new Set<RuleList>()

  /** @param decided whether it is decided before any rule */
  constructor(question: Question, decided: boolean) {
    this.#question = question
    this.#decided = decided
  }

  read(rule: Rule, position: number): RuleExplanation {
    const { name, effect, list, shadow, speaksFor } = rule
    const common = { position, name, effect, ...(list === undefined ? {} : { list }) }
    const silent = speaksFor !== undefined && this.#spoken.has(speaksFor)
    if (this.#decided || silent) return { ...common, outcome: 'not-reached', matchers: [] }
    const match = matchOf(rule, this.#question)
    const matchers = explainMatchers(rule, this.#question)
    const read = combined(matchers)
    const wanted = match === true ? 'hit' : match === false ? 'miss' : 'failed'
    if (read !== wanted) throw new TypeError(`rule "${name}" is a ${wanted}, read as a ${read}`)
    if (match === false) return { ...common, outcome: 'miss', matchers }
    if (shadow) {
      if (match === 'review-needed') throw new TypeError(`rule "${name}" waits for a review`)
      if (speaksFor !== undefined) this.#spoken.add(speaksFor)
      return { ...common, outcome: 'shadow', shadow: match === true ? effect : 'failed', matchers }
    }
    this.#decided = true
    return { ...common, outcome: match === true ? 'hit' : 'failed', matchers }
  }
}

const explainMatchers = (rule: Rule, question: Question): readonly MatcherExplanation[] => {
  let live = true
  const explained = rule.matchers.map((matcher): MatcherExplanation => {
    const answer = live ? explainMatcher(matcher, question) : behindMiss(matcher, question)
    live &&= answer.outcome === 'hit'
    return answer
  })
  if (rule.review === undefined) return explained
  const got = live ? question.review : undefined
  const review = { key: 'subjectAccessReview', wanted: rule.review, got } as const
  if (!live) return [...explained, { ...review, outcome: 'not-reached' }]
  if (typeof got !== 'boolean') {
    return [...explained, { ...review, outcome: 'failed', detail: 'the API server gave no answer' }]
  }
  return [...explained, { ...review, outcome: got === rule.review ? 'hit' : 'miss' }]
}

/**
 * What a matcher that is not reached would answer, to show how far a rule is
 * from matching. An expression may rely on the matchers before it, so it is not tried.
 */
const behindMiss = (matcher: Matcher, question: Question): MatcherExplanation => {
  const { key, wanted } = matcher
  const unread = { key, outcome: 'not-reached', wanted, got: undefined } as const
  if (key === 'when') return unread
  const answer = explainMatcher(matcher, question)
  return answer.outcome === 'failed' ? unread : answer
}

const explainMatcher = (matcher: Matcher, question: Question): MatcherExplanation => {
  const { key, wanted } = matcher
  const answer = matcher.test(question)
  const got = matcher.got(question)
  if (typeof answer !== 'boolean') {
    return { key, outcome: 'failed', wanted, got, detail: answer.unknown }
  }
  return { key, outcome: answer ? 'hit' : 'miss', wanted, got }
}

/** Their outcome together: the first that is not a hit. */
const combined = (matchers: readonly MatcherExplanation[]): MatcherExplanation['outcome'] =>
  matchers.find(({ outcome }) => outcome !== 'hit')?.outcome ?? 'hit'

/** In what the rules, as read, do not come to the verdict. */
const disagreement = (
  rules: readonly RuleExplanation[],
  verdict: AuthorizerVerdict,
): string | undefined => {
  const decisive = rules.find(({ outcome }) => outcome === 'hit' || outcome === 'failed')
  const read = decisive && `${decisive.outcome} ${decisive.effect} ${decisive.name}`
  const wanted = decisiveOf(verdict)
  if (read !== wanted) return `${read ?? 'no rule'}, where it was ${wanted ?? verdict.outcome}`
  const shadows = rules.flatMap(({ name, shadow }) =>
    shadow === undefined ? [] : [`${name}: ${shadow}`],
  )
  const recorded = verdict.shadows.map(({ rule, decision }) => `${rule}: ${decision}`)
  return shadows.join() === recorded.join()
    ? undefined
    : `in shadow ${shadows.join()}, where it was ${recorded.join()}`
}

const decisiveOf = (verdict: AuthorizerVerdict): string | undefined => {
  switch (verdict.outcome) {
    case 'permit':
      return `hit allow ${verdict.permit.rule}`
    case 'denied':
      return `hit deny ${verdict.rule.name}`
    case 'failed':
    case 'unavailable':
      return `failed ${verdict.rule.effect} ${verdict.rule.name}`
    case 'no-rule':
    case 'operation-undefined':
    case 'scope-missing':
      return undefined
  }
}
