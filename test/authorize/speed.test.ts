// Many rules take little time. The bounds are several times what a machine that is busy with other
// things needs; `npm run bench -- --only policy` measures.
//
// Slow: it measures policies of many thousand rules.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { prepareShape, SHAPES, USUAL, type Shape } from '../../bench/policy/shapes.ts'
import { evaluate } from '../../src/authorize/evaluate.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

/** What one evaluation takes in the quickest of some rounds, in µs. */
const quickest = (shape: Shape, count: number): number => {
  const { policy, questions } = prepareShape(shape, count)
  let best = Infinity
  for (let round = 0; round < 8; round++) {
    const started = cpuTime()
    for (const question of questions) {
      assert.equal(evaluate(policy, { ...question }).outcome, 'permit')
    }
    best = Math.min(best, ((cpuTime() - started) * 1_000) / questions.length)
  }
  return best
}

describe('the evaluation of a thousand rules', () => {
  for (const shape of SHAPES) {
    it(`takes at most 60 µs: ${shape.name}`, (t) => {
      const time = quickest(shape, 1_000)
      t.diagnostic(`${time.toFixed(2)} µs`)
      assert.ok(time < 60, `${time} µs`)
    })
  }

  it('takes at most 5 µs for three rules', () => assert.ok(quickest(USUAL, 3) < 5))

  it('takes hardly longer for ten thousand', () => {
    for (const shape of SHAPES) {
      const time = quickest(shape, 10_000)
      assert.ok(time < 120, `${shape.name}: ${time} µs`)
    }
  })
})

describe('the compilation of a thousand rules in a new process', () => {
  const READER = join(import.meta.dirname, '../../bench/processes/read-rules.ts')
  const costSchema = z.object({ parse: z.number(), compile: z.number() })

  for (const { name } of SHAPES) {
    it(`takes at most 400 ms: ${name}`, async (t) => {
      const { stdout } = await promisify(execFile)(process.execPath, [READER, name, '1000'])
      const { parse, compile } = costSchema.parse(JSON.parse(stdout))
      t.diagnostic(`parse ${parse.toFixed(0)} ms, compile ${compile.toFixed(0)} ms`)
      assert.ok(compile < 400, `${compile} ms`)
    })
  }
})
