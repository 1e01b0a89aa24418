import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Backoff } from '../../src/logins/backoff.ts'
import { FakeClock } from '../fakes/clock.ts'

const LENGTH = 10_000

describe('the pauses after failures', () => {
  it('end after their length, and begin anew with another failure', () => {
    const clock = new FakeClock()
    const pauses = new Backoff(clock, LENGTH)
    assert.equal(pauses.has('a'), false)
    pauses.begin('a')
    clock.advance(LENGTH - 1)
    assert.equal(pauses.has('a'), true)
    assert.equal(pauses.has('b'), false)
    pauses.begin('a')
    clock.advance(LENGTH - 1)
    assert.equal(pauses.has('a'), true)
    clock.advance(1)
    assert.equal(pauses.has('a'), false)
  })

  it('are removed when they have ended, even if they are not looked up again', () => {
    const clock = new FakeClock()
    const pauses = new Backoff(clock, LENGTH)
    for (let login = 0; login < 1_000; login += 1) {
      pauses.begin(`login-${login}`)
      clock.advance(LENGTH / 10)
    }
    assert.ok(pauses.size <= 10, `${pauses.size} are kept`)
  })
})
