// Whether a login is still good: known, after any sign-out of its user, and vouched for.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grantStatusLookup, loginStatusLookup } from '../../src/logins/status.ts'
import type { KnownAccount } from '../../src/logins/accounts.ts'

const BEGAN = 1_000_000

interface Known {
  readonly account?: KnownAccount | undefined
  readonly signedOut?: number
  readonly rechecked?: 'active' | 'ended' | Error
}

const ALICE: KnownAccount = { subject: 'alice', claims: {}, resources: {}, began: BEGAN }

const standingOf = async ({ account, signedOut = 0, rechecked = 'active' }: Known) =>
  await loginStatusLookup({
    accounts: { find: async () => account },
    revocationMarks: { lastOf: async (user) => (user === 'alice' ? signedOut : 0) },
    recheck: async () => {
      if (rechecked instanceof Error) throw rechecked
      return rechecked
    },
  })('login-1')

describe('a login', () => {
  const CASES: readonly (Known & { readonly name: string; readonly want: 'active' | 'ended' })[] = [
    { name: 'stands where nothing ended it', account: ALICE, want: 'active' },
    { name: 'has ended where nothing is known of it', account: undefined, want: 'ended' },
    {
      name: 'stands where it began after a sign-out',
      account: ALICE,
      signedOut: BEGAN - 1,
      want: 'active',
    },
    {
      name: 'has ended where it began in the moment of a sign-out',
      account: ALICE,
      signedOut: BEGAN,
      want: 'ended',
    },
    {
      name: 'has ended by a sign-out although its record was put back',
      account: ALICE,
      signedOut: BEGAN + 1,
      want: 'ended',
    },
    {
      name: 'has ended where it is not vouched for',
      account: ALICE,
      rechecked: 'ended',
      want: 'ended',
    },
  ]
  for (const { name, want, ...known } of CASES) {
    it(name, async () => {
      assert.equal(await standingOf(known), want)
    })
  }

  it('is not known where whoever vouches for it cannot be asked', async () => {
    await assert.rejects(standingOf({ account: ALICE, rechecked: new Error('down') }), /down/)
  })
})

describe('a grant', () => {
  const standing = grantStatusLookup(
    { ofGrant: async (grant) => (grant === 'grant-1' ? 'login-1' : undefined) },
    async (login) => (login === 'login-1' ? 'active' : 'ended'),
  )

  it('is as good as its login', async () => {
    assert.equal(await standing('grant-1'), 'active')
  })

  it('has ended where there is none of that id', async () => {
    assert.equal(await standing('grant-2'), 'ended')
  })
})
