// The result of each rule as text. A long run of rules that did not match is summarised by the matchers
// that failed.

import type { MatcherExplanation, RuleExplanation } from '../../authorize/explain.ts'

// Up to so many are listed one by one.
const SHORT_RUN = 5

/** A line for each rule; below the one that decided, or with `all` every one, its matchers. */
export const ruleLines = (
  rules: readonly RuleExplanation[],
  { all }: { readonly all: boolean },
): readonly string[] => {
  if (all) return rules.flatMap(fullLines)
  return runsOf(rules).flatMap((run) => {
    const [first] = run
    if (first?.outcome === 'not-reached' && run.length > 1) {
      return [line('not reached', `${run.length} rules`)]
    }
    if (first?.outcome === 'miss' && run.length > SHORT_RUN) return [summary(run)]
    return first?.outcome === 'hit' ? run.flatMap(fullLines) : run.map(ruleLine)
  })
}

const fullLines = (rule: RuleExplanation): readonly string[] => [
  ruleLine(rule),
  ...rule.matchers.map(matcherLine),
]

/** Rules one behind the other with the same outcome. */
const runsOf = (rules: readonly RuleExplanation[]): readonly (readonly RuleExplanation[])[] => {
  const runs: RuleExplanation[][] = []
  for (const rule of rules) {
    const last = runs.at(-1)
    if (last?.[0]?.outcome === rule.outcome) last.push(rule)
    else runs.push([rule])
  }
  return runs
}

const line = (outcome: string, text: string): string => `  ${outcome.padEnd(12)}${text}`

const ruleLine = (rule: RuleExplanation): string => {
  const { effect, name, list, outcome, shadow, matchers } = rule
  const title = `${effect} ${name}${list === undefined ? '' : ` (list ${list})`}`
  const decisive = matchers.find((matcher) => matcher.outcome !== 'hit')
  const why = decisive === undefined ? '' : `  ${reasonOf(decisive)}`
  switch (outcome) {
    case 'miss':
    case 'failed':
      return line(outcome, `${title}${why}`)
    case 'shadow':
      return line(outcome, `${title}  would ${shadow === 'failed' ? `fail${why}` : shadow}`)
    case 'hit':
      return line(outcome, title)
    case 'not-reached':
      return line('not reached', title)
  }
}

const summary = (run: readonly RuleExplanation[]): string => {
  const keys = run.map(({ matchers }) => matchers.find(({ outcome }) => outcome === 'miss')?.key)
  const counts = [...Map.groupBy(keys, (key) => key ?? 'nothing')]
    .map(([key, all]) => ({ key, count: all.length }))
    .toSorted((one, other) => other.count - one.count)
    .map(({ key, count }) => `${key} (${count})`)
  return line('miss', `${run.length} rules, by ${counts.join(', ')}; --all lists each`)
}

const matcherLine = (matcher: MatcherExplanation): string =>
  `    ${matcher.outcome.replaceAll('-', ' ').padEnd(12)}${reasonOf(matcher)}`

const reasonOf = ({ key, outcome, wanted, got, detail }: MatcherExplanation): string => {
  if (detail !== undefined) return `${key}: ${detail}`
  const expected = `${key}: wanted ${shown(wanted)}`
  return outcome === 'not-reached' || key === 'when' ? expected : `${expected}, got ${shown(got)}`
}

// A user may have hundreds of groups.
const SHOWN_VALUES = 10

/** A value on one line; of a long list the beginning. */
export const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (!Array.isArray(value)) return JSON.stringify(value, withMaps)
  const parts = value.slice(0, SHOWN_VALUES).map((one) => JSON.stringify(one, withMaps))
  const more = value.length - parts.length
  if (parts.length === 0) return 'none'
  return `${parts.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** For `JSON.stringify`: maps as objects. */
export const withMaps = (_key: string, value: unknown): unknown =>
  value instanceof Map ? Object.fromEntries(value) : value
