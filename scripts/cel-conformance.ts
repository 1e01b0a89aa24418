// Runs the conformance tests of CEL (the Go module `cel.dev/expr`, github.com/google/cel-spec) by the
// compiler and the evaluation of this project, and prints the figures and what is not as specified. Fails
// for a wrong answer.
//
//   node scripts/cel-conformance.ts              wrong answers, and tests without an answer
//   node scripts/cel-conformance.ts --refused    also those that are refused when they are compiled

import { runCase } from './cel/conformance.ts'
import { conformanceTests, downloadConformanceTests } from './cel/tests.ts'

downloadConformanceTests()
const counts = { passed: 0, refused: 0, unanswered: 0, wrong: 0, inapplicable: 0 }
for (const test of conformanceTests()) {
  const result = runCase(test)
  counts[result.outcome] += 1
  if (!('detail' in result)) continue
  if (result.outcome === 'refused' && !process.argv.includes('--refused')) continue
  console.log(`${result.outcome} ${test.name}: ${result.detail}`)
}
const { passed, refused, unanswered, wrong, inapplicable } = counts
console.log(
  `${passed} passed, ${refused} refused at load, ${unanswered} fail when they are evaluated, ${wrong} wrong; ${inapplicable} not applicable`,
)
if (wrong > 0 || passed === 0) process.exitCode = 1
