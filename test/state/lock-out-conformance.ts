// How every store of attempts counts the lock-outs that last. Each implementation runs these tests.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { AttemptScope, LockOuts, Pace } from '../../src/state/attempt-store.ts'
import type { StoreUnderTest } from './conformance.ts'

const PACE: Pace = {
  attempts: 1,
  backOff: 200,
  lockAfter: 2,
  lockFor: 2_000,
  forget: 60_000,
}

/** Registers the tests for one implementation, whose store has no lock-outs of other tests. */
export const lockOutConformance = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`the lock-outs in ${name}`, () => {
    it('are counted by kind, until they end or are pardoned', async () => {
      const { store, pass } = await create()
      const prefix = randomUUID()
      const scope = (key: string, parts: Partial<AttemptScope>): AttemptScope => ({
        key: `${prefix} ${key}`,
        pace: PACE,
        binding: true,
        weight: 1,
        ...parts,
      })
      const take = async () => {
        const result = await store.take([
          scope('user', { lockOut: 'user' }),
          scope('source', { lockOut: 'source' }),
          scope('familiar', { lockOut: 'source', binding: false }),
          scope('device', {}),
        ])
        assert.ok(result.outcome === 'taken')
        return result.reservations
      }
      const present = async (): Promise<LockOuts> => {
        const counts = (await store.lockOuts()) ?? {}
        return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
      }
      await take()
      assert.deepEqual(await present(), {}, 'a wait is no lock-out')
      await pass(200)
      const [ofUser, ...others] = await take()
      assert.deepEqual(await present(), { user: 1, source: 1 })
      assert.ok(ofUser !== undefined)
      await store.settle([
        { reservation: ofUser, failures: 0 },
        ...others.map((reservation) => ({ reservation, failures: 1 })),
      ])
      assert.deepEqual(await present(), { source: 1 })
      await pass(2_000)
      assert.deepEqual(await present(), {})
    })
  })
}
