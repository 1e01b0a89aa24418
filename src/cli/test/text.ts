// The text output of `countersign test`: a line for each example and test, the differences and reasons of
// failures, and the rules that no test covers.

import type { ExampleResult } from '../../configuration/problems/identity-examples.ts'
import type { RuleCoverage } from '../../tools/policy-tests/coverage.ts'
import type { PolicyTestResult, TestDecision } from '../../tools/policy-tests/run.ts'
import { formatWarning } from '../../config/problem.ts'
import { counted, linesAsText } from '../format.ts'
import { exampleAt, hasFailed, positionOf, testAt, untouchedIn, type TestReport } from './report.ts'

/** The report as lines of text. */
export const asText = (report: TestReport): string => {
  const { examples, tests } = report
  return linesAsText([
    ...examples.flatMap((result) => exampleLines(result, report)),
    ...tests.flatMap((result) => testLines(result, report)),
    ...coverageLines(report),
    ...report.warnings.map(formatWarning),
    ...(tests.some(({ differences }) => differences.length > 0)
      ? ['"countersign explain" shows how each rule evaluates a request.']
      : []),
    `${report.file}: ${summaryOf(report)}`,
  ])
}

const exampleLines = (result: ExampleResult, report: TestReport): readonly string[] => {
  const { authenticator, index, name = `example ${index + 1}`, got } = result
  const title = `${authenticator}: ${name}`
  if (!hasFailed(result)) return [`ok      ${title}`]
  return [
    `FAILED  ${title} (${placeOf(exampleAt(result), report)})`,
    ...result.differences.flatMap(differenceLines),
    ...(got.outcome === 'refused' ? because(got.detail) : []),
  ]
}

const testLines = (result: PolicyTestResult, report: TestReport): readonly string[] => {
  const { name, route = 'no route', got } = result
  const title = `${route}: ${name}`
  if (!hasFailed(result)) return [`ok      ${title}`]
  return [
    `FAILED  ${title} (${placeOf(testAt(result), report)})`,
    ...result.differences.flatMap(differenceLines),
    ...because(got.outcome === 'unusable' ? got.reason : reasonOf(result.route, got, report)),
  ]
}

const because = (reason: string): readonly string[] => [`    because  ${reason}`]

/** The reason of a decision, in terms of the configuration. */
const reasonOf = (
  route: string | undefined,
  { rule: name, reason, detail }: TestDecision,
  report: TestReport,
): string => {
  const rule = report.rules.find((one) => one.route === route && one.rule === name)
  if (rule !== undefined && (reason === 'permitted' || reason === 'rule-denied')) {
    return `${ruleAt(rule, report)} decides`
  }
  if (rule !== undefined && reason === 'rule-failed') {
    return `${ruleAt(rule, report)} cannot be evaluated: ${detail}`
  }
  if (reason === 'no-rule') return `no rule of "${route}" matches`
  if (reason === 'no-route') return 'no route matches'
  return detail === undefined ? reason : `${reason}: ${detail}`
}

const ruleAt = ({ rule, path }: RuleCoverage, report: TestReport): string =>
  `rule "${rule}" (${placeOf(path, report)})`

const coverageLines = (report: TestReport): readonly string[] => {
  const { tests, rules, strict } = report
  if (tests.length === 0 && !strict) return []
  const byRoute = Map.groupBy(untouchedIn(report), ({ route }) => route)
  return [...byRoute].flatMap(([route, untouched]) => {
    const all = rules.filter((rule) => rule.route === route).length
    return [
      `${route}: no test covers ${untouched.length} of ${counted(all, 'rule')}:`,
      ...untouched.map((rule) => `    ${ruleName(rule)} (${placeOf(rule.path, report)})`),
    ]
  })
}

const ruleName = ({ rule, effect, shadow }: RuleCoverage): string =>
  `${effect} ${rule}${shadow ? ', in shadow' : ''}`

const summaryOf = ({ examples, tests, rules, strict }: TestReport): string => {
  const failed = [...examples, ...tests].filter(hasFailed).length
  const parts = [
    ...(examples.length === 0 ? [] : [counted(examples.length, 'example')]),
    ...(tests.length === 0 ? [] : [counted(tests.length, 'test')]),
  ]
  if (parts.length === 0 && !strict) {
    return 'there are no "tests", and no "identity" has "examples"'
  }
  const untouched = untouchedIn({ rules }).length
  const coverage =
    tests.length === 0 && !strict
      ? 'there are no "tests" of the rules'
      : `${counted(rules.length, 'rule')}, ${untouched} not covered`
  return `${[...parts, `${failed} failed`].join(', ')}; ${coverage}`
}

const placeOf = (path: readonly PropertyKey[], { file, locate }: TestReport): string => {
  const { line, column } = positionOf(locate, path)
  return `${file}:${line}:${column}`
}

const differenceLines = ({
  what,
  wanted,
  got,
}: {
  readonly what: string
  readonly wanted: unknown
  readonly got: unknown
}): readonly string[] => {
  if (what !== 'groups') return pairLines(what, wanted, got)
  const [here, there] = [listOf(wanted), listOf(got)]
  const missing = here.filter((one) => !there.includes(one))
  const extra = there.filter((one) => !here.includes(one))
  // Of 200 groups, the three that differ.
  if (missing.length + extra.length === 0) return pairLines('groups, in order', wanted, got)
  return [
    ...missing.map((one) => `    groups  - wanted  ${JSON.stringify(one)}`),
    ...extra.map((one) => `    groups  + got     ${JSON.stringify(one)}`),
  ]
}

const pairLines = (what: string, wanted: unknown, got: unknown): readonly string[] => [
  `    ${what}  - wanted  ${shown(wanted)}`,
  `    ${what}  + got     ${shown(got)}`,
]

const shown = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
