// The result of a bind, as different servers encode it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DirectoryError } from '../../../../src/clients/ldap/failure.ts'
import { readBind, type BindOutcome } from '../../../../src/authenticate/password/ldap/outcome.ts'

describe('the result of a bind', () => {
  const CASES: readonly {
    readonly name: string
    readonly code: number
    readonly policyError?: number
    readonly want: BindOutcome
  }[] = [
    { name: 'success', code: 0, want: { outcome: 'right' } },
    { name: 'wrong, or unknown', code: 49, want: { outcome: 'wrong-password' } },
    { name: 'an entry without a password', code: 48, want: { outcome: 'wrong-password' } },
    { name: 'no such entry', code: 32, want: { outcome: 'unknown-user' } },
    {
      name: 'expired, in OpenLDAP',
      code: 49,
      policyError: 0,
      want: { outcome: 'barred', code: 'password-expired' },
    },
    {
      name: 'locked, in OpenLDAP',
      code: 49,
      policyError: 1,
      want: { outcome: 'barred', code: 'user-locked' },
    },
    {
      name: 'locked, in 389 Directory Server',
      code: 19,
      policyError: 1,
      want: { outcome: 'barred', code: 'user-locked' },
    },
    {
      name: 'inactivated, in 389 Directory Server',
      code: 53,
      policyError: 1,
      want: { outcome: 'barred', code: 'user-locked' },
    },
    {
      name: 'a success after a reset',
      code: 0,
      policyError: 2,
      want: { outcome: 'barred', code: 'password-must-change' },
    },
    {
      name: 'a policy error that is not about binds',
      code: 49,
      policyError: 8,
      want: { outcome: 'wrong-password' },
    },
  ]
  for (const { name, code, policyError, want } of CASES) {
    it(`can be ${name}`, () =>
      assert.deepEqual(readBind({ code, diagnostic: '', policyError }, 'ldap://x'), want))
  }

  const FAILURES: readonly (readonly [code: number, failure: string])[] = [
    [1, 'answered'],
    [8, 'answered'],
    [10, 'answered'],
    [13, 'answered'],
    [51, 'busy'],
    [52, 'busy'],
    [53, 'answered'],
    [80, 'answered'],
  ]
  for (const [code, failure] of FAILURES) {
    it(`with result code ${code} is unavailable, and names the server`, () => {
      assert.throws(
        () => readBind({ code, diagnostic: 'secret' }, 'ldap://x'),
        (cause) =>
          cause instanceof DirectoryError &&
          cause.failure === failure &&
          cause.message.startsWith('ldap://x ') &&
          !cause.message.includes('secret'),
      )
    })
  }
})
