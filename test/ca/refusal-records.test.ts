// Refusals in the audit log: the first of each handle, then counts, and no more than a budget.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { handleDigest } from '../../src/grant/handle.ts'
import { subjectOf } from '../fakes/grant.ts'
import { issuing, type Issuing } from './issuing.ts'

const START = '2026-01-01T00:00:00.000Z'

const COUNTED = { event: 'certificate-refusals-summary', handle: undefined, since: START }

/** The events of that name. */
const eventsOf = (world: Issuing, name: string) =>
  world.audit.events.filter(({ event }) => event === name)

describe('refusals of the signer in the audit log', () => {
  it('of one handle are one event and a count', async () => {
    const world = await issuing()
    const handle = world.handle({ subject: subjectOf(['OU', 'x']) })
    for (let time = 0; time < 1_000; time++)
      assert.equal(await world.outcome(handle), 'subject-refused')
    assert.equal(world.audit.events.length, 1)
    await world.issuer[Symbol.asyncDispose]()
    assert.deepEqual(eventsOf(world, 'certificate-refusals-summary'), [
      {
        event: 'certificate-refusals-summary',
        handle: handleDigest(handle),
        reason: 'subject-refused',
        count: 999,
        since: START,
      },
    ])
  })

  it('are events of their own again after the counts were written', async () => {
    const world = await issuing()
    await world.outcome('nonsense')
    await world.issuer[Symbol.asyncDispose]()
    world.clock.advance(60_000)
    await world.outcome('nonsense')
    assert.equal(eventsOf(world, 'certificate-refused').length, 2)
    assert.equal(eventsOf(world, 'certificate-refusals-summary').length, 0)
  })

  it('of many handles have the events of the budget, and a count by reason', async () => {
    const world = await issuing()
    for (let name = 0; name < 2_000; name++) assert.ok(world.issuer.refuseForm(`name-${name}`))
    await world.outcome(world.handle({ subject: subjectOf(['OU', 'x']) }))
    assert.equal(eventsOf(world, 'certificate-refused').length, 500)
    world.clock.advance(1_000)
    for (let name = 0; name < 100; name++) assert.ok(world.issuer.refuseForm(`later-${name}`))
    assert.equal(eventsOf(world, 'certificate-refused').length, 510)
    await world.issuer[Symbol.asyncDispose]()
    assert.deepEqual(eventsOf(world, 'certificate-refusals-summary'), [
      { ...COUNTED, reason: 'handle-malformed', count: 1_590 },
      { ...COUNTED, reason: 'subject-refused', count: 1 },
    ])
  })

  it('do not use the budget of issued certificates', async () => {
    const world = await issuing()
    for (let name = 0; name < 2_000; name++) assert.ok(world.issuer.refuseForm(`name-${name}`))
    assert.equal(await world.outcome(), 'issued')
    assert.equal(eventsOf(world, 'certificate-issued').length, 1)
  })
})
