// Work in slices: how long it keeps the event loop, by counts and not by the clock of a busy machine.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Slices } from '../../src/runtime/slices.ts'

/** How many turns the event loop has until the work ends. */
const turnsDuring = async (work: () => Promise<void>): Promise<number> => {
  let turns = 0
  const end = new AbortController()
  const count = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await nextTurn()
      turns += 1
    }
  }
  const counted = count()
  await work()
  end.abort()
  await counted
  return turns - 1 // that in which the end is seen
}

describe('work in slices', () => {
  it('lets the event loop turn at the end of each slice', async () => {
    let now = 0
    const slices = new Slices(4, () => now)
    const turns = await turnsDuring(async () => {
      for (let step = 0; step < 20; step++) {
        now += 1
        await slices.pause()
      }
    })
    assert.equal(turns, 5)
  })

  it('does not pause while the slice lasts', async () => {
    let now = 0
    const slices = new Slices(4, () => now)
    now = 3.9
    assert.equal(slices.pause(), undefined)
    now = 4
    await slices.pause()
    now = 7.9
    assert.equal(slices.pause(), undefined)
    now = 8
    assert.notEqual(slices.pause(), undefined)
  })
  it('shares a turn of the event loop with the work before it, and begins anew in the next one', async () => {
    await nextTurn()
    const ended = performance.now() + 10
    const before = new Slices(5)
    while (performance.now() < ended);
    assert.notEqual(before.pause(), undefined)
    assert.notEqual(new Slices(5).pause(), undefined)
    await nextTurn()
    assert.equal(new Slices(60_000).pause(), undefined)
    assert.equal(new Slices(60_000).pause(), undefined)
  })
})
