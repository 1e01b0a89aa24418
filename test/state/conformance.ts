// What every store of attempts must do, wherever it keeps them. Each implementation runs these tests.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  PENDING,
  type AttemptStore,
  type AttemptScope,
  type Pace,
  type Reservation,
  type TakeResult,
} from '../../src/state/attempt-store.ts'

/** A store, and how time passes for it: a fake clock moves, a real one is waited for. */
export interface StoreUnderTest {
  readonly store: AttemptStore
  readonly pass: (milliseconds: number) => Promise<void>
}

// Short, for those that have to be waited for, and far enough apart for a busy machine.
const PACE: Pace = { attempts: 3, backOff: 200, lockAfter: 5, lockFor: 1_000, forget: 4_000 }

/** Registers the tests for one implementation. */
export const attemptStoreConformance = (
  name: string,
  create: () => Promise<StoreUnderTest>,
): void => {
  describe(`${name} is a store of attempts: it`, () => {
    for (const test of TESTS) {
      it(test.name, async () => {
        const { store, pass } = await create()
        await test.run(new Asking(store), pass)
      })
    }
  })
}

/** A store with keys of its own, so that tests can share the backend. */
class Asking {
  readonly store: AttemptStore
  readonly #prefix = randomUUID()

  constructor(store: AttemptStore) {
    this.store = store
  }

  key(name: string): string {
    return `${this.#prefix} ${name}`
  }

  scope(name: string, parts: Partial<AttemptScope> = {}): AttemptScope {
    return { key: this.key(name), pace: PACE, binding: true, weight: 1, ...parts }
  }

  async take(...scopes: readonly AttemptScope[]): Promise<readonly Reservation[]> {
    const result = await this.store.take(scopes)
    assert.equal(result.outcome, 'taken')
    return result.reservations
  }

  /** The count under a key, with one more that is taken back. */
  async countOf(name: string): Promise<number> {
    const [reservation] = await this.take(this.scope(name, { binding: false }))
    assert.ok(reservation !== undefined)
    await this.store.settle([{ reservation, failures: 0 }])
    return reservation.failures - 1
  }

  /** Milliseconds to wait under a key, of which nothing is counted. */
  async waitOf(name: string): Promise<number> {
    const result: TakeResult = await this.store.take([this.scope(name)])
    if (result.outcome === 'wait') return result.waits[0] ?? 0
    await this.store.settle(
      result.reservations.map((reservation) => ({ reservation, failures: 0 })),
    )
    return 0
  }
}

const assertAbout = (actual: number, want: number): void =>
  assert.ok(actual > want - 100 && actual <= want, `${actual} for ${want}`)

interface Test {
  readonly name: string
  run(asking: Asking, pass: StoreUnderTest['pass']): Promise<void>
}

const TESTS: readonly Test[] = [
  {
    name: 'counts, then lets wait, twice as long each time, and then locks out',
    async run(asking, pass) {
      const scope = asking.scope('a')
      for (const [index, wait] of [0, 0, 200, 400, 1_000, 1_000].entries()) {
        const [reservation] = await asking.take(scope)
        assert.equal(reservation?.failures, Math.min(index + 1, PACE.lockAfter))
        assertAbout(await asking.waitOf('a'), wait)
        await pass(wait)
      }
    },
  },
  {
    name: 'counts under no scope when one has to wait',
    async run(asking) {
      const one = asking.scope('a')
      for (let count = 0; count < 3; count += 1) {
        await asking.take(one)
      }
      const result = await asking.store.take([asking.scope('b'), one, asking.scope('c')])
      assert.equal(result.outcome, 'wait')
      assert.deepEqual([result.waits[0], result.waits[2]], [0, 0])
      assertAbout(result.waits[1] ?? 0, 200)
      assert.deepEqual([await asking.countOf('b'), await asking.countOf('c')], [0, 0])
      assert.equal(await asking.countOf('a'), 3)
    },
  },
  {
    name: 'says how long to wait for each',
    async run(asking) {
      const slow = { ...PACE, attempts: 1, lockAfter: 1 }
      await asking.take(asking.scope('a', { pace: { ...slow, lockFor: 5_000 } }))
      await asking.take(asking.scope('b', { pace: { ...slow, lockFor: 9_000 } }))
      const result = await asking.store.take([asking.scope('a'), asking.scope('b')])
      assert.equal(result.outcome, 'wait')
      assertAbout(result.waits[0] ?? 0, 5_000)
      assertAbout(result.waits[1] ?? 0, 9_000)
    },
  },
  {
    name: 'delays no attempt for long because of attempts that have not failed yet',
    async run(asking) {
      const pace = { ...PACE, attempts: 1, lockAfter: 1, lockFor: 3_600_000 }
      const reservations = await asking.take(asking.scope('a', { pace }))
      assertAbout(await asking.waitOf('a'), PENDING)
      await asking.store.settle(reservations.map((reservation) => ({ reservation, failures: 1 })))
      assertAbout(await asking.waitOf('a'), 3_600_000)
      assert.equal(await asking.countOf('a'), 1)
    },
  },
  {
    name: 'passes only as many attempts at once as may fail',
    async run(asking) {
      const results = await Promise.all(
        Array.from({ length: 50 }, () => asking.store.take([asking.scope('a')])),
      )
      assert.equal(results.filter(({ outcome }) => outcome === 'taken').length, PACE.attempts)
    },
  },
  {
    name: 'lets more pass at once where they weigh less, and counts them whole when they fail',
    async run(asking) {
      const scope = asking.scope('a', { weight: 0.25 })
      const results = await Promise.all(
        Array.from({ length: 50 }, () => asking.store.take([scope])),
      )
      const reservations = results.flatMap((result) =>
        result.outcome === 'taken' ? result.reservations : [],
      )
      // Three whole ones are reached with what goes beyond two.
      assert.equal(reservations.length, 9)
      const settled = await asking.store.settle(
        reservations.slice(0, 4).map((reservation) => ({ reservation, failures: 1 })),
      )
      assert.equal(settled.at(-1)?.failures, PACE.lockAfter)
      assertAbout(await asking.waitOf('a'), PACE.lockFor)
    },
  },
  {
    name: 'returns what did not fail, with the wait that it caused',
    async run(asking) {
      const scope = asking.scope('a')
      await asking.take(scope)
      await asking.take(scope)
      const [reservation] = await asking.take(scope)
      assert.ok(reservation !== undefined)
      assertAbout(await asking.waitOf('a'), 200)
      const [after] = await asking.store.settle([{ reservation, failures: 0 }])
      assert.deepEqual([after?.failures, after?.until], [2, 0])
      assert.equal(await asking.waitOf('a'), 0)
      assert.equal(await asking.countOf('a'), 2)
    },
  },
  {
    name: 'does not end the wait that a later one caused',
    async run(asking, pass) {
      const scope = asking.scope('a')
      await asking.take(scope)
      await asking.take(scope)
      const [earlier] = await asking.take(scope)
      assert.ok(earlier !== undefined)
      await pass(200)
      await asking.take(scope)
      await asking.store.settle([{ reservation: earlier, failures: 0 }])
      assertAbout(await asking.waitOf('a'), 400)
    },
  },
  {
    name: 'returns only what was counted, once the limit is reached',
    async run(asking) {
      const scope = asking.scope('a', { binding: false })
      for (let count = 0; count < PACE.lockAfter; count += 1) {
        await asking.take(scope)
      }
      const [reservation] = await asking.take(scope)
      assert.ok(reservation !== undefined)
      assert.equal(reservation.failures, PACE.lockAfter)
      await asking.store.settle([{ reservation, failures: 0 }])
      const [next] = await asking.take(scope)
      assert.equal(next?.failures, PACE.lockAfter)
    },
  },
  {
    name: 'forgets the other keys too, or all',
    async run(asking) {
      const scope = asking.scope('a', { binding: false })
      const taken: Reservation[] = []
      for (let count = 0; count < 4; count += 1) {
        taken.push(...(await asking.take(scope)))
      }
      const [first, second] = taken
      assert.ok(first !== undefined && second !== undefined)
      await asking.store.settle([{ reservation: first, failures: -1 }])
      assert.equal(await asking.countOf('a'), 2)
      await asking.store.settle([{ reservation: second, failures: Number.NEGATIVE_INFINITY }])
      assert.equal(await asking.countOf('a'), 0)
    },
  },
  {
    name: 'counts what is not binding, without adding to a wait or shortening one',
    async run(asking) {
      const loose = asking.scope('a', { binding: false })
      for (let count = 0; count < 4; count += 1) {
        await asking.take(loose)
      }
      assert.equal(await asking.waitOf('a'), 0)
      await asking.take(asking.scope('a'))
      assertAbout(await asking.waitOf('a'), PACE.lockFor)
      const [reservation] = await asking.take(loose)
      assert.ok(reservation !== undefined)
      await asking.store.settle([{ reservation, failures: 0 }])
      assertAbout(await asking.waitOf('a'), PACE.lockFor)
    },
  },
  {
    name: 'forgets one failure in each time, from the first on',
    async run(asking, pass) {
      const scope = asking.scope('a', { pace: { ...PACE, forget: 40_000 }, binding: false })
      await asking.take(scope)
      await asking.take(scope)
      await pass(20_000)
      const [reservation] = await asking.take(scope)
      assert.equal(reservation?.failures, 3)
      await pass(40_000)
      const [later] = await asking.take(scope)
      assert.equal(later?.failures, 3)
      await pass(120_000)
      const [last] = await asking.take(scope)
      assert.equal(last?.failures, 1)
    },
  },
  {
    name: 'keeps a lock-out to its end, although all failures are forgotten',
    async run(asking, pass) {
      const pace = { ...PACE, attempts: 1, lockAfter: 1, lockFor: 2_000, forget: 100 }
      const reservations = await asking.take(asking.scope('a', { pace }))
      await asking.store.settle(reservations.map((reservation) => ({ reservation, failures: 1 })))
      await pass(500)
      assert.ok((await asking.waitOf('a')) > 1_000)
      assert.equal(await asking.countOf('a'), 0)
    },
  },
  {
    name: 'takes the settling of what is long forgotten',
    async run(asking, pass) {
      const pace = { ...PACE, backOff: 1, lockFor: 10, forget: 10 }
      const reservations = await asking.take(asking.scope('a', { pace }))
      await pass(100)
      await asking.store.settle(reservations.map((reservation) => ({ reservation, failures: 0 })))
      await asking.store.settle(reservations.map((reservation) => ({ reservation, failures: 1 })))
      assert.equal(await asking.waitOf('a'), 0)
    },
  },
  {
    name: 'knows a note for its time, and how old it is',
    async run(asking, pass) {
      const key = asking.key('n')
      await asking.store.remember({ key, text: 'first', lifetime: 10_000, retained: false })
      await asking.store.remember({ key, text: 'second ä', lifetime: 800, retained: true })
      await pass(200)
      const [note, none] = await asking.store.recall([key, asking.key('other')])
      assert.equal(note?.text, 'second ä')
      assert.ok(note.age >= 200 && note.age < 700)
      assert.equal(none, undefined)
      await pass(800)
      assert.deepEqual(await asking.store.recall([key]), [undefined])
    },
  },
  {
    name: 'takes no scopes and no notes',
    async run(asking) {
      assert.deepEqual(await asking.store.take([]), { outcome: 'taken', reservations: [] })
      assert.deepEqual(await asking.store.settle([]), [])
      assert.deepEqual(await asking.store.recall([]), [])
    },
  },
]
