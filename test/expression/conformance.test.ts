// The conformance tests of CEL, where `node scripts/cel-conformance.ts` has downloaded them, and the list of
// what is refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { runCase } from '../../scripts/cel/conformance.ts'
import { conformanceTests, hasConformanceTests } from '../../scripts/cel/tests.ts'
import { UNSUPPORTED } from '../../scripts/reference/expression-unsupported.ts'
import { compileValue } from '../../src/expression/cel.ts'

const withoutPlace = (message: string): string => message.replace(/ \(at .*\)$/, '')

describe('what the page of expressions lists as refused', () => {
  for (const { example, refusal } of UNSUPPORTED) {
    it(`refuses ${example}`, () => {
      const compiled = compileValue(example, 'caller')
      assert.ok(!compiled.ok)
      assert.match(withoutPlace(compiled.message), refusal)
    })
  }
})

const skip = hasConformanceTests() ? false : '"node scripts/cel-conformance.ts" fetches them'
if (skip !== false && process.env['CI'] === 'true') throw new Error(skip)

describe('the conformance tests of CEL', { skip }, () => {
  const results =
    skip === false ? conformanceTests().map((test) => ({ test, ...runCase(test) })) : []

  it('have no wrong answer', () => {
    const wrong = results.filter(({ outcome }) => outcome === 'wrong')
    assert.deepEqual(
      wrong.map((result) => `${result.test.name}: ${'detail' in result ? result.detail : ''}`),
      [],
    )
    assert.ok(results.filter(({ outcome }) => outcome === 'passed').length >= 1150)
  })

  it('refuse nothing that the page does not list', () => {
    const unlisted = results.flatMap((result) => {
      if (result.outcome !== 'refused' || !('detail' in result)) return []
      const message = withoutPlace(result.detail)
      const isListed = UNSUPPORTED.some(({ refusal }) => refusal.test(message))
      return isListed ? [] : [`${result.test.name}: ${message}`]
    })
    assert.deepEqual(unlisted, [])
  })
})
