// Own process: it sets flags of V8.

import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { allowOptimization, deferOptimization } from '../../src/runtime/optimization.ts'
import { cpuTime } from '../fakes/cpu-time.ts'
import { until } from '../fakes/until.ts'

setFlagsFromString('--allow-natives-syntax')

// `OptimizationStatus` of V8 (`src/runtime/runtime.h`): the function is optimized, by Maglev or by Turbofan.
const OPTIMIZED = (1 << 4) | (1 << 5)

interface Probe {
  /** Calls a function 20,000 times. */
  readonly run: () => void
  /** The state of that function. */
  readonly status: () => number
}

/** A function of its own, which no earlier test has called. Optimized, its caller would have it inlined and call it no longer. */
const probe = (): Probe =>
  runInThisContext(`(() => {
    const call = (value) => (value * 3) % 7
    const run = () => {
      for (let round = 0; round < 20_000; round++) call(round)
    }
    %NeverOptimizeFunction(run)
    return { run, status: () => %GetOptimizationStatus(call) }
  })()`)

const isOptimized = async ({ run, status }: Probe): Promise<boolean> => {
  run()
  await nextTurn() // compiled in another thread
  return (status() & OPTIMIZED) !== 0
}

const useCpu = (ms: number): void => {
  const end = cpuTime() + ms
  while (cpuTime() < end);
}

suite('optimization', () => {
  after(allowOptimization)

  test('waits for the end of the start', async () => {
    deferOptimization()
    const own = probe()
    for (let round = 0; round < 5; round++) assert.equal(await isOptimized(own), false)
    allowOptimization()
    await until(() => isOptimized(own))
  })

  test('does not wait for the end of a long start', async () => {
    deferOptimization()
    const own = probe()
    assert.equal(await isOptimized(own), false)
    await until(async () => {
      useCpu(50)
      return await isOptimized(own)
    })
  })
})
