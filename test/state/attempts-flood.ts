// What every bounded store of attempts that processes share must do under a flood of other names and addresses.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CountersignError } from '../../src/runtime/errors.ts'
import type { AttemptStore, AttemptScope, Pace } from '../../src/state/attempt-store.ts'
import { FallbackAttempts } from '../../src/state/fallback-attempts.ts'
import { MemoryAttempts } from '../../src/state/memory.ts'
import { FakeClock } from '../fakes/clock.ts'

/** A store that is smaller than the flood, how time passes for it, and what it holds. */
export interface FloodedStore {
  readonly store: AttemptStore
  readonly pass: (milliseconds: number) => Promise<void>
  /** How many counters and notes there are. */
  readonly size: () => Promise<number>
  readonly mostEntries: number
}

const HOUR = 3_600_000
const PACE: Pace = { attempts: 1, backOff: 1_000, lockAfter: 2, lockFor: 4 * HOUR, forget: HOUR }
const FLOOD = 2_000

const scope = (key: string): AttemptScope => ({ key, pace: PACE, binding: true, weight: 1 })

const isFull = (cause: unknown): boolean =>
  cause instanceof CountersignError && cause.code === 'overloaded'

/** An attempt that fails; whether it was counted. */
const fail = async (store: AttemptStore, ...keys: readonly string[]): Promise<boolean> => {
  try {
    const result = await store.take(keys.map(scope))
    if (result.outcome === 'wait') return true
    await store.settle(result.reservations.map((reservation) => ({ reservation, failures: 1 })))
    return true
  } catch (cause) {
    if (isFull(cause)) return false
    throw cause
  }
}

/** Failed attempts, each with another name from another address; how many were counted. */
const flood = async (store: AttemptStore, name: string): Promise<number> => {
  let counted = 0
  for (let index = 0; index < FLOOD; index += 50) {
    const results = await Promise.all(
      Array.from({ length: 50 }, async (_, at) => {
        const who = `${name} ${index + at}`
        const note = { key: `refused ${who}`, text: 'wrong', lifetime: HOUR, retained: false }
        await store.remember(note).catch((cause: unknown) => assert.ok(isFull(cause)))
        return await fail(store, `${who}, address`, `${who}, user`, `${who}, source`)
      }),
    )
    counted += results.filter(Boolean).length
  }
  return counted
}

const waitOf = async (store: AttemptStore, key: string): Promise<number> => {
  const result = await store.take([scope(key)])
  return result.outcome === 'wait' ? (result.waits[0] ?? 0) : 0
}

/** Registers the tests for one implementation. */
export const attemptsUnderFlood = (name: string, create: () => Promise<FloodedStore>): void => {
  describe(`${name}, with ${FLOOD} failures of other names and addresses`, () => {
    it('stays within its bounds and keeps the lock-out of a user to its end', async () => {
      const { store, pass, size, mostEntries } = await create()
      await fail(store, 'alice')
      await pass(1_000)
      await fail(store, 'alice')
      const familiar = { key: 'familiar alice', text: '', lifetime: 30 * HOUR, retained: true }
      await store.remember(familiar)
      const counted = await flood(store, 'first')
      assert.ok(counted > 10 && counted < FLOOD, `${counted} counted`)
      const entries = await size()
      assert.ok(entries <= mostEntries, `${entries} entries`)
      assert.ok((await waitOf(store, 'alice')) > 3 * HOUR)
      // What is about users who were proven has room, and so has what is there already.
      await store.remember({ ...familiar, key: 'familiar bob' })
      assert.equal((await store.recall(['familiar alice', 'familiar bob'])).length, 2)
      assert.ok((await store.recall(['familiar alice']))[0] !== undefined)
      assert.ok((await store.recall(['familiar bob']))[0] !== undefined)
      await pass(3 * HOUR)
      assert.ok((await waitOf(store, 'alice')) > HOUR / 2)
      assert.ok((await flood(store, 'second')) > 10) // there is room again
      await pass(HOUR)
      assert.equal(await waitOf(store, 'alice'), 0)
    })

    it('counts what does not fit in the process', async () => {
      const { store } = await create()
      const attempts = new FallbackAttempts(store, new MemoryAttempts(new FakeClock()))
      assert.equal(await flood(attempts, 'x'), FLOOD)
      assert.ok(await fail(attempts, 'mallory, address', 'alice', 'mallory, source'))
      assert.ok((await waitOf(attempts, 'alice')) > 0)
    })
  })
}
