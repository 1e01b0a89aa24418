// Which waits of a check are measured: only those of phases that had to wait.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../src/check/check.ts'
import { PhaseDurations } from '../../src/check/phase-durations.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { FakeClock } from '../fakes/clock.ts'
import { attributesOf } from '../fakes/envoy.ts'
import type { RouteParts } from '../fakes/route.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FOREVER = new AbortController().signal

const AT_ONCE = { ...fakeAuthenticator('staff', PROVEN), authenticate: () => PROVEN }

const setUp = (clock: FakeClock, parts: RouteParts) => {
  const phases = new PhaseDurations(clock)
  const state = { ...snapshotOf([parts]), phases }
  const sums = () =>
    Object.fromEntries(
      phases.histogram
        .read()
        .map(({ labels: { phase }, value }) => [
          phase,
          [value.counts.reduce((sum, one) => sum + one, 0), value.sum],
        ]),
    )
  return { run: () => check(attributesOf({}), state, FOREVER), sums }
}

const NONE = [0, 0]

/** What a server answers after a while. */
const after = async <T>(clock: FakeClock, milliseconds: number, result: T): Promise<T> => {
  await Promise.resolve()
  clock.advance(milliseconds)
  return result
}

describe('the duration of a phase', () => {
  it('is not measured where no phase has to wait', () => {
    const { run, sums } = setUp(new FakeClock(), { authenticators: [AT_ONCE] })
    assert.ok(!(run() instanceof Promise))
    assert.deepEqual(sums(), { authenticate: NONE, authorize: NONE, transform: NONE })
  })

  it('is that of the wait for a credential, also where it fails', async () => {
    const clock = new FakeClock()
    const { run, sums } = setUp(clock, {
      authenticators: [
        fakeAuthenticator('staff', async () => {
          throw await after(clock, 2_000, new Error('bug'))
        }),
      ],
    })
    assert.equal((await run()).reason, 'authenticator-unavailable')
    assert.deepEqual(sums(), { authenticate: [1, 2], authorize: NONE, transform: NONE })
  })

  it('is that of the wait for the API server and for a token, each by itself', async () => {
    const clock = new FakeClock()
    const { run, sums } = setUp(clock, {
      authenticators: [AT_ONCE],
      rules: [{ allow: 'reviewed', subjectAccessReview: true }],
      kind: 'kubernetes',
      reviewer: {
        review: () => after(clock, 3_000, { outcome: 'reviewed', allowed: true } as const),
      },
      transformers: [
        {
          kind: 'headers',
          transform: () => after(clock, 500, { outcome: 'unavailable', cause: undefined } as const),
        },
      ],
    })
    const decision = await run()
    assert.equal(decision.reason, 'transform-unavailable')
    assert.deepEqual(sums(), { authenticate: NONE, authorize: [1, 3], transform: [1, 0.5] })
  })
})
