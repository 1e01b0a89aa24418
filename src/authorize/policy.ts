// A route's rules: configuration → compiled, in order, and found by what they look at.

import { RESOURCE_VERBS } from './request-values.ts'
import type { AuthorizeEntry, RuleAnswer, RuleConfig } from './schema.ts'
import { atOnce } from '../runtime/slices.ts'
import { compileCondition } from '../expression/cel.ts'
import type { RuleTopics } from '../expression/environments.ts'
import { namedSegments, segmentNames, segmentsOf } from '../request/glob.ts'
import type { Operation } from '../request/openapi/operation.ts'
import { OPERATION_KEYS } from '../request/openapi/select.ts'
import type { Matcher } from './matcher.ts'
import { callerMatchers, sourcesMatcher } from './matchers/caller.ts'
import { conditionMatcher } from './matchers/condition.ts'
import { kubernetesMatchers } from './matchers/kubernetes.ts'
import { operationMatchers } from './matchers/operation.ts'
import { requestMatchers } from './matchers/request.ts'
import { timesMatcher } from './matchers/times.ts'
import type { Question } from './question.ts'
import { RuleIndex } from './rule-index/rule-index.ts'

/** One compiled rule. */
export interface Rule {
  readonly name: string
  readonly effect: 'allow' | 'deny'
  /** Whether it decides nothing and is only recorded. */
  readonly shadow: boolean
  /** The list that it is in, where it is in one. */
  readonly list: string | undefined
  /**
   * The list in shadow for which it speaks if it is the first of it that matches. Not set for a rule
   * that is in shadow by itself: the list, once in force, would pass over it.
   */
  readonly speaksFor: RuleList | undefined
  /** What it looks at, in the order in which it does; all have to match. */
  readonly matchers: readonly Matcher[]
  /** What the API server must have answered, read after the matchers; `undefined`: no review is sent. */
  readonly review: boolean | undefined
  /** What the caller gets when it refuses, where that is not the usual. */
  readonly answer: RuleAnswer | undefined
  readonly redirect: string | undefined
}

/** A list of rules; two are the same only if they are at the same path. */
export interface RuleList {
  readonly name: string
}

/** How the operations of an OpenAPI document bear on a request, before any rule. */
export interface OperationDemands {
  readonly undefined: 'deny' | 'pass'
  readonly scopes: 'ignore' | 'require'
}

/** The compiled rules of a route. */
export interface Policy {
  /** In the order of the configuration. */
  readonly rules: readonly Rule[]
  /** Absent where the route has no OpenAPI document. */
  readonly demands: OperationDemands | undefined
  /** Those of the rules that could match, in order; it leaves out none that does. */
  candidates(question: Question): Iterable<Rule>
}

/** What the rules are about, beyond HTTP. */
export interface PolicyContext {
  readonly kind: 'http' | 'kubernetes'
  /** The operations of the route's OpenAPI document, where it has one. */
  readonly operations?: readonly Operation[] | undefined
  readonly demands?: OperationDemands | undefined
  /** Called with each problem, and its path below `authorize`. */
  readonly report: (path: readonly PropertyKey[], message: string) => void
}

const HTTP: PolicyContext = {
  kind: 'http',
  report(path, message) {
    throw new TypeError(`authorize.${path.join('.')}: ${message}`)
  },
}

/**
 * Compiles the rules of a route.
 *
 * @param context what the rules may name; without it, nothing but HTTP, and a fault throws
 */
export const compilePolicy = (
  entries: readonly AuthorizeEntry[],
  context: PolicyContext = HTTP,
): Policy => atOnce(policyCompilation(entries, context))

/** The same in steps, between which it yields: 10,000 rules take some 200 ms. */
export function* policyCompilation(
  entries: readonly AuthorizeEntry[],
  context: PolicyContext,
): Generator<void, Policy> {
  const rules: Rule[] = []
  for (const [index, entry] of entries.entries()) {
    if ('rules' in entry) {
      for (const rule of compiledList(entry, index, context)) {
        rules.push(rule)
        yield
      }
    } else rules.push(compileRule(entry, [index], context))
    yield
  }
  const index = yield* RuleIndex.building(rules)
  return {
    rules,
    demands: context.demands,
    candidates: (question) => index.candidates(question),
  }
}

function* compiledList(
  { list: name, rules, shadow: inShadow }: Extract<AuthorizeEntry, { rules: unknown }>,
  index: number,
  context: PolicyContext,
): Generator<Rule, void> {
  const list = { name }
  for (const [position, rule] of rules.entries()) {
    const shadow = inShadow || rule.shadow
    const compiled = compileRule({ ...rule, shadow }, [index, 'rules', position], context)
    const speaksFor = inShadow && !rule.shadow ? list : undefined
    yield { ...compiled, list: name, speaksFor }
  }
}

type Report = (key: keyof RuleConfig, message: string) => void

const compileRule = (
  rule: RuleConfig,
  path: readonly PropertyKey[],
  context: PolicyContext,
): Rule => ({
  name: rule.allow ?? rule.deny ?? '', // the schema sees to it that there is exactly one
  effect: rule.allow === undefined ? 'deny' : 'allow',
  shadow: rule.shadow,
  list: undefined,
  speaksFor: undefined,
  matchers: compileMatchers(rule, context, (key, message) => {
    context.report([...path, key], message)
  }),
  review: rule.subjectAccessReview,
  answer: rule.response,
  redirect: rule.redirect,
})

const KUBERNETES_KEYS = [
  'verbs',
  'apiGroups',
  'resources',
  'namespaces',
  'names',
  'impersonate',
] as const

// A path without a resource has none of them.
const RESOURCE_KEYS = ['apiGroups', 'resources', 'namespaces', 'names'] as const

const compileMatchers = (
  rule: RuleConfig,
  { kind, operations }: PolicyContext,
  report: Report,
): readonly Matcher[] => {
  if (kind !== 'kubernetes') {
    for (const key of KUBERNETES_KEYS) {
      if (rule[key] !== undefined) report(key, 'is there on routes of "kind: kubernetes"')
    }
  }
  reportVerbs(rule, report)
  if (operations === undefined) {
    for (const key of OPERATION_KEYS) {
      if (rule[key] !== undefined) report(key, 'is there on routes with "openapi"')
    }
  }
  return [
    ...callerMatchers(rule),
    ...requestMatchers(rule),
    ...(rule.times === undefined ? [] : [timesMatcher(rule.times)]),
    ...(kind === 'kubernetes' ? kubernetesMatchers(rule) : []),
    ...(operations === undefined ? [] : operationMatchers(rule, operations, report)),
    // Only behind all matchers that always have an answer: where it is undetermined, the request is refused.
    ...(rule.sources === undefined ? [] : [sourcesMatcher(rule.sources)]),
    ...whenMatchers(
      rule,
      { kubernetes: kind === 'kubernetes', operation: operations !== undefined },
      report,
    ),
  ]
}

/** A `deny` of `verbs: [post]` together with `resources` would refuse nothing. */
const reportVerbs = (rule: RuleConfig, report: Report): void => {
  if (RESOURCE_KEYS.every((key) => rule[key] === undefined)) return
  for (const verb of rule.verbs ?? []) {
    if (verb === '*' || RESOURCE_VERBS.has(verb)) continue
    const known = [...RESOURCE_VERBS].join(', ')
    report('verbs', `"${verb}" is not a verb of resources, so it would never match (${known})`)
  }
}

const whenMatchers = (
  { when, shadow, paths = [] }: RuleConfig,
  topics: Omit<RuleTopics, 'segments'>,
  report: Report,
): readonly Matcher[] => {
  const names = paths.map(segmentNames)
  for (const [index, path] of paths.entries()) {
    const fault = nameFault(path, names[index] ?? [])
    if (fault !== undefined) report('paths', fault)
  }
  if (when === undefined) return []
  // An expression reads what every path has, whichever matched.
  const [first = [], ...others] = names
  const segments = first.filter((name) => others.every((other) => other.includes(name))).toSorted()
  const compilation = compileCondition(when, { ...topics, segments })
  if (!compilation.ok) {
    report('when', compilation.message)
    return []
  }
  const read = segments.length === 0 ? undefined : namedSegments(paths)
  return [conditionMatcher(compilation.expression, shadow ? 'shadow' : 'decision', read)]
}

const nameFault = (path: string, names: readonly string[]): string | undefined => {
  if (new Set(names).size < names.length) return `"${path}" has a name twice`
  const runs = segmentsOf(path).filter((segment) => segment === '**').length
  return names.length > 0 && runs > 1
    ? `"${path}" has names and more than one "**", so their place is not known`
    : undefined
}
