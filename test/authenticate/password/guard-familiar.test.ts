// Brute-force protection under attack from other addresses, and from an address that is shared.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  addresses,
  DAY,
  ELSEWHERE,
  guessFrom,
  GuardedSite,
  HOME,
  MINUTE,
  SECOND,
} from './guarding.ts'

describe('a user under attack from elsewhere', () => {
  it('receives the guesses that one user may have, whatever their addresses', async () => {
    const site = new GuardedSite()
    await guessFrom(site, 'alice', addresses(1_000))
    assert.equal(site.attempts, 20)
    site.clock.advance(SECOND)
    await guessFrom(site, 'alice', addresses(1_000, '10.1'))
    assert.equal(site.attempts, 21)
  })

  it('is accepted at once from a familiar address', async () => {
    const site = new GuardedSite()
    assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
    await site.fail('alice', 30, ELSEWHERE)
    await guessFrom(site, 'alice', addresses(1_000))
    assert.equal(typeof (await site.outcome('alice', 'right', '10.9.9.9')), 'number')
    assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
    site.clock.advance(29 * DAY)
    await guessFrom(site, 'alice', addresses(1_000))
    assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
  })

  it('is not accepted from an address that is familiar for another user of the same folded name', async () => {
    const site = new GuardedSite({
      users: { álice: { password: 'own' }, alice: { password: 'x' } },
    })
    assert.equal(await site.outcome('álice', 'own', ELSEWHERE), 'verified')
    await guessFrom(site, 'alice', addresses(1_000))
    assert.equal(await site.outcome('alice', site.guess(), ELSEWHERE), 1)
    assert.equal(await site.outcome('álice', 'own', ELSEWHERE), 'verified')
  })

  it('is not accepted from an address that was familiar long ago', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'right', HOME)
    site.clock.advance(30 * DAY)
    await guessFrom(site, 'alice', addresses(1_000))
    assert.equal(await site.outcome('alice', 'right', HOME), 1)
  })

  it('grants guessers at other addresses no attempts by logging in from a familiar address', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'right', HOME)
    for (let minute = 0; minute < 60; minute += 1) {
      await guessFrom(site, 'alice', addresses(100, `10.${minute}`))
      assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
      site.clock.advance(MINUTE)
    }
    const guesses = site.verifier.attempts.filter(({ source }) => source !== HOME).length
    assert.ok(guesses <= 31, `${guesses} guesses in an hour`)
  })

  it('grants guessers at the same address no attempts by logging in every minute', async () => {
    const site = new GuardedSite()
    let guesses = 0
    let refused = 0
    for (let second = 0; second < 3_600; second += 1) {
      const outcome = await site.outcome('alice', site.guess(), HOME)
      if (outcome === 'wrong-password') guesses += 1
      if (second % 60 === 30) {
        const own = await site.outcome('alice', 'right', HOME)
        if (own !== 'verified') refused += 1
      }
      site.clock.advance(SECOND)
    }
    assert.ok(guesses <= 20, `${guesses} guesses in an hour`)
    assert.ok(refused > 0, 'this is what it costs the user')
  })

  it('grants slow guessers at the same address no attempts by logging in every minute', async () => {
    const site = new GuardedSite()
    let guesses = 0
    for (let minute = 0; minute < 60; minute += 1) {
      for (let count = 0; count < 4; count += 1) {
        if ((await site.outcome('alice', site.guess(), HOME)) === 'wrong-password') guesses += 1
      }
      await site.show('alice', 'right', HOME)
      site.clock.advance(MINUTE)
    }
    assert.ok(guesses <= 30, `${guesses} guesses in an hour`)
  })

  it('may mistype nine times, and again a quarter of an hour later', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'right', HOME)
    for (let round = 0; round < 5; round += 1) {
      site.clock.advance(15 * MINUTE)
      assert.equal(await site.fail('alice', 9, HOME), 15 * SECOND)
      site.clock.advance(16 * SECOND)
      assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
    }
  })

  it('has the failures at the own address forgotten, and not those at other addresses', async () => {
    const site = new GuardedSite()
    await guessFrom(site, 'alice', addresses(15))
    await site.fail('alice', 4, HOME)
    await site.show('alice', 'right', HOME)
    const { attempts } = site
    await guessFrom(site, 'alice', addresses(10, '10.1'))
    assert.equal(site.attempts, attempts + 5)
    assert.equal(await site.outcome('alice', 'right', '10.9.9.9'), 1)
  })
})

describe('one address that guesses at many users', () => {
  it('waits after thirty failures, and is locked out after thirty-six', async () => {
    const site = new GuardedSite()
    for (let index = 0; index < 1_000; index += 1) {
      await site.show(`user${index}`, 'Winter2026', ELSEWHERE)
    }
    assert.equal(site.attempts, 30)
    assert.deepEqual(site.lockOuts, [])
    // The last user exists and is not named: the lock-out is caused by the address.
    for (const user of ['one', 'two', 'three', 'four', 'five', 'bob']) {
      await site.fail(user, 1, ELSEWHERE)
    }
    assert.deepEqual(
      site.lockOuts.map(({ count, user, source }) => ({ count, user, source })),
      [{ count: 'source', user: undefined, source: ELSEWHERE }],
    )
  })

  it('gains no attempts by logging in to an account of its own', async () => {
    const site = new GuardedSite()
    for (let index = 0; index < 1_000; index += 1) {
      await site.show(`user${index}`, 'Winter2026', ELSEWHERE)
      await site.show('bob', 'right', ELSEWHERE)
    }
    const guesses = site.verifier.attempts.filter(({ user }) => user !== 'bob').length
    assert.equal(guesses, 30)
  })

  it('is still accepted for users with a familiar address, and refused for other users', async () => {
    const site = new GuardedSite()
    await site.show('alice', 'right', ELSEWHERE)
    for (let index = 0; index < 1_000; index += 1) {
      await site.show(`user${index}`, 'Winter2026', ELSEWHERE)
    }
    assert.equal(await site.outcome('alice', 'right', ELSEWHERE), 'verified')
    assert.equal(await site.outcome('bob', 'right', ELSEWHERE), 1)
  })
})

describe('concurrent attempts', () => {
  it('guesses at one user from one address: five are verified', async () => {
    const site = new GuardedSite()
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const guesses = Array.from({ length: 500 }, () => site.outcome('alice', site.guess(), HOME))
    gate.resolve()
    await Promise.all(guesses)
    assert.equal(site.attempts, 5)
  })

  it('logins of 100 users from one address: all are verified', async () => {
    const users = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`user${index}`, { password: 'right' }]),
    )
    const site = new GuardedSite({ users })
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const logins = Object.keys(users).map((user) => site.outcome(user, 'right', HOME))
    gate.resolve()
    assert.deepEqual(new Set(await Promise.all(logins)), new Set(['verified']))
    assert.equal(await site.fail('stranger', 5, HOME), 0)
  })

  it('guesses at many users from one address: at most four times as many as one after another', async () => {
    const site = new GuardedSite()
    const gate = Promise.withResolvers<void>()
    site.verifier.ready = gate.promise
    const guesses = Array.from({ length: 1_000 }, (_, index) =>
      site.outcome(`user${index}`, 'Winter2026', HOME),
    )
    gate.resolve()
    await Promise.all(guesses)
    assert.ok(site.attempts <= 120, `${site.attempts}`)
    assert.equal(await site.outcome('other', 'Winter2026', HOME), 15 * 60)
  })
})
