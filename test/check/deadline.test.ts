// Envoy waits for so long and no longer: a check that takes longer is refused while it can be heard.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication } from '../../src/authenticate/authenticator.ts'
import { shared } from '../../src/runtime/shared.ts'
import { answering, eventOf, startRoute } from '../fakes/service.ts'

const never = Promise.withResolvers<Authentication>().promise

describe('the deadline of a check', () => {
  it('causes an answer before it passes, which names the slow authenticator', async () => {
    await using service = await startRoute(answering((_, signal) => shared(() => never, signal)))
    const outcome = await service.client.call({}, Date.now() + 1_000).outcome
    assert.ok(!outcome.allow)
    assert.equal(outcome.status, 'ServiceUnavailable')
    assert.equal(outcome.headers['retry-after'], '5')
    const event = eventOf(service, outcome)
    assert.equal(event.reason, 'deadline-exceeded')
    assert.equal(event.authenticator, 'staff')
    assert.ok(service.log.some((line) => line.includes('check took too long')))
  })

  it('causes an answer even if hardly any time is left', async () => {
    await using service = await startRoute(answering((_, signal) => shared(() => never, signal)))
    const outcome = await service.client.call({}, Date.now() + 200).outcome
    assert.equal(eventOf(service, outcome).reason, 'deadline-exceeded')
  })

  it('does nothing for a check without one, or one that is answered', async () => {
    await using service = await startRoute(answering({ outcome: 'not-applicable' }))
    const outcome = await service.client.check({})
    assert.equal(eventOf(service, outcome).reason, 'credential-missing')
  })
})
