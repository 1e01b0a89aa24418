// Whether a login is active: known, begun after any sign-out of its user, and confirmed by the recheck.

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

const statusOf = async ({ account, signedOut = 0, rechecked = 'active' }: Known) =>
  await loginStatusLookup({
    accounts: { find: async () => account },
    revocationMarks: { lastOf: async (user) => (user === 'alice' ? signedOut : 0) },
    recheck: async () => {
      if (rechecked instanceof Error) throw rechecked
      return rechecked
    },
  })('login-1')

describe('the status of a login', () => {
  const CASES: readonly (Known & { readonly name: string; readonly want: 'active' | 'ended' })[] = [
    { name: 'is active where nothing has ended it', account: ALICE, want: 'active' },
    { name: 'is ended where the login is unknown', account: undefined, want: 'ended' },
    {
      name: 'is active where it began after a sign-out',
      account: ALICE,
      signedOut: BEGAN - 1,
      want: 'active',
    },
    {
      name: 'is ended where it began in the moment of a sign-out',
      account: ALICE,
      signedOut: BEGAN,
      want: 'ended',
    },
    {
      name: 'is ended after a sign-out, even where its record was restored',
      account: ALICE,
      signedOut: BEGAN + 1,
      want: 'ended',
    },
    {
      name: 'is ended where the recheck ends it',
      account: ALICE,
      rechecked: 'ended',
      want: 'ended',
    },
  ]
  for (const { name, want, ...known } of CASES) {
    it(name, async () => {
      assert.equal(await statusOf(known), want)
    })
  }

  it('is an error where the recheck fails', async () => {
    await assert.rejects(statusOf({ account: ALICE, rechecked: new Error('down') }), /down/)
  })
})

describe('the status of a grant', () => {
  const statusOfGrant = grantStatusLookup(
    { ofGrant: async (grant) => (grant === 'grant-1' ? 'login-1' : undefined) },
    async (login) => (login === 'login-1' ? 'active' : 'ended'),
  )

  it('is that of its login', async () => {
    assert.equal(await statusOfGrant('grant-1'), 'active')
  })

  it('is ended where the grant is unknown', async () => {
    assert.equal(await statusOfGrant('grant-2'), 'ended')
  })
})
