// Problems of the rules of a route that no single rule shows: names that occur twice or
// refer to nothing, and what a rule needs of its route. Expressions, and keys that only some kinds of
// route have, are looked at when the rules are compiled (`authorize/policy.ts`).

import type { Locate } from '../../config/document.ts'
import { namesCaller } from '../../transform/schema.ts'
import { placedRules, type PlacedRule } from '../../authorize/placed-rules.ts'
import type { Problem } from '../../config/problem.ts'
import type { RouteConfig } from '../schema.ts'

/** Called with each problem, and its path below `authorize`. */
type Report = (path: readonly PropertyKey[], message: string) => void

/** Finds the problems of the rules of a route, which is the one in this position; yields between rules. */
export function* findingRuleProblems(
  route: RouteConfig,
  index: number,
  locate: Locate,
): Generator<void, readonly Problem[]> {
  const problems: Problem[] = []
  const report: Report = (path, message) => {
    problems.push(locate(['routes', index, 'authorize', ...path], message))
  }
  const rules = placedRules(route.authorize)
  const names = new Set<string>()
  for (const rule of rules) {
    reportName(rule, names, report)
    reportAuthenticators(rule, route, report)
    reportNeeds(rule, route, report)
    yield
  }
  if (rules.every(({ shadow }) => shadow)) {
    report([], 'every rule is in shadow, so none decides and every request would be refused')
  }
  reportLists(route, report)
  return problems
}

/** @param names those of the rules before it; its own is added */
const reportName = (
  { name, effect, place }: PlacedRule,
  names: Set<string>,
  report: Report,
): void => {
  if (names.has(name)) {
    const message = `"${name}" is also the name of an earlier rule of this route: the audit log could not distinguish them. Rename one`
    report([...place, effect], message)
  }
  names.add(name)
}

const reportAuthenticators = (
  { rule: { authenticators = [] }, place }: PlacedRule,
  { authenticate }: RouteConfig,
  report: Report,
): void => {
  if (authenticators.length === 0) return
  // Of several that have to prove the caller, the first gives the identity.
  const proving = new Set(
    authenticate.flatMap((entry) => (typeof entry === 'string' ? [entry] : entry.all.slice(0, 1))),
  )
  for (const [position, authenticator] of authenticators.entries()) {
    if (proving.has(authenticator)) continue
    const known = [...proving].join(', ')
    const message = `"${authenticator}" never authenticates callers of this route: it is not in "authenticate", or not the first of "all" (there are: ${known})`
    report([...place, 'authenticators', position], message)
  }
}

const reportNeeds = (
  { rule, effect, place }: PlacedRule,
  { apiServer, forward }: RouteConfig,
  report: Report,
): void => {
  if (rule.subjectAccessReview !== undefined && apiServer === undefined) {
    const message = 'needs "apiServer" of the route'
    report([...place, 'subjectAccessReview'], message)
  }
  if (effect === 'allow' && rule.impersonate !== undefined && !namesCaller(forward)) {
    const message =
      'needs the caller’s identity in "forward" of the route: otherwise the API server checks whether Envoy may impersonate'
    report([...place, 'impersonate'], message)
  }
}

/** Explanations and `countersign openapi diff` name the list of a rule. */
const reportLists = ({ authorize }: RouteConfig, report: Report): void => {
  const names = new Set<string>()
  for (const [position, entry] of authorize.entries()) {
    if (!('rules' in entry)) continue
    if (names.has(entry.list)) {
      report([position, 'list'], `"${entry.list}" names an earlier list of this route too`)
    }
    names.add(entry.list)
  }
}
