// The result of `countersign test`, for programs.

import { printableJson } from '../printable.ts'
import { exampleAt, hasFailed, positionOf, testAt, untouchedIn, type TestReport } from './report.ts'

/** The report as one JSON object, with `line` and `column` of everything that has a place. */
export const asJson = (report: TestReport): string => {
  const { locate } = report
  const examples = report.examples.map((result) => {
    const { authenticator, index, name, got, differences } = result
    const place = positionOf(locate, exampleAt(result))
    return { authenticator, index, name, ...place, ok: !hasFailed(result), got, differences }
  })
  const tests = report.tests.map((result) => {
    const { index, name, route, got, differences } = result
    const place = positionOf(locate, testAt(result))
    return { index, name, route, ...place, ok: !hasFailed(result), got, differences }
  })
  const untouched = untouchedIn(report).map(({ route, rule, effect, shadow, path }) => ({
    route,
    rule,
    effect,
    shadow,
    ...positionOf(locate, path),
  }))
  const warnings = report.warnings.map(({ path, message, position }) => ({
    path,
    message,
    ...position,
  }))
  return `${printableJson({ examples, tests, untouched, warnings }, 2)}\n`
}
