// Brute-force protection before the verifiers: who has to wait, for how long, and which attempts do not count.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unguarded } from '../../../src/authenticate/password/guard.ts'
import type { Verification } from '../../../src/authenticate/password/verifier.ts'
import type { AttemptStore } from '../../../src/state/attempt-store.ts'
import { MemoryAttempts } from '../../../src/state/memory.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { ELSEWHERE, GuardedSite, HOME, MINUTE, SECOND } from './guarding.ts'

describe('guesses at one user from one address', () => {
  it('are verified five times at once, then after growing waits, until a lock-out', async () => {
    const site = new GuardedSite()
    const waits: (string | number)[] = []
    for (let count = 0; count < 12; count += 1) {
      assert.equal(await site.outcome('alice', site.guess()), 'wrong-password')
      const wait = await site.outcome('alice', site.guess())
      waits.push(wait)
      if (typeof wait === 'number') site.clock.advance(wait * SECOND)
      else count += 1
    }
    const free = ['wrong-password', 'wrong-password']
    assert.deepEqual(waits.slice(0, 7), [...free, 1, 2, 4, 8, 16])
    assert.deepEqual(new Set(waits.slice(7)), new Set([15 * 60]))
  })

  it('are refused during a lock-out whatever the password, without a verification', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    const { attempts } = site
    assert.equal(await site.outcome('alice', 'right'), 15 * 60)
    assert.equal(await site.outcome('ALICE', 'right'), 15 * 60)
    site.clock.advance(15 * MINUTE - 1)
    assert.equal(await site.outcome('alice', 'right'), 1)
    assert.equal(site.attempts, attempts)
    site.clock.advance(1)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('do not prolong a lock-out while they are refused', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    for (let minute = 0; minute < 15; minute += 1) {
      assert.equal(await site.outcome('alice', site.guess()), (15 - minute) * 60)
      site.clock.advance(MINUTE)
    }
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('are forgotten one by one', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 4)
    site.clock.advance(30 * MINUTE)
    await site.fail('alice', 2)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('are forgotten after a successful login', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 9)
    site.clock.advance(16 * SECOND)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
    assert.equal(await site.fail('alice', 5), 0)
    assert.equal(await site.outcome('alice', site.guess()), 1)
  })

  it('do not affect other users and other addresses', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    assert.equal(await site.outcome('bob', 'right'), 'verified')
    assert.equal(await site.outcome('alice', 'right', ELSEWHERE), 'verified')
  })

  it('count together for all spellings of a user, and for all addresses of a source', async () => {
    const site = new GuardedSite()
    const names = ['alice', 'Alice', 'ALICE', 'álice', 'alice ']
    for (const [index, name] of names.entries()) {
      await site.show(name, site.guess(), `2001:db8::${index}`)
    }
    assert.equal(await site.outcome('alice', 'right', '2001:db8::ff'), 1)
    assert.equal(await site.outcome('alice', 'right', '2001:db8:0:1::ff'), 'verified')
  })
})

describe('an unknown user', () => {
  it('is answered like a known one, guess by guess', async () => {
    const site = new GuardedSite()
    for (let count = 0; count < 40; count += 1) {
      const known = await site.outcome('alice', site.guess(), HOME)
      const unknown = await site.outcome('nobody', site.guess(), ELSEWHERE)
      assert.equal(unknown, known === 'wrong-password' ? 'unknown-user' : known)
      site.clock.advance(500)
    }
    assert.deepEqual(
      site.verifier.attempts.filter(({ user }) => user === 'alice').length,
      site.verifier.attempts.filter(({ user }) => user === 'nobody').length,
    )
  })
})

describe('a disabled account', () => {
  it('counts like any other, since an answer that did not count would reveal that the password is right', async () => {
    const site = new GuardedSite({ users: { eve: { password: 'right', disabled: true } } })
    await site.fail('eve', 4)
    assert.equal(await site.outcome('eve', 'right'), 'barred')
    assert.equal(await site.outcome('eve', 'right'), 1)
  })

  it('has the same reason when the password is repeated', async () => {
    const site = new GuardedSite({ users: { eve: { password: 'right', disabled: true } } })
    await site.show('eve', 'right')
    assert.deepEqual(await site.show('eve', 'right'), { outcome: 'barred', code: 'user-disabled' })
    assert.equal(site.attempts, 1)
  })
})

describe('a second factor that is requested', () => {
  it('counts as a failure until it is given', async () => {
    const site = new GuardedSite()
    const challenged: Verification = {
      outcome: 'challenged',
      challenge: { message: 'Code?', state: Buffer.of(1) },
    }
    for (let count = 0; count < 5; count += 1) {
      const { outcome } = await site.show('alice', 'right', HOME, challenged)
      assert.equal(outcome, 'challenged')
    }
    assert.equal(await site.outcome('alice', 'right', HOME), 1)
  })

  it('counts for the user as a whole failure, whatever the address', async () => {
    const site = new GuardedSite()
    const challenge = { message: 'Code?', state: Buffer.of(1) }
    for (let index = 0; index < 40; index += 1) {
      await site.show('alice', 'right', `10.0.0.${index}`, { outcome: 'challenged', challenge })
    }
    assert.equal(site.attempts, 20)
  })
})

describe('a verification without a result', () => {
  it('does not count', async () => {
    const site = new GuardedSite()
    site.verifier.down = new Error('down')
    for (let count = 0; count < 200; count += 1) {
      assert.equal(await site.outcome('alice', site.guess()), 'unavailable')
    }
    site.verifier.down = undefined
    assert.equal(await site.fail('alice', 5), 0)
  })

  it('counts where the server refused the attempt in a reply that was discarded', async () => {
    const site = new GuardedSite()
    const unsigned = { outcome: 'unavailable', cause: new Error('unsigned'), counts: true } as const
    for (let count = 0; count < 5; count += 1) {
      assert.equal((await site.show('alice', site.guess(), HOME, unsigned)).outcome, 'unavailable')
    }
    assert.equal(await site.outcome('alice', site.guess(), HOME), 1)
  })

  it('does not count when the verifier throws, and the exception reaches the caller', async () => {
    const site = new GuardedSite()
    const attempt = { user: 'alice', password: 'x', source: HOME }
    for (let count = 0; count < 20; count += 1) {
      await assert.rejects(
        site.guard.verify(attempt, () => Promise.reject(new TypeError('bug'))),
        TypeError,
      )
    }
    assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
  })

  for (const method of ['recall', 'take', 'settle', 'remember'] as const) {
    it(`is unavailable when the store fails at ${method}, and no password is accepted`, async () => {
      const clock = new FakeClock()
      const store: AttemptStore = new MemoryAttempts(clock)
      const cause = new Error('the store is down')
      const broken = new Proxy(store, {
        get: (target, key) =>
          key === method
            ? () => Promise.reject(cause)
            : (...input: never) => Reflect.apply(Reflect.get(target, key), target, input),
      })
      const site = new GuardedSite({ store: broken, clock })
      assert.deepEqual(await site.show('alice', 'right'), { outcome: 'unavailable', cause })
      assert.equal((await site.show('alice', 'wrong')).outcome, 'unavailable')
      if (method === 'recall' || method === 'take') assert.equal(site.attempts, 0)
    })
  }
})

describe('disabled brute-force protection', () => {
  it('passes every attempt to the verifier', async () => {
    const attempt = { user: 'alice', password: 'x', source: HOME }
    for (let count = 0; count < 100; count += 1) {
      const { outcome } = await unguarded.verify(attempt, async () => ({
        outcome: 'wrong-password',
      }))
      assert.equal(outcome, 'wrong-password')
    }
    assert.equal(unguarded.waitOf('alice', HOME), 0)
  })
})
