// What a configuration has and never uses: rules and routes behind a rule or route that takes all their requests, and
// authenticators and upstreams that nothing names. Pure; it decides no request.

import { isDeepStrictEqual } from 'node:util'
import { placedRules, type PlacedRule } from '../../authorize/placed-rules.ts'
import type { RuleConfig } from '../../authorize/schema.ts'
import type { Locate } from '../../config/document.ts'
import type { Problem } from '../../config/problem.ts'
import { covers } from '../../request/hosts.ts'
import { authenticatorsNamed } from '../route-authenticators.ts'
import type { Config, RouteConfig } from '../schema.ts'

/** Warns about each of them. */
export const unreachableWarnings = (config: Config, locate: Locate): readonly Problem[] => [
  ...config.routes.flatMap((route, index) => ruleWarnings(route, index, locate)),
  ...routeWarnings(config, locate),
  ...authenticatorWarnings(config, locate),
  ...upstreamWarnings(config, locate),
]

const ruleWarnings = (
  { authorize, kind }: RouteConfig,
  index: number,
  locate: Locate,
): readonly Problem[] => {
  const rules = placedRules(authorize).filter(({ shadow }) => !shadow)
  // Rules that can take everything of another one are few: most have a matcher that the other has not.
  const wide: PlacedRule[] = []
  return rules.flatMap((rule) => {
    const earlier = wide.find((one) => takesAll(one, rule, kind))
    if (narrowing(rule.rule).length <= MOST_MATCHERS && wide.length < MOST_WIDE) wide.push(rule)
    if (earlier === undefined) return []
    const path = ['routes', index, 'authorize', ...rule.place]
    const message = `"${rule.name}" never decides: "${earlier.name}" comes first and matches every request that it matches. Exchange them, or remove one`
    return [locate([...path, rule.effect], message)]
  })
}

// Bounds the comparisons, of which a configuration with 10,000 rules would have 50 million.
const MOST_MATCHERS = 2
const MOST_WIDE = 200

/** The keys of a rule that say what it does, not what it matches. */
const NOT_NARROWING: ReadonlySet<string> = new Set<keyof RuleConfig>([
  'allow',
  'deny',
  'shadow',
  'response',
  'redirect',
])

/** Alternatives, of which one has to match. */
const ALTERNATIVES: ReadonlySet<string> = new Set<keyof RuleConfig>([
  'users',
  'groups',
  'authenticators',
  'methods',
  'hosts',
  'paths',
  'sources',
  'verbs',
  'apiGroups',
  'resources',
  'namespaces',
  'names',
  'operations',
  'tags',
  'templates',
])

const narrowing = (rule: RuleConfig): readonly (readonly [string, unknown])[] =>
  Object.entries(rule).filter(([key, value]) => !NOT_NARROWING.has(key) && value !== undefined)

/** Whether an earlier rule matches every request that a later one matches, as far as their texts say. */
const takesAll = (wide: PlacedRule, late: PlacedRule, kind: RouteConfig['kind']): boolean => {
  const matchers = narrowing(wide.rule)
  // A `deny` matches more by the same words: lenient readings of paths, subresources, impersonation.
  if (wide.effect === 'allow' && late.effect === 'deny' && matchers.length > 0) return false
  if (
    wide.effect === 'allow' &&
    kind === 'kubernetes' &&
    (late.effect === 'deny' || late.rule.impersonate !== undefined)
  ) {
    return false // an `allow` without "impersonate" matches none of those requests
  }
  const lateMatchers = new Map(narrowing(late.rule))
  return matchers.every(([key, value]) => {
    const other = lateMatchers.get(key)
    if (isDeepStrictEqual(value, other)) return true
    if (!ALTERNATIVES.has(key) || !Array.isArray(value) || !Array.isArray(other)) return false
    return other.every((one) => value.includes(one))
  })
}

const routeWarnings = ({ routes }: Config, locate: Locate): readonly Problem[] =>
  routes.flatMap(({ name, match }, index) => {
    const earlier = routes.slice(0, index).find((one) => takesRoute(one.match, match))
    if (earlier === undefined) return []
    const message = `"${name}" is never chosen by its "match": "${earlier.name}" comes first and matches the same hosts and paths. Narrow that one, or exchange them`
    return [locate(['routes', index, 'match'], message)]
  })

const takesRoute = (wide: RouteConfig['match'], late: RouteConfig['match']): boolean =>
  late.hosts.every((host) => wide.hosts.some((one) => covers(one, host))) &&
  (wide.paths.includes('/**') || late.paths.every((path) => wide.paths.includes(path)))

const authenticatorWarnings = (
  { authenticators, routes, issuer }: Config,
  locate: Locate,
): readonly Problem[] => {
  const used = new Set([
    ...routes.flatMap((route) => authenticatorsNamed(route)),
    ...(issuer?.login?.authenticators ?? []),
  ])
  return Object.keys(authenticators)
    .filter((name) => !used.has(name))
    .map((name) =>
      locate(
        ['authenticators', name],
        'is not used: neither "authenticate" of a route nor "issuer.login" names it',
      ),
    )
}

const upstreamWarnings = ({ routes, envoy }: Config, locate: Locate): readonly Problem[] => {
  const used = new Set(routes.map(({ name, upstream }) => upstream ?? name))
  return Object.keys(envoy?.upstreams ?? {})
    .filter((name) => !used.has(name))
    .map((name) => locate(['envoy', 'upstreams', name], 'is not used: no route has this upstream'))
}
