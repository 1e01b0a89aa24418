// Which rules the tests of a configuration have shown at work, and which none of them touches.

import { placedRules } from '../../authorize/placed-rules.ts'
import type { Config } from '../../configuration/schema.ts'
import type { PolicyTestResult } from './run.ts'

/** One rule. */
export interface RuleCoverage {
  readonly route: string
  readonly rule: string
  readonly effect: 'allow' | 'deny'
  /** Whether it is in shadow, by itself or with its list. */
  readonly shadow: boolean
  /** Its path in the configuration. */
  readonly path: readonly PropertyKey[]
  /**
   * Whether it decided a test or, in shadow, would have. One that was merely tried, or that could not
   * be evaluated, is not: it has shown nothing.
   */
  readonly touched: boolean
}

/** Every rule of a configuration, in the order of the file. */
export const coverageOf = (
  routes: Config['routes'],
  results: readonly PolicyTestResult[],
): readonly RuleCoverage[] => {
  const touched = new Map<string, ReadonlySet<string>>(
    [...Map.groupBy(results, ({ route }) => route ?? '')].map(([route, of]) => [
      route,
      new Set(of.flatMap(touchedBy)),
    ]),
  )
  return routes.flatMap(({ name: route, authorize }, index) =>
    placedRules(authorize).map(({ name: rule, effect, shadow, place }): RuleCoverage => ({
      route,
      rule,
      effect,
      shadow,
      path: ['routes', index, 'authorize', ...place],
      touched: touched.get(route)?.has(rule) ?? false,
    })),
  )
}

const touchedBy = ({ got }: PolicyTestResult): readonly string[] => {
  if (got.outcome !== 'decided') return []
  const shadows = Object.entries(got.shadow).flatMap(([rule, decision]) =>
    decision === 'failed' ? [] : [rule],
  )
  return got.rule === undefined || got.reason === 'rule-failed' ? shadows : [...shadows, got.rule]
}
