// The life of published keys: when they are fetched, how long they are used, and when they expire.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { KeyRenewal } from '../../../src/authenticate/bearer/key-set.ts'
import type { FetchedKeys } from '../../../src/authenticate/bearer/key-source.ts'
import { Keys } from '../../../src/authenticate/bearer/keys.ts'
import { RemoteKeySet, type KeyTimes } from '../../../src/authenticate/bearer/remote-key-set.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { keySetOf, makeKey, type IssuerKey } from './issuing.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const TIMES: KeyTimes = {
  refresh: { min: MINUTE, max: 15 * MINUTE },
  coolDown: 10 * SECOND,
  maxAge: 24 * HOUR,
  timeout: 5 * SECOND,
}

let first: IssuerKey
let second: IssuerKey
before(async () => {
  first = await makeKey('ES256', 'first')
  second = await makeKey('ES256', 'second')
})

const fetched = (keys: readonly IssuerKey[], maxAge?: number): FetchedKeys => {
  const current = keySetOf(...keys).current()
  assert.ok(current !== undefined)
  return { keys: current, ignored: [], maxAge }
}

/** The key set of an issuer that publishes what `publish` returns, with a clock that the test advances. */
const setUp = (times: Partial<KeyTimes> = {}) => {
  const clock = new FakeClock()
  const { logger, lines } = memoryLogger()
  const state = {
    publish: (): FetchedKeys | Promise<FetchedKeys> => fetched([first]),
    fetches: 0,
    signal: undefined as AbortSignal | undefined,
    timer: undefined as { readonly run: () => void; readonly due: number } | undefined,
  }
  const keys = new RemoteKeySet({
    source: 'https://login.example.org',
    fetchKeys: async (signal) => {
      state.fetches += 1
      state.signal = signal
      return await state.publish()
    },
    times: { ...TIMES, ...times },
    clock,
    logger,
    schedule: (run, delay) => {
      const timer = { run, due: clock.monotonic() + delay }
      state.timer = timer
      return {
        [Symbol.dispose]() {
          if (state.timer === timer) state.timer = undefined
        },
      }
    },
  })
  /** Advances the clock, and runs the timers that are due meanwhile. */
  const pass = async (milliseconds: number): Promise<void> => {
    const end = clock.monotonic() + milliseconds
    for (let { timer } = state; timer !== undefined && timer.due <= end; { timer } = state) {
      clock.advance(timer.due - clock.monotonic())
      timer.run()
      await settled()
    }
    clock.advance(end - clock.monotonic())
  }
  return { keys, state, clock, lines, pass }
}

const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

const started = async (times?: Partial<KeyTimes>) => {
  const site = setUp(times)
  site.keys.start()
  await settled()
  return site
}

const namesOf = (keys: RemoteKeySet): string =>
  ['first', 'second']
    .filter((kid) => (keys.current()?.candidates(kid, 'ES256').length ?? 0) > 0)
    .join()

const down = (): never => {
  throw new Error('no route to host')
}

describe('published keys', () => {
  it('are fetched once at the start, however many callers request them', async () => {
    const { keys, state } = setUp()
    keys.start()
    assert.equal(keys.current(), undefined)
    const renewals = await Promise.all(Array.from({ length: 100 }, () => keys.newer(undefined)))
    assert.deepEqual(new Set(renewals.map(({ outcome }) => outcome)), new Set(['keys']))
    assert.equal(state.fetches, 1)
    assert.equal(namesOf(keys), 'first')
  })

  const PERIODS = [
    { name: 'the answer has no max-age', maxAge: undefined, want: 15 * MINUTE },
    { name: 'max-age is below the minimum', maxAge: 0, want: MINUTE },
    { name: 'max-age is between minimum and maximum', maxAge: 5 * MINUTE, want: 5 * MINUTE },
    { name: 'max-age is above the maximum', maxAge: HOUR, want: 15 * MINUTE },
  ]
  for (const { name, maxAge, want } of PERIODS) {
    it(`are fetched again before they are stale, where ${name}`, async () => {
      const { keys, state, pass } = setUp()
      state.publish = () => fetched([first], maxAge)
      keys.start()
      await settled()
      await pass(want * 0.89)
      assert.equal(state.fetches, 1)
      await pass(want * 0.02)
      assert.equal(state.fetches, 2)
      await pass(10 * want)
      assert.equal(state.fetches, 13)
    })
  }

  it('are fetched again with a growing interval until the first fetch succeeds', async () => {
    const { keys, state, clock, pass } = setUp()
    state.publish = down
    const times: number[] = []
    const begun = clock.monotonic()
    keys.start()
    await settled()
    while (times.length < 8) {
      const { timer } = state
      assert.ok(timer !== undefined)
      times.push(timer.due - begun)
      await pass(timer.due - clock.monotonic())
    }
    assert.deepEqual(times, [250, 750, 1_750, 3_750, 7_750, 15_750, 25_750, 35_750])
    state.publish = () => fetched([first])
    await pass(10 * SECOND)
    assert.equal(namesOf(keys), 'first')
  })

  it('are fetched again at the usual interval while older ones are known', async () => {
    const { state, pass } = await started()
    state.publish = down
    await pass(15 * MINUTE * 0.9)
    assert.equal(state.fetches, 2)
    await pass(9 * SECOND)
    assert.equal(state.fetches, 2)
    await pass(2 * SECOND)
    assert.equal(state.fetches, 3)
  })

  it('published keys that are removed expire at the next fetch', async () => {
    const { keys, state, pass } = await started()
    state.publish = () => fetched([second])
    await pass(15 * MINUTE)
    assert.equal(namesOf(keys), 'second')
  })

  it('are all removed when the issuer publishes an empty set', async () => {
    const { keys, state, pass } = await started()
    state.publish = () => ({ keys: new Keys([]), ignored: [], maxAge: undefined })
    await pass(15 * MINUTE)
    assert.equal(keys.current()?.size, 0)
  })

  it('are available without waiting for a fetch once they are known', async () => {
    const { keys, state, pass } = await started()
    state.publish = () => new Promise(() => {}) // for ever
    await pass(15 * MINUTE)
    assert.equal(state.fetches, 2)
    assert.equal(namesOf(keys), 'first')
  })
})

describe('an outage of the issuer', () => {
  it('leaves the keys up to their maximum age', async () => {
    const { keys, state, pass, lines } = await started()
    state.publish = down
    await pass(24 * HOUR - 1)
    assert.equal(namesOf(keys), 'first')
    await pass(1)
    assert.equal(keys.current(), undefined)
    const renewal = await keys.newer(undefined)
    assert.equal(renewal.outcome, 'unavailable')
    assert.match(lines.join('\n'), /"reason":"no route to host","held":true/)
    assert.match(lines.join('\n'), /"reason":"no route to host","held":false/)
  })

  it('ends with the first fetch that succeeds', async () => {
    const { keys, state, pass, lines } = await started()
    state.publish = down
    await pass(HOUR)
    const tries = state.fetches
    state.publish = () => fetched([first])
    await pass(10 * SECOND)
    assert.equal(state.fetches, tries + 1)
    assert.match(lines.at(-1) ?? '', /can be fetched again/)
    assert.equal((await keys.newer(keys.current())).outcome, 'same')
    await pass(24 * HOUR)
    assert.equal(namesOf(keys), 'first')
  })

  it('at the start is overcome by a later fetch', async () => {
    const { keys, state, pass } = setUp()
    state.publish = down
    keys.start()
    assert.equal((await keys.newer(undefined)).outcome, 'unavailable')
    assert.equal((await keys.newer(undefined)).outcome, 'unavailable')
    assert.equal(state.fetches, 1)
    state.publish = () => fetched([first])
    await pass(10 * SECOND)
    assert.equal(namesOf(keys), 'first')
  })

  it('does not restore a key that was removed before it', async () => {
    const { keys, state, pass } = await started()
    state.publish = () => fetched([second])
    await pass(15 * MINUTE)
    state.publish = down
    await pass(HOUR)
    assert.equal(namesOf(keys), 'second')
  })
})

const outcomes = (renewals: readonly KeyRenewal[]): string =>
  [...new Set(renewals.map(({ outcome }) => outcome))].join()

describe('a kid that is unknown', () => {
  it('is fetched once for all callers', async () => {
    const { keys, state, pass } = await started()
    await pass(10 * SECOND)
    state.publish = () => fetched([first, second])
    const held = keys.current()
    const renewals = await Promise.all(Array.from({ length: 1_000 }, () => keys.newer(held)))
    assert.equal(outcomes(renewals), 'keys')
    assert.equal(state.fetches, 2)
    assert.equal(namesOf(keys), 'first,second')
  })

  it('is not fetched again until the cool-down is over', async () => {
    const { keys, state, pass } = await started()
    await pass(10 * SECOND)
    for (let round = 0; round < 1_000; round += 1) {
      assert.equal((await keys.newer(keys.current())).outcome, 'same')
    }
    assert.equal(state.fetches, 2)
    await pass(10 * SECOND - 1)
    await keys.newer(keys.current())
    assert.equal(state.fetches, 2)
    await pass(1)
    await keys.newer(keys.current())
    assert.equal(state.fetches, 3)
  })

  it('postpones the next fetch, and does not add one', async () => {
    const { keys, state, pass } = await started()
    await pass(13 * MINUTE)
    await keys.newer(keys.current())
    assert.equal(state.fetches, 2)
    await pass(13 * MINUTE)
    assert.equal(state.fetches, 2)
    await pass(MINUTE)
    assert.equal(state.fetches, 3)
  })

  it('is unavailable while the issuer is down, without a request each time', async () => {
    const { keys, state, pass } = await started()
    await pass(10 * SECOND)
    state.publish = down
    const held = keys.current()
    const renewals = [await keys.newer(held), await keys.newer(held)]
    assert.equal(outcomes(renewals), 'unavailable')
    assert.equal(state.fetches, 2)
    assert.equal(namesOf(keys), 'first')
  })

  it('needs no fetch when the keys have changed since', async () => {
    const { keys, state, pass } = await started()
    const held = keys.current()
    state.publish = () => fetched([second])
    await pass(14 * MINUTE)
    const { fetches } = state
    assert.equal((await keys.newer(held)).outcome, 'keys')
    assert.equal(state.fetches, fetches)
  })
})

describe('a key set that is closed', () => {
  it('fetches no longer, and aborts the fetch under way', async () => {
    const { keys, state, pass, lines } = await started()
    state.publish = () => new Promise(() => {})
    await pass(15 * MINUTE)
    keys[Symbol.dispose]()
    assert.equal(state.signal?.aborted, true)
    assert.equal(state.timer, undefined)
    const earlier = lines.length
    await pass(HOUR)
    assert.equal(state.fetches, 2)
    assert.equal(lines.length, earlier)
  })

  it('schedules nothing when a fetch ends afterwards', async () => {
    const { keys, state } = setUp()
    const gate = Promise.withResolvers<FetchedKeys>()
    state.publish = () => gate.promise
    keys.start()
    keys[Symbol.dispose]()
    gate.reject(new Error('aborted'))
    await settled()
    assert.equal(state.timer, undefined)
    assert.equal((await keys.newer(undefined)).outcome, 'same')
    assert.equal(state.fetches, 1)
  })
})
