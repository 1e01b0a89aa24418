// The contract of every password verifier. Each implementation, and the fake, run these tests.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type {
  VerifiedUser,
  PasswordVerifier,
  Verification,
} from '../../../src/authenticate/password/verifier.ts'
import { CALLER, callerUntil } from '../../fakes/caller.ts'

/** The users that a verifier under test must have. */
export const CONFORMANCE_USERS = {
  alice: { password: 'correct horse', disabled: false },
  jürgen: { password: 'pässwörd 😀', disabled: false },
  eve: { password: 'battery staple', disabled: true },
} as const

/** Registers the tests for one implementation. */
export const verifierConformance = (
  name: string,
  create: () => Promise<PasswordVerifier>,
): void => {
  const outcomeOf = async (user: string, password: string): Promise<Verification['outcome']> =>
    (await (await create()).verify(user, password, CALLER)).outcome

  describe(`${name} is a password verifier: it`, () => {
    for (const [user, { password, disabled }] of Object.entries(CONFORMANCE_USERS)) {
      const want = disabled ? 'barred' : 'verified'
      it(`says ${want} of ${user}`, async () => assert.equal(await outcomeOf(user, password), want))

      it(`says wrong-password of ${user} for every other password`, async () => {
        const others = [`${password}x`, password.slice(1), password.toUpperCase(), 'x', ' ', '*']
        for (const other of others) {
          assert.equal(await outcomeOf(user, other), 'wrong-password', other)
        }
      })
    }

    it('yields the credential of a verified user', async () => {
      const { password } = CONFORMANCE_USERS.alice
      const verification = await (await create()).verify('alice', password, CALLER)
      assert.equal(verification.outcome, 'verified')
      const { user, groups, extra }: VerifiedUser = verification.user
      assert.deepEqual({ user, groups, extra }, { user: 'alice', groups: [], extra: {} })
    })

    it('accepts the password of one user for that user only', async () => {
      assert.equal(await outcomeOf('alice', CONFORMANCE_USERS.eve.password), 'wrong-password')
    })

    const STRANGERS = ['mallory', '*', 'alice,jürgen', '__proto__', 'constructor', 'toString']
    for (const stranger of STRANGERS) {
      it(`says unknown-user of ${stranger}`, async () => {
        for (const { password } of Object.values(CONFORMANCE_USERS)) {
          assert.equal(await outcomeOf(stranger, password), 'unknown-user')
        }
      })
    }

    it('looks up an account by the reference of its credential, unless there is none', async () => {
      const verifier = await create()
      for (const userName of ['alice', 'jürgen'] as const) {
        const proven = await verifier.verify(userName, CONFORMANCE_USERS[userName].password, CALLER)
        assert.equal(proven.outcome, 'verified')
        const { account, user } = proven
        const lookup = await verifier.lookup(account ?? '{"kind":"none"}', CALLER.signal)
        const want =
          account === undefined ? { outcome: 'unsupported' } : { outcome: 'current', user }
        assert.deepEqual(lookup, want)
      }
    })

    it('has no password in a reference', async () => {
      const { password } = CONFORMANCE_USERS.alice
      const proven = await (await create()).verify('alice', password, CALLER)
      assert.equal(proven.outcome, 'verified')
      assert.ok(!(proven.account ?? '').includes(password))
    })

    it('resolves for unusual input', async () => {
      const odd = ['x'.repeat(3_000), '😀'.repeat(500), "' OR 1=1 --", ')(uid=*)', '$2b$04$', '%s']
      for (const text of odd) {
        assert.equal(await outcomeOf(text, text), 'unknown-user', text)
        assert.equal(await outcomeOf('alice', text), 'wrong-password', text)
      }
    })

    it('answers concurrent verifications, each for its own user', async () => {
      const verifier = await create()
      const { password } = CONFORMANCE_USERS.alice
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const right = index % 3 === 0
          return await verifier.verify('alice', right ? password : `${index}`, CALLER)
        }),
      )
      for (const [index, { outcome }] of outcomes.entries()) {
        assert.equal(outcome, index % 3 === 0 ? 'verified' : 'wrong-password')
      }
    })

    it('says unavailable for a cancelled verification', async () => {
      const { password } = CONFORMANCE_USERS.alice
      const verification = await (
        await create()
      ).verify('alice', password, callerUntil(AbortSignal.abort()))
      assert.equal(verification.outcome, 'unavailable')
    })
  })
}
