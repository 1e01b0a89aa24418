// The guard before the verifiers: who has to wait, for how long, and what does not count.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unguarded } from '../../../src/authenticate/password/guard.ts'
import type { Verification } from '../../../src/authenticate/password/verifier.ts'
import type { AttemptStore } from '../../../src/state/attempt-store.ts'
import { MemoryAttempts } from '../../../src/state/memory.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { ELSEWHERE, GuardedSite, HOME, MINUTE, SECOND } from './guarding.ts'

describe('guesses at one user from one address', () => {
  it('cost nothing five times, then more each time, and then a lock-out', async () => {
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

  it('are refused meanwhile whatever the password, and the directory is not asked', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    const { asked } = site
    assert.equal(await site.outcome('alice', 'right'), 15 * 60)
    assert.equal(await site.outcome('ALICE', 'right'), 15 * 60)
    site.clock.advance(15 * MINUTE - 1)
    assert.equal(await site.outcome('alice', 'right'), 1)
    assert.equal(site.asked, asked)
    site.clock.advance(1)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
  })

  it('that are refused do not prolong it', async () => {
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

  it('are forgotten by a success', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 9)
    site.clock.advance(16 * SECOND)
    assert.equal(await site.outcome('alice', 'right'), 'verified')
    assert.equal(await site.fail('alice', 5), 0)
    assert.equal(await site.outcome('alice', site.guess()), 1)
  })

  it('let other users and other addresses alone', async () => {
    const site = new GuardedSite()
    await site.fail('alice', 10)
    assert.equal(await site.outcome('bob', 'right'), 'verified')
    assert.equal(await site.outcome('alice', 'right', ELSEWHERE), 'verified')
  })

  it('are one user’s in any spelling, and one source’s in any of its addresses', async () => {
    const site = new GuardedSite()
    const names = ['alice', 'Alice', 'ALICE', 'álice', 'alice ']
    for (const [index, name] of names.entries()) {
      await site.show(name, site.guess(), `2001:db8::${index}`)
    }
    assert.equal(await site.outcome('alice', 'right', '2001:db8::ff'), 1)
    assert.equal(await site.outcome('alice', 'right', '2001:db8:0:1::ff'), 'verified')
  })
})

describe('a user who does not exist', () => {
  it('is answered like one who does, guess by guess', async () => {
    const site = new GuardedSite()
    for (let count = 0; count < 40; count += 1) {
      const known = await site.outcome('alice', site.guess(), HOME)
      const unknown = await site.outcome('nobody', site.guess(), ELSEWHERE)
      assert.equal(unknown, known === 'wrong-password' ? 'unknown-user' : known)
      site.clock.advance(500)
    }
    assert.deepEqual(
      site.verifier.asked.filter(({ user }) => user === 'alice').length,
      site.verifier.asked.filter(({ user }) => user === 'nobody').length,
    )
  })
})

describe('an account that is barred', () => {
  it('counts like any other: what did not count would tell that the password is right', async () => {
    const site = new GuardedSite({ users: { eve: { password: 'right', disabled: true } } })
    await site.fail('eve', 4)
    assert.equal(await site.outcome('eve', 'right'), 'barred')
    assert.equal(await site.outcome('eve', 'right'), 1)
  })

  it('is named by the same reason when the password is shown again', async () => {
    const site = new GuardedSite({ users: { eve: { password: 'right', disabled: true } } })
    await site.show('eve', 'right')
    assert.deepEqual(await site.show('eve', 'right'), { outcome: 'barred', code: 'user-disabled' })
    assert.equal(site.asked, 1)
  })
})

describe('a second factor that is asked for', () => {
  it('counts until it is given', async () => {
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

  it('counts for the user as a whole failure, wherever the password comes from', async () => {
    const site = new GuardedSite()
    const challenge = { message: 'Code?', state: Buffer.of(1) }
    for (let index = 0; index < 40; index += 1) {
      await site.show('alice', 'right', `10.0.0.${index}`, { outcome: 'challenged', challenge })
    }
    assert.equal(site.asked, 20)
  })
})

describe('what cannot be found out', () => {
  it('does not count', async () => {
    const site = new GuardedSite()
    site.verifier.down = new Error('down')
    for (let count = 0; count < 200; count += 1) {
      assert.equal(await site.outcome('alice', site.guess()), 'unavailable')
    }
    site.verifier.down = undefined
    assert.equal(await site.fail('alice', 5), 0)
  })

  it('does not count either when the verifier has a bug, which goes on to whoever asked', async () => {
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

  for (const method of ['recall', 'take', 'settle', 'note'] as const) {
    it(`because the store fails at ${method}: unavailable, and no password is taken`, async () => {
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
      if (method === 'recall' || method === 'take') assert.equal(site.asked, 0)
    })
  }
})

describe('no guard', () => {
  it('asks about everything', async () => {
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
