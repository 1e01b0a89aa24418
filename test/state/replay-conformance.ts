// What every memory of used things must do, whatever it keeps them in.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ReplayMemory } from '../../src/state/replay-memory.ts'
import { FakeClock } from '../fakes/clock.ts'

/**
 * Tests a kind of memory.
 *
 * @param start the present of a server, where the memory goes by it
 */
export const replayMemoryConforms = (
  open: (clock: FakeClock) => ReplayMemory | Promise<ReplayMemory>,
  start?: () => number,
): void => {
  const setUp = async () => {
    const clock = new FakeClock(start?.())
    const memory = await open(clock)
    const use = async (id: string, lifetime = 60_000): Promise<string> =>
      (await memory.use(id, clock.now() + lifetime)).outcome
    return { clock, use }
  }

  describe('a replay memory', () => {
    it('knows what was used, and nothing else', async () => {
      const { use } = await setUp()
      assert.equal(await use('a'), 'first')
      assert.equal(await use('a'), 'repeated')
      assert.equal(await use('b'), 'first')
      assert.equal(await use('A'), 'first')
      assert.equal(await use(''), 'first')
      assert.equal(await use('a'), 'repeated')
    })

    it('says so of one of several that come together', async () => {
      const { use } = await setUp()
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => use('a')))
      assert.equal(outcomes.filter((outcome) => outcome === 'first').length, 1)
    })

    it('forgets nothing before its time, also when it is presented with another end', async () => {
      const { clock, use } = await setUp()
      await use('a', 60_000)
      clock.advance(59_999)
      assert.equal(await use('a', 1), 'repeated')
      assert.equal(await use('a', 120_000), 'repeated')
    })

    it('keeps what lives long behind what lives short, and the other way round', async () => {
      const { clock, use } = await setUp()
      await use('short', 1_000)
      await use('long', 60_000)
      await use('short too', 1_000)
      clock.advance(30_000)
      assert.equal(await use('long'), 'repeated')
    })

    it('tells long identifiers apart by their last character', async () => {
      const { use } = await setUp()
      const long = 'x'.repeat(8_000)
      assert.equal(await use(`${long}1`), 'first')
      assert.equal(await use(`${long}2`), 'first')
      assert.equal(await use(`${long}1`), 'repeated')
    })
  })
}
