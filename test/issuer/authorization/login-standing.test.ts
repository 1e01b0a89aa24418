// Whether a login is still good: known, after any sign-out of its user, and vouched for.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { grantStanding, loginStanding } from '../../../src/issuer/authorization/login-standing.ts'
import type { KnownAccount } from '../../../src/issuer/authorization/accounts.ts'

const BEGAN = 1_000_000

interface Known {
  readonly account?: KnownAccount | undefined
  readonly signedOut?: number
  readonly vouched?: 'stands' | 'ended' | Error
}

const ALICE: KnownAccount = { subject: 'alice', claims: {}, resources: {}, began: BEGAN }

const standingOf = async ({ account, signedOut = 0, vouched = 'stands' }: Known) =>
  await loginStanding({
    accounts: { find: async () => account },
    signOuts: { lastOf: async (user) => (user === 'alice' ? signedOut : 0) },
    vouching: async () => {
      if (vouched instanceof Error) throw vouched
      return vouched
    },
  })('login-1')

describe('a login', () => {
  const CASES: readonly (Known & { readonly name: string; readonly want: 'stands' | 'ended' })[] = [
    { name: 'stands where nothing ended it', account: ALICE, want: 'stands' },
    { name: 'has ended where nothing is known of it', account: undefined, want: 'ended' },
    {
      name: 'stands where it began after a sign-out',
      account: ALICE,
      signedOut: BEGAN - 1,
      want: 'stands',
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
      vouched: 'ended',
      want: 'ended',
    },
  ]
  for (const { name, want, ...known } of CASES) {
    it(name, async () => {
      assert.equal(await standingOf(known), want)
    })
  }

  it('is not known where whoever vouches for it cannot be asked', async () => {
    await assert.rejects(standingOf({ account: ALICE, vouched: new Error('down') }), /down/)
  })
})

describe('a grant', () => {
  const standing = grantStanding(
    { ofGrant: async (grant) => (grant === 'grant-1' ? 'login-1' : undefined) },
    async (login) => (login === 'login-1' ? 'stands' : 'ended'),
  )

  it('is as good as its login', async () => {
    assert.equal(await standing('grant-1'), 'stands')
  })

  it('has ended where there is none of that id', async () => {
    assert.equal(await standing('grant-2'), 'ended')
  })
})
