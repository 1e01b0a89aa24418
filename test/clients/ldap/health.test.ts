// Whether a directory server is queried after failures.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DirectoryError } from '../../../src/clients/ldap/failure.ts'
import { ServerHealth } from '../../../src/clients/ldap/health.ts'
import { FakeClock } from '../../fakes/clock.ts'

describe("a server's health", () => {
  const timeout = new DirectoryError('timeout', 'x')
  const unreachable = new DirectoryError('unreachable', 'x')

  it('is lost at once where no connection can be opened, and tried once after the pause', () => {
    const clock = new FakeClock()
    const reported: unknown[] = []
    const health = new ServerHealth(1_000, clock, (failure) => reported.push(failure))
    assert.equal(health.state, 'closed')
    health.failed(unreachable)
    assert.equal(health.state, 'open')
    clock.advance(1_000)
    assert.equal(health.state, 'due')
    health.beginTrial()
    assert.equal(health.state, 'open', 'one trial at a time')
    health.failed(timeout)
    assert.equal(health.state, 'open')
    clock.advance(999)
    assert.equal(health.state, 'open')
    clock.advance(1)
    health.beginTrial()
    health.abandonTrial()
    assert.equal(health.state, 'due', 'the trial was abandoned')
    health.succeeded()
    assert.equal(health.state, 'closed')
    health.succeeded()
    assert.deepEqual(reported, [unreachable, undefined], 'each state is reported once')
  })

  it('is lost for a minute where the bind of the service account is refused', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    health.failed(new DirectoryError('service-refused', 'x'))
    clock.advance(59_999)
    assert.equal(health.state, 'open')
    clock.advance(1)
    assert.equal(health.state, 'due')
  })

  it('is lost with timeouts of three users without a success in between', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    const of = (user: string) => ({ user, began: clock.monotonic() })
    for (const user of ['a', 'b']) health.failed(timeout, of(user))
    health.succeeded()
    for (const user of ['a', 'b']) health.failed(timeout, of(user))
    assert.equal(health.state, 'closed')
    health.failed(timeout, of('c'))
    assert.equal(health.state, 'open')
    assert.equal(health.last, timeout)
  })

  it('hostile: is not lost by timeouts of one user, nor of many while it answers more recent requests', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    for (let time = 0; time < 10; time += 1) health.failed(timeout, { user: 'odd', began: 0 })
    clock.advance(10)
    health.succeeded()
    for (let user = 0; user < 10; user += 1)
      health.failed(timeout, { user: `odd${user}`, began: 0 })
    assert.equal(health.state, 'closed')
  })

  it('hostile: is tried again where the trial ends by the timeout of one user', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    health.failed(unreachable)
    clock.advance(1_000)
    health.beginTrial()
    health.failed(timeout, { user: 'odd', began: clock.monotonic() })
    assert.equal(health.state, 'due')
  })
})
