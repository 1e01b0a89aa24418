// Rules, asked about what an audit log records: those that look at more cannot be answered from it,
// and are then undetermined.

import type { Matcher } from './matcher.ts'
import type { Policy, Rule } from './policy.ts'
import type { Question } from './question.ts'

/** What a rule reads and a log does not contain. */
export type UnrecordedDemand = 'condition' | 'access-review'

const DETAIL: Readonly<Record<UnrecordedDemand, string>> = {
  condition: 'the audit log does not contain what the expression reads',
  'access-review': 'the audit log does not tell what the API server answers',
}

/** Takes the place of what a log does not answer. */
class UnrecordedMatcher implements Matcher {
  readonly key = 'when'
  readonly wanted: unknown
  readonly demand: UnrecordedDemand

  constructor(demand: UnrecordedDemand, wanted: unknown) {
    this.demand = demand
    this.wanted = wanted
  }

  test(): { readonly unknown: string } {
    return { unknown: DETAIL[this.demand] }
  }

  got(): undefined {
    return undefined
  }
}

/**
 * The same rules, of which those fail that read more than a log contains. Evaluated with them, a
 * verdict `failed` is one about the request unless {@link unrecordedIn} says otherwise, and none is
 * `review-needed`.
 */
export const recordedPolicy = (policy: Policy): Policy => {
  const recorded = new Map(policy.rules.map((rule) => [rule, recordedRule(rule)]))
  return {
    rules: [...recorded.values()],
    demands: policy.demands,
    *candidates(question) {
      for (const rule of policy.candidates(question)) yield recorded.get(rule) ?? rule
    },
  }
}

/** What it reads and the log does not contain; `undefined` where it fails for another reason. */
export const unrecordedIn = (rule: Rule, question: Question): UnrecordedDemand | undefined => {
  const failing = rule.matchers.find((matcher) => matcher.test(question) !== true)
  return failing instanceof UnrecordedMatcher ? failing.demand : undefined
}

const recordedRule = (rule: Rule): Rule => {
  const matchers = rule.matchers.map((matcher) =>
    matcher.key === 'when' && !readsOnlyRecorded(matcher.wanted)
      ? new UnrecordedMatcher('condition', matcher.wanted)
      : matcher,
  )
  if (rule.review === undefined) return { ...rule, matchers }
  // It is read last, so that a rule that does not match anyway does not need it.
  const review = new UnrecordedMatcher('access-review', rule.review)
  return { ...rule, matchers: [...matchers, review], review: undefined }
}

// The recorded fields, by variable. Expressions that use another field are found when they are compiled, so that this
// is distinguished from a condition that fails at evaluation, and a missing field never yields an answer.
const RECORDED: Readonly<Record<string, ReadonlySet<string>>> = {
  identity: new Set(['user', 'groups', 'method', 'authenticator']),
  request: new Set(['method', 'host', 'path', 'source', 'time', 'segments']),
  certificate: new Set(),
  claims: new Set(),
  kubernetes: new Set([
    'isResource',
    'verb',
    'apiGroup',
    'apiVersion',
    'namespace',
    'resource',
    'subresource',
    'name',
    'impersonates',
    'impersonation',
  ]),
  operation: new Set(['id', 'method', 'template', 'tags', 'parameters']),
}

const READS =
  /\b(identity|request|certificate|claims|kubernetes|operation)\b(?:\s*\.\s*\??\s*(\w+))?/g

/** Whether an expression surely reads nothing but what a log records. */
const readsOnlyRecorded = (source: unknown): boolean =>
  typeof source === 'string' &&
  [...source.matchAll(READS)].every(
    ([, variable = '', member = '']) => RECORDED[variable]?.has(member) === true,
  )
