// The circuit breaker of a RADIUS server.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Breaker } from '../../../src/clients/radius/breaker.ts'
import { FakeClock } from '../../fakes/clock.ts'

describe('a breaker', () => {
  const create = (): { readonly clock: FakeClock; readonly breaker: Breaker } => {
    const clock = new FakeClock()
    return { clock, breaker: new Breaker({ failures: 2, shortest: 100, longest: 300 }, clock) }
  }

  it('opens after so many failures in a row', () => {
    const { breaker } = create()
    assert.equal(breaker.failed(false), false)
    breaker.succeeded()
    assert.equal(breaker.failed(false), false)
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.failed(false), true)
    assert.equal(breaker.state, 'open')
    assert.equal(breaker.failed(false), false)
  })

  it('admits one trial when its time has come, and longer after each that fails', () => {
    const { breaker, clock } = create()
    breaker.failed(false)
    breaker.failed(false)
    for (const length of [100, 200, 300, 300]) {
      clock.advance(length - 1)
      assert.equal(breaker.state, 'open')
      clock.advance(1)
      assert.equal(breaker.state, 'due')
      breaker.try()
      assert.equal(breaker.state, 'open')
      breaker.failed(true)
    }
  })

  it('is due again when a trial was given up', () => {
    const { breaker, clock } = create()
    breaker.failed(false)
    breaker.failed(false)
    clock.advance(100)
    breaker.try()
    breaker.abandoned(true)
    assert.equal(breaker.state, 'due')
  })

  it('closes at a success, and says when that is news', () => {
    const { breaker } = create()
    assert.equal(breaker.succeeded(), false)
    breaker.failed(false)
    breaker.failed(false)
    assert.equal(breaker.succeeded(), true)
    assert.equal(breaker.state, 'closed')
  })
})
