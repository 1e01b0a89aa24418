// A store of attempts held against the one in memory: the same questions, at the same times, and every
// answer has to be the same. What conformance asks for by hand, this asks for by chance.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import type {
  AttemptStore,
  AttemptScope,
  Pace,
  Reservation,
} from '../../src/state/attempt-store.ts'
import { MemoryAttempts } from '../../src/state/memory.ts'
import { FakeClock } from '../fakes/clock.ts'
import { randomFrom } from '../fakes/random.ts'

const MINUTE = 60_000

// Nothing shorter than a minute: a server forgets by a clock of its own, which hardly moves meanwhile.
const PACES: readonly Pace[] = [
  { attempts: 3, backOff: MINUTE, lockAfter: 6, lockFor: 60 * MINUTE, forget: 30 * MINUTE },
  { attempts: 1, backOff: 7 * MINUTE, lockAfter: 1, lockFor: 90 * MINUTE, forget: 1_000 * MINUTE },
  { attempts: 10, backOff: MINUTE, lockAfter: 40, lockFor: 1e12, forget: 10 * MINUTE },
  { attempts: 2, backOff: MINUTE + 1, lockAfter: 9_999, lockFor: 1e15, forget: 1e11 + 7 },
]

/** A store, and what tells it the time. */
export interface Differing {
  readonly store: AttemptStore
  readonly setTime: (now: number) => Promise<void>
}

/** Registers a test for each seed. */
export const sameAsInMemory = (create: () => Promise<Differing>, steps: number): void => {
  for (const seed of [1, 2, 3]) {
    it(`counts as the memory does (seed ${seed})`, async () => {
      const below = randomFrom(seed)
      // Both tell the same time, so that "until" is comparable.
      const clock = new FakeClock()
      const memory = new MemoryAttempts({ now: () => clock.now(), monotonic: () => clock.now() })
      const { store, setTime } = await create()
      const one = <T>(list: readonly T[]): T => {
        const found = list[below(list.length)]
        assert.ok(found !== undefined)
        return found
      }
      const scopes = (): readonly AttemptScope[] =>
        Array.from({ length: 1 + below(3) }, () => ({
          key: `${seed} ${below(6)}`,
          pace: one(PACES),
          binding: below(3) > 0,
          weight: one([1, 1 / 2, 1 / 4]),
        }))
      const taken: Reservation[] = []
      for (let step = 0; step < steps; step += 1) {
        clock.advance(one([0, 1, 999, MINUTE, 10 * MINUTE, 45 * MINUTE]))
        await setTime(clock.now())
        if (taken.length === 0 || below(2) === 0) {
          const wanted = scopes()
          const [want, got] = [await memory.take(wanted), await store.take(wanted)]
          assert.deepEqual(got, want, `step ${step}`)
          if (want.outcome === 'taken') taken.push(...want.reservations)
          continue
        }
        const outcomes = taken.splice(below(taken.length), 1 + below(3)).map((reservation) => ({
          reservation,
          failures: one([1, 1, 0, 0, -1, -2, Number.NEGATIVE_INFINITY]),
        }))
        const [want, got] = [await memory.settle(outcomes), await store.settle(outcomes)]
        assert.deepEqual(got, want, `step ${step}`)
      }
    })
  }
}
