// Users of the users file are looked up again while they are logged in: who is removed, disabled or has another
// password loses everything that the login gave out, and groups are those of now.
//
// Slow: it waits until sessions are checked again.

import { until } from '../fakes/until.ts'
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  assertEverything,
  assertNothing,
  loggedInFully,
  RECHECK_MS,
  startOffboarding,
  withNewPassword,
  type LoggedIn,
} from './offboarding.ts'
import { ALICE, BOB } from './session/browsing.ts'

const groupsOf = async (user: LoggedIn): Promise<string | undefined> => {
  const outcome = await user.seen()
  return outcome.allow ? outcome.set['x-remote-group'] : undefined
}

/** Waits until the session has ended. */
const ended = async (user: LoggedIn): Promise<void> =>
  await until(async () => !(await user.hasSession()), 'the session goes on')

describe('the recheck of a login by the users file', () => {
  const ENDS = [
    {
      name: 'is removed',
      edit: (text: string) => text.replace(/ *alice:.*\n/, ''),
      detail: 'user-unknown',
    },
    {
      name: 'is disabled',
      edit: (text: string) => text.replace(/(alice: \{)/, '$1 disabled: true,'),
      detail: 'user-disabled',
    },
    { name: 'has a new password', edit: withNewPassword, detail: 'password-changed' },
  ]
  for (const { name, edit, detail } of ENDS) {
    it(`ends sessions and tokens when the user ${name}`, async () => {
      await using site = await startOffboarding()
      const [alice, bob] = [await loggedInFully(site, ALICE), await loggedInFully(site, BOB)]
      await assertEverything(alice)
      await site.edit('users.yaml', edit)
      await ended(alice)
      await assertNothing(alice)
      await assertEverything(bob)
      const events = await site.audit('login-ended')
      assert.deepEqual(
        events.map(({ user, loginMethod, authenticator, cause, detail: why }) => [
          user,
          loginMethod,
          authenticator,
          cause,
          why,
        ]),
        [['alice', 'password', 'staff', 'recheck', detail]],
      )
    })
  }

  // Without the session, which asks first in the tests above.
  const USES = [
    {
      name: 'a refresh token',
      isRefused: async (user: LoggedIn) => (await user.refresh()) === 'invalid_grant',
    },
    {
      name: 'single sign-on',
      isRefused: async (user: LoggedIn) => !(await user.hasSingleSignOn()),
    },
    {
      name: 'token exchange',
      isRefused: async (user: LoggedIn) => (await user.exchange()) !== undefined,
    },
    {
      name: 'the userinfo endpoint',
      isRefused: async (user: LoggedIn) => !(await user.hasUserInfo()),
    },
    { name: 'introspection', isRefused: async (user: LoggedIn) => !(await user.isActive()) },
  ]
  for (const { name, isRefused } of USES) {
    it(`is made for ${name} alone`, async () => {
      await using site = await startOffboarding()
      const alice = await loggedInFully(site, ALICE)
      assert.equal(await isRefused(alice), false)
      await site.edit('users.yaml', (text) => text.replace(/(alice: \{)/, '$1 disabled: true,'))
      await until(async () => await isRefused(alice), `${name} is still accepted`)
      await assertNothing(alice)
    })
  }

  it('keeps the login with the present groups, in the session and in new tokens', async () => {
    await using site = await startOffboarding()
    const alice = await loggedInFully(site, ALICE)
    assert.equal(await groupsOf(alice), 'dev,ops')
    assert.deepEqual(await alice.refresh(), ['dev', 'ops'])
    await site.edit('users.yaml', (text) => text.replace('[dev, ops]', '[dev]'))
    await until(async () => (await groupsOf(alice)) === 'dev', 'the session has the old groups')
    assert.deepEqual(await alice.refresh(), ['dev'])
    await assertEverything(alice)
    const renewed = await site.audit('login-renewed')
    assert.deepEqual(
      renewed.map(({ user, groups, loginMethod, authenticator }) => [
        user,
        groups,
        loginMethod,
        authenticator,
      ]),
      [['alice', ['dev'], 'password', 'staff']],
    )
  })

  it('ends the login when the password has changed, and keeps a login by the new one', async () => {
    await using site = await startOffboarding()
    const before = await loggedInFully(site, ALICE)
    await site.edit('users.yaml', withNewPassword)
    const after = await loggedInFully(site, ['alice', 'another'])
    await ended(before)
    await assertNothing(before)
    await assertEverything(after)
  })

  it('ends every other login of the user when the user is removed', async () => {
    await using site = await startOffboarding()
    const [one, other] = [await loggedInFully(site, ALICE), await loggedInFully(site, ALICE)]
    await site.edit('users.yaml', (text) => text.replace(/ *alice:.*\n/, ''))
    await ended(one)
    assert.equal(await other.hasSingleSignOn(), false)
    await assertNothing(other)
  })

  it('ends the login when the user’s name becomes reserved', async () => {
    await using site = await startOffboarding()
    const alice = await loggedInFully(site, ALICE)
    await site.edit('users.yaml', (text) => text.replace('[dev, ops]', '["system:masters"]'))
    await ended(alice)
    await assertNothing(alice)
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'identity-reserved')
  })

  it('writes no audit event while nothing changes', async () => {
    await using site = await startOffboarding()
    const alice = await loggedInFully(site, ALICE)
    const end = performance.now() + 3 * RECHECK_MS
    await until(async () => {
      assert.equal(await alice.hasSession(), true)
      return performance.now() > end
    }, 'time stands still')
    await assertEverything(alice)
    assert.deepEqual(await site.audit('login-renewed'), [])
    assert.deepEqual(await site.audit('login-ended'), [])
  })

  it('ends the login when its authenticator is removed from the login page', async () => {
    await using site = await startOffboarding((yaml) =>
      yaml
        .replace('authenticators: [staff]\n', 'authenticators: [staff, others]\n')
        .replace(
          'authenticators:\n  tokens',
          'authenticators:\n  others: { basic: { realm: Test, verify: [{ users: { file: users.yaml } }] } }\n  tokens',
        ),
    )
    const alice = await loggedInFully(site, ALICE)
    await site.edit('countersign.yaml', (yaml) => yaml.replace('[staff, others]', '[others]'))
    await ended(alice)
    await assertNothing(alice)
    assert.equal((await site.audit('login-ended'))[0]?.['detail'], 'it is not configured')
  })
})
