// Own process: it sets flags of V8 and measures the heap of its process.

import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { growYoungGeneration, keepYoungGeneration } from '../../src/runtime/young-generation.ts'

setFlagsFromString('--expose-gc')
const collect: NonNullable<typeof gc> = runInNewContext('gc')

const MB = 1_024 * 1_024

// The bound is 8 MB. It is read between turns, and one turn may double the size once more.
const MOST_MB = 18

/** The size of the young generation, in MB. */
const size = (): number =>
  (getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0) /
  MB

// What survives: as many objects as 32 MB hold, in turns of the event loop, as requests come.
const kept: object[][] = []
const allocate = async (): Promise<void> => {
  kept.length = 0
  for (let turn = 0; turn < 32; turn++) {
    kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index, turn, more: [index] })))
    await nextTurn()
  }
  // Until collections are reported.
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}

/** Allocates until it has grown, or no longer. */
const grow = async (): Promise<void> => {
  for (let round = 0; size() < 8; round++) {
    assert.ok(round < 60, `${size()} MB`)
    await allocate()
    await sleep(50) // it looks once a second
  }
}

/** What V8 does when a process has been idle. */
const shrink = (): void => {
  kept.length = 0
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

suite('the young generation', () => {
  after(keepYoungGeneration)

  test('stays as it is during a start, and grows to its bound with requests', async () => {
    keepYoungGeneration()
    shrink()
    await allocate()
    assert.ok(size() <= 3, `${size()} MB`)
    growYoungGeneration()
    growYoungGeneration() // once more, as by a command that ends
    await grow()
    for (let round = 0; round < 4; round++) await allocate()
    assert.ok(size() <= MOST_MB, `${size()} MB`)
  })

  test('grows anew after V8 has made it small', async () => {
    shrink()
    assert.ok(size() < 8, `${size()} MB`)
    await grow()
    assert.ok(size() <= MOST_MB, `${size()} MB`)
  })
})
