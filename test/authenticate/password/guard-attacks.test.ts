// Attacks against the default rules, on a fake clock: how many guesses reach the directory, and which logins of users
// are refused meanwhile.
//
// Slow: it simulates months of attacks.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomFrom } from '../../fakes/random.ts'
import { countedSource } from '../../../src/runtime/counted-source.ts'
import { DAY, GuardedSite, HOME, HOUR, MINUTE, SECOND } from './guarding.ts'

const ATTACKER = '198.51.100.1'

const addressOf = (index: number): string => `10.0.${index >> 8}.${index & 255}`

/** The next guess of an attack, and its source address. */
type Next = (index: number) => { readonly user: string; readonly source: string }

interface Attack {
  readonly guesses: number
  /** Milliseconds between two guesses. */
  readonly pause: number
  readonly next: Next
}

/** Runs an attack while alice logs in from home every minute. Yields how many guesses were verified. */
const attack = async (site: GuardedSite, { guesses, pause, next }: Attack) => {
  const logins: (string | number)[] = []
  let login = 0
  for (let index = 0; index < guesses; index += 1) {
    if (site.clock.monotonic() >= login) {
      logins.push(await site.outcome('alice', 'right', HOME))
      login += MINUTE
    }
    const { user, source } = next(index)
    await site.show(user, `guess ${index}`, source)
    site.clock.advance(pause)
  }
  const verified = site.verifier.attempts.filter(({ source }) => source !== HOME)
  return { verified: verified.length, lasted: site.clock.monotonic(), logins: new Set(logins) }
}

describe('thousands of guesses', () => {
  const ATTACKS: readonly (Attack & { readonly name: string; readonly most: number })[] = [
    {
      name: 'at one user from one address in 100 s: the first ten, with pauses',
      guesses: 10_000,
      pause: 10,
      next: () => ({ user: 'alice', source: ATTACKER }),
      most: 10,
    },
    {
      name: 'at one user from one address in a day: about four an hour',
      guesses: 10_000,
      pause: DAY / 10_000,
      next: () => ({ user: 'alice', source: ATTACKER }),
      most: 10 + 24 * 4,
    },
    {
      name: 'at one user from 1,000 addresses in 100 s: as many as one user may have',
      guesses: 10_000,
      pause: 10,
      next: (index) => ({ user: 'alice', source: addressOf(index % 1_000) }),
      most: 30,
    },
    {
      name: 'at one user from 1,000 addresses in a day: one an hour more',
      guesses: 10_000,
      pause: DAY / 10_000,
      next: (index) => ({ user: 'alice', source: addressOf(index % 1_000) }),
      most: 30 + 24,
    },
    {
      name: 'at 10,000 users from one address in 100 s: as many as one address may have',
      guesses: 10_000,
      pause: 10,
      next: (index) => ({ user: `user${index}`, source: ATTACKER }),
      most: 36,
    },
    {
      name: 'at 10,000 users from one address in a day: one in two minutes more',
      guesses: 10_000,
      pause: DAY / 10_000,
      next: (index) => ({ user: `user${index}`, source: ATTACKER }),
      most: 36 + (24 * 60) / 2,
    },
    {
      name: 'at 2,000 users from one IPv6 network in 20 s: as from one address',
      guesses: 2_000,
      pause: 10,
      next: (index) => ({ user: `user${index}`, source: `2001:db8:0:1::${index.toString(16)}` }),
      most: 36,
    },
    {
      name: 'at one user in 2,000 spellings from one address each: as at one user',
      guesses: 2_000,
      pause: 10,
      next: (index) => ({ user: spelling('administrator', index), source: addressOf(index) }),
      most: 30,
    },
  ]
  for (const { name, most, ...parts } of ATTACKS) {
    it(name, async (t) => {
      const site = new GuardedSite()
      const { verified, lasted, logins } = await attack(site, parts)
      t.diagnostic(`${verified} of ${parts.guesses} were verified in ${lasted / SECOND} s`)
      assert.ok(verified <= most, `${verified} were verified`)
      assert.ok(verified > 0)
      assert.deepEqual(logins, new Set(['verified']))
    })
  }

  it('at 100 users from 1,000 addresses: as many as those users may have', async (t) => {
    const site = new GuardedSite()
    const { verified } = await attack(site, {
      guesses: 4_000,
      pause: 10,
      next: (index) => ({ user: `user${index % 100}`, source: addressOf(index % 997) }),
    })
    t.diagnostic(`${verified} of 4000 were verified`)
    assert.ok(verified <= 100 * 30)
  })

  it('from a user’s own address lock the user out there, which is the known limit of this protection', async () => {
    const site = new GuardedSite()
    const { logins } = await attack(site, {
      guesses: 2_000,
      pause: 100,
      next: () => ({ user: 'alice', source: HOME }),
    })
    assert.ok(logins.size > 1)
    assert.equal(await site.outcome('alice', 'right', ATTACKER), 'verified')
  })
})

const spelling = (name: string, index: number): string =>
  name
    .split('')
    .map((letter, at) => (((index >> at) & 1) === 1 ? letter.toUpperCase() : letter))
    .join('')

describe('a user with typing errors', () => {
  it('may mistype four times in a row, every day', async () => {
    const site = new GuardedSite()
    for (let day = 0; day < 30; day += 1) {
      assert.equal(await site.fail('alice', 4, HOME), 0)
      assert.equal(await site.outcome('alice', 'right', HOME), 'verified')
      site.clock.advance(DAY)
    }
    assert.deepEqual(site.lockOuts, [])
  })

  it('may be one of 500 behind one address, one in twenty of which mistypes, within an hour', async () => {
    const users = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`user${index}`, { password: 'right' }]),
    )
    const site = new GuardedSite({ users })
    for (const [index, user] of Object.keys(users).entries()) {
      if (index % 20 === 0) await site.fail(user, 1, HOME)
      assert.equal(await site.outcome(user, 'right', HOME), 'verified')
      site.clock.advance(HOUR / 500)
    }
  })
})

describe('any attack', () => {
  for (const seed of [11, 12, 13, 14]) {
    it(`no count is exceeded in any hour (seed ${seed})`, async () => {
      const below = randomFrom(seed)
      const site = new GuardedSite({ users: {} })
      const seen: { readonly at: number; readonly pair: string; user: string; source: string }[] =
        []
      for (let index = 0; index < 4_000; index += 1) {
        const user = `user${below(4)}`
        const source = `2001:db8:0:${below(6)}::${below(1_000)}`
        const { attempts } = site
        await site.show(user, `guess ${index}`, source)
        if (site.attempts > attempts) {
          const network = countedSource(source, 64)
          const at = site.clock.monotonic()
          seen.push({ at, user, source: network, pair: `${user} ${network}` })
        }
        site.clock.advance(below(10) === 0 ? below(10 * MINUTE) : below(3 * SECOND))
      }
      // In an hour: the attempts of the start, and those that are forgotten meanwhile.
      const LIMITS = { pair: 10 + 4, user: 30 + 1, source: 36 + 30 } as const
      for (const kind of ['pair', 'user', 'source'] as const) {
        for (const group of Map.groupBy(seen, (each) => each[kind]).values()) {
          for (const { at } of group) {
            const hour = group.filter((other) => other.at >= at && other.at < at + HOUR)
            assert.ok(hour.length <= LIMITS[kind], `${hour.length} of one ${kind}`)
          }
        }
      }
    })
  }
})
