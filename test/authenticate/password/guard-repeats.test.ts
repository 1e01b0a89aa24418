// What brute-force protection remembers: wrong passwords, lock-outs, and who has to wait.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryAttempts } from '../../../src/state/memory.ts'
import { DerivedKeys } from '../../../src/state/derived-keys.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { addresses, ELSEWHERE, GuardedSite, HOME, HOUR, MINUTE, SECOND } from './guarding.ts'

describe('a wrong password that is repeated', () => {
  it('has the same answer without a verification, and counts once', async () => {
    const site = new GuardedSite()
    for (let second = 0; second < 29; second += 1) {
      assert.equal(await site.outcome('alice', 'old password'), 'wrong-password')
      assert.equal(await site.outcome('nobody', 'old password'), 'unknown-user')
      site.clock.advance(SECOND)
    }
    assert.equal(site.attempts, 2)
    await site.fail('alice', 3)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('is verified again after half a minute, and still counts once', async () => {
    const site = new GuardedSite()
    for (let minute = 0; minute < 59; minute += 1) {
      assert.equal(await site.outcome('alice', 'old password'), 'wrong-password')
      site.clock.advance(MINUTE)
    }
    assert.equal(site.attempts, 59)
    assert.equal(await site.fail('alice', 4), 0)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('is accepted as soon as it is right', async () => {
    const users: Record<string, { password: string }> = { alice: { password: 'right' } }
    const clock = new FakeClock()
    const shared = { clock, store: new MemoryAttempts(clock), keys: new DerivedKeys() }
    const before = new GuardedSite({ users, ...shared })
    assert.equal(await before.outcome('alice', 'new'), 'wrong-password')
    const changed = { alice: { password: 'new' } }
    // A changed users file has another generation, so no time has to pass.
    const after = new GuardedSite({ users: changed, ...shared, generation: 'g2' })
    assert.equal(await after.outcome('alice', 'new'), 'verified')
    // A change in a directory is not noticed before.
    const directory = new GuardedSite({ users: changed, ...shared })
    assert.equal(await directory.outcome('alice', 'new'), 'wrong-password')
    clock.advance(30 * SECOND)
    assert.equal(await directory.outcome('alice', 'new'), 'verified')
  })

  it('does not prolong the wait', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 6)
    site.clock.advance(2 * SECOND)
    for (let count = 0; count < 50; count += 1) {
      assert.equal(await site.outcome('alice', 'guess 1'), 'wrong-password')
    }
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('counts again for another user, and with another password', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'wrong')
    assert.equal(await site.outcome('bob', 'wrong'), 'wrong-password')
    assert.equal(await site.outcome('alice', 'wrong '), 'wrong-password')
    assert.equal(site.attempts, 3)
  })

  it('is refused like any other password during a lock-out', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    assert.equal(await site.outcome('alice', 'guess 1'), 15 * 60)
  })
})

describe('a lock-out', () => {
  it('is logged once when it begins, with the name of an existing user', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10, HOME)
    for (let count = 0; count < 50; count += 1) {
      await site.show('alice', site.guess(), HOME)
    }
    const about = { count: 'userAndSource', source: HOME, lasts: 15 * MINUTE } as const
    assert.deepEqual(site.lockOuts, [{ ...about, user: 'alice' }])
    await site.fail('nobody', 10, HOME)
    assert.deepEqual(site.lockOuts.at(-1), { ...about, user: undefined })
  })

  it('of a user at all addresses is logged too', async () => {
    const site = new GuardedSite()
    for (const source of addresses(30)) {
      await site.fail('alice', 1, source)
    }
    assert.deepEqual(
      site.lockOuts.map(({ count, user, lasts }) => ({ count, user, lasts })),
      [{ count: 'user', user: 'alice', lasts: HOUR }],
    )
  })
})

describe('a failed login from a familiar address', () => {
  it('causes no lock-out at other addresses, also during a lock-out', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'right', HOME)
    for (const source of addresses(30)) {
      await site.fail('alice', 1, source)
    }
    assert.equal(site.lockOuts.length, 1)
    await site.fail('alice', 2, HOME)
    assert.equal(site.lockOuts.length, 1)
  })
})

describe('a wait that this process knows', () => {
  it('is returned without a request to the store', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 4, HOME)
    assert.equal(site.guard.waitOf('alice', HOME), 0)
    await site.fail('alice', 1, HOME)
    assert.equal(site.guard.waitOf('Alice', HOME), 1)
    assert.equal(site.guard.waitOf('bob', HOME), 0)
    assert.equal(site.guard.waitOf('alice', ELSEWHERE), 0)
    site.clock.advance(SECOND)
    assert.equal(site.guard.waitOf('alice', HOME), 0)
  })

  it('is learnt from a refusal that another replica caused', async () => {
    const clock = new FakeClock()
    const shared = { clock, store: new MemoryAttempts(clock), keys: new DerivedKeys() }
    const [here, there] = [new GuardedSite(shared), new GuardedSite(shared)]
    await here.fail('alice', 10, HOME)
    assert.equal(there.guard.waitOf('alice', HOME), 0)
    assert.equal(await there.outcome('alice', 'right', HOME), 15 * 60)
    assert.equal(there.guard.waitOf('alice', HOME), 15 * 60)
  })

  it('is short while the last attempt is not decided', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 9, HOME)
    site.clock.advance(16 * SECOND)
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const last = site.outcome('alice', site.guess(), HOME)
    assert.equal(await site.outcome('alice', 'right', HOME), 10)
    site.verifier.down = new Error('down')
    gate.resolve()
    assert.equal(await last, 'unavailable')
    assert.equal(site.guard.waitOf('alice', HOME), 0)
    site.verifier.down = undefined
    assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
  })

  it('is short when other users at the address caused it, since their attempts may still succeed', async () => {
    const site = new GuardedSite()
    for (let index = 0; index < 36; index += 1) {
      await site.fail(`user${index}`, 1, HOME)
    }
    assert.equal(await site.outcome('alice', 'right', HOME), 15 * 60)
    assert.equal(site.guard.waitOf('alice', HOME), 1)
    site.clock.advance(SECOND)
    assert.equal(site.guard.waitOf('alice', HOME), 0)
  })

  it('ends with a successful login', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 5, HOME)
    site.clock.advance(SECOND)
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const login = site.outcome('alice', 'right', HOME)
    assert.equal(await site.outcome('alice', site.guess(), HOME), 2)
    assert.equal(site.guard.waitOf('alice', HOME), 2)
    gate.resolve()
    assert.equal(await login, 'verified')
    assert.equal(site.guard.waitOf('alice', HOME), 0)
  })
})
