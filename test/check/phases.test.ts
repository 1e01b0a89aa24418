// How the phases of a check follow one another: at once or after a wait, and what ends them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { check } from '../../src/check/check.ts'
import type { Decision } from '../../src/check/decision.ts'
import { DeadlineNear } from '../../src/runtime/grpc/unary.ts'
import type { Transformation } from '../../src/transform/transformer.ts'
import { fakeAuthenticator, PROVEN } from '../fakes/authenticator.ts'
import { attributesOf } from '../fakes/envoy.ts'
import { answering, type RouteParts } from '../fakes/route.ts'
import { snapshotOf } from '../fakes/snapshot.ts'

const FOREVER = new AbortController().signal

const run = async (parts: RouteParts, signal = FOREVER): Promise<Decision> =>
  await check(attributesOf({}), snapshotOf([parts]), signal)

describe('the phases of a check', () => {
  for (const { name, transform } of [
    { name: 'throws', transform: () => assert.fail('bug') },
    { name: 'rejects', transform: () => Promise.reject(new Error('bug')) },
  ]) {
    it(`refuse with internal-error where a transformer ${name}, and keep the identity`, async () => {
      const decision = await run({
        ...answering(PROVEN),
        transformers: [{ kind: 'headers', transform }],
      })
      assert.ok(decision.outcome === 'deny')
      assert.equal(decision.reason, 'internal-error')
      assert.ok(decision.cause instanceof Error)
      assert.equal(decision.cause.message, 'bug')
      assert.deepEqual(Object.keys(decision.context).slice(-3), ['identity', 'shadows', 'permit'])
    })
  }

  it('end in the same turn where none has to wait', () => {
    const authenticator = {
      ...fakeAuthenticator('staff', PROVEN),
      authenticate: () => PROVEN,
    }
    const state = snapshotOf([{ authenticators: [authenticator] }])
    const decision = check(attributesOf({}), state, FOREVER)
    assert.ok(!(decision instanceof Promise))
    assert.equal(decision.reason, 'permitted')
  })

  it('continue with the next authenticator after one that had to wait', async () => {
    const waiting = fakeAuthenticator('first', { outcome: 'not-applicable' })
    const authenticators = [waiting, fakeAuthenticator('second', PROVEN)]
    const decision = await run({ authenticators })
    assert.equal(decision.context.authenticator, 'second')
  })
})

describe('a check that is aborted', () => {
  it('names how long Envoy waits, and the setting', async () => {
    const leaving = new AbortController()
    const route = answering(async () => {
      leaving.abort(new DeadlineNear(196))
      return PROVEN
    })
    const decision = await run(route, leaving.signal)
    assert.ok(decision.outcome === 'deny')
    assert.match(
      decision.detail ?? '',
      /^Envoy waits some 200 ms .*"timeout" of "grpc_service".*"envoy\.authzTimeout"/,
    )
  })

  for (const { name, reason, want } of [
    { name: 'the call is aborted', reason: undefined, want: 'cancelled' },
    { name: 'its deadline is near', reason: new DeadlineNear(196), want: 'deadline-exceeded' },
    {
      name: 'its timeout passes',
      reason: new DOMException('late', 'TimeoutError'),
      want: 'deadline-exceeded',
    },
  ]) {
    it(`ends with "${want}" after authentication, where ${name}`, async () => {
      const leaving = new AbortController()
      const route = answering(async () => {
        leaving.abort(reason)
        return PROVEN
      })
      const decision = await run(route, leaving.signal)
      assert.equal(decision.reason, want)
      assert.equal(decision.context.authenticator, 'staff')
      assert.equal(decision.context.identity, undefined)
    })

    it(`ends with "${want}" after the transform, where ${name}`, async () => {
      const leaving = new AbortController()
      const transformers = [
        {
          kind: 'headers',
          transform: (): Transformation => {
            leaving.abort(reason)
            return { outcome: 'transformed', forwarding: { setHeaders: [], repeatedHeaders: [] } }
          },
        },
      ] as const
      const decision = await run({ ...answering(PROVEN), transformers }, leaving.signal)
      assert.equal(decision.reason, want)
    })
  }
})
