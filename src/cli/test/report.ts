// The result of `countersign test`, for every output format.

import type { ExampleResult } from '../../configuration/problems/identity-examples.ts'
import type { RuleCoverage } from '../../tools/policy-tests/coverage.ts'
import type { PolicyTestResult } from '../../tools/policy-tests/run.ts'
import type { Locate } from '../../config/document.ts'
import type { Problem } from '../../config/problem.ts'

/** The whole result. */
export interface TestReport {
  /** The configuration. */
  readonly file: string
  readonly locate: Locate
  readonly examples: readonly ExampleResult[]
  readonly tests: readonly PolicyTestResult[]
  readonly rules: readonly RuleCoverage[]
  /** What is valid and probably not meant. */
  readonly warnings: readonly Problem[]
  /** Whether warnings, and rules that no test touches, are a failure. */
  readonly strict: boolean
}

/** Whether an example or a test has another result than expected, or could not be run. */
export const hasFailed = ({ got, differences }: ExampleResult | PolicyTestResult): boolean =>
  got.outcome === 'unusable' || differences.length > 0

/** The rules that no test touches, in the order of the file. */
export const untouchedIn = ({ rules }: Pick<TestReport, 'rules'>): readonly RuleCoverage[] =>
  rules.filter(({ touched }) => !touched)

/** The path of an example in the configuration. */
export const exampleAt = ({ authenticator, index }: ExampleResult): readonly PropertyKey[] => [
  'authenticators',
  authenticator,
  'identity',
  'examples',
  index,
]

/** The path of a test, or of its invalid part. */
export const testAt = ({ index, got }: PolicyTestResult): readonly PropertyKey[] => [
  'tests',
  index,
  ...(got.outcome === 'unusable' ? got.path : []),
]

/** The line and column of a path into the configuration, from 1. */
export const positionOf = (
  locate: Locate,
  path: readonly PropertyKey[],
): { readonly line: number; readonly column: number } => {
  const { line = 0, column = 0 } = locate(path, '').position ?? {}
  return { line, column }
}
