// The status of an account by its entry, without a password, attribute by attribute.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  accountEndOf,
  entryKeyOf,
  passwordStampOf,
} from '../../../../src/authenticate/password/ldap/account.ts'
import { DirectoryError } from '../../../../src/clients/ldap/failure.ts'
import type { Entry } from '../../../../src/clients/ldap/responses.ts'

const NOW = Date.UTC(2026, 10, 27, 9)
const DAY = 86_400_000

const entry = (
  attributes: Readonly<Record<string, string>>,
  dn = 'uid=alice,ou=people',
): Entry => ({
  dn,
  attributes: new Map(
    Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), [Buffer.from(value)]]),
  ),
})

const filetime = (time: number): string => String((BigInt(time) + 11_644_473_600_000n) * 10_000n)

const generalized = (time: number): string =>
  `${new Date(time).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`

const CASES: readonly {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly want: string | undefined
}[] = [
  { name: 'no readable attribute', attributes: {}, want: undefined },
  { name: 'AD: a normal account', attributes: { userAccountControl: '512' }, want: undefined },
  { name: 'AD: ACCOUNTDISABLE', attributes: { userAccountControl: '514' }, want: 'user-disabled' },
  {
    name: 'AD: LOCKOUT of the computed flags',
    attributes: { userAccountControl: '512', 'msDS-User-Account-Control-Computed': '16' },
    want: 'user-locked',
  },
  {
    name: 'AD: a lockoutTime whose lock is over, by the computed flags',
    attributes: { lockoutTime: '133000000000000000', 'msDS-User-Account-Control-Computed': '0' },
    want: undefined,
  },
  {
    name: 'AD: a lockoutTime without the computed flags',
    attributes: { lockoutTime: '133000000000000000' },
    want: 'user-locked',
  },
  {
    name: 'AD: lockoutTime 0 without the computed flags',
    attributes: { lockoutTime: '0' },
    want: undefined,
  },
  {
    name: 'AD: PASSWORD_EXPIRED of the computed flags',
    attributes: {
      'msDS-User-Account-Control-Computed': '8388608',
      pwdLastSet: '133000000000000000',
    },
    want: 'password-expired',
  },
  {
    name: 'AD: pwdLastSet 0',
    attributes: { 'msDS-User-Account-Control-Computed': '8388608', pwdLastSet: '0' },
    want: 'password-must-change',
  },
  {
    name: 'AD: pwdLastSet 0 of a password that never expires',
    attributes: { 'msDS-User-Account-Control-Computed': '0', pwdLastSet: '0' },
    want: undefined,
  },
  { name: 'AD: accountExpires 0', attributes: { accountExpires: '0' }, want: undefined },
  {
    name: 'AD: accountExpires never',
    attributes: { accountExpires: '9223372036854775807' },
    want: undefined,
  },
  {
    name: 'AD: accountExpires a second ago',
    attributes: { accountExpires: filetime(NOW - 1_000) },
    want: 'user-expired',
  },
  {
    name: 'AD: accountExpires in a second',
    attributes: { accountExpires: filetime(NOW + 1_000) },
    want: undefined,
  },
  {
    name: 'policy: pwdAccountLockedTime',
    attributes: { pwdAccountLockedTime: '000001010000Z' },
    want: 'user-locked',
  },
  {
    name: 'policy: a temporary lock-out that lasts',
    attributes: { pwdAccountTmpLockoutEnd: generalized(NOW + 1_000) },
    want: 'user-locked',
  },
  {
    name: 'policy: a temporary lock-out that is over',
    attributes: { pwdAccountTmpLockoutEnd: generalized(NOW - 1_000) },
    want: undefined,
  },
  { name: 'policy: pwdReset', attributes: { pwdReset: 'TRUE' }, want: 'password-must-change' },
  { name: 'policy: pwdReset FALSE', attributes: { pwdReset: 'FALSE' }, want: undefined },
  {
    name: 'policy: pwdEndTime in the past',
    attributes: { pwdEndTime: generalized(NOW) },
    want: 'user-expired',
  },
  {
    name: 'policy: pwdEndTime in the future',
    attributes: { pwdEndTime: '20991231235959.123Z' },
    want: undefined,
  },
  {
    name: 'policy: pwdStartTime in the future',
    attributes: { pwdStartTime: generalized(NOW + 1_000) },
    want: 'user-expired',
  },
  { name: '389: nsAccountLock', attributes: { nsAccountLock: 'true' }, want: 'user-disabled' },
  {
    name: 'shadow: shadowExpire yesterday',
    attributes: { shadowExpire: String(Math.floor(NOW / DAY) - 1) },
    want: 'user-expired',
  },
  {
    name: 'shadow: shadowExpire tomorrow',
    attributes: { shadowExpire: String(Math.floor(NOW / DAY) + 1) },
    want: undefined,
  },
  { name: 'shadow: shadowExpire -1', attributes: { shadowExpire: '-1' }, want: undefined },
]

describe('the status of an account', () => {
  for (const { name, attributes, want } of CASES) {
    it(`${name}: ${want ?? 'may log in'}`, () => {
      assert.equal(accountEndOf(entry(attributes), NOW), want)
    })
  }

  for (const attributes of [
    { userAccountControl: 'many' },
    { accountExpires: '' },
    { pwdEndTime: 'tomorrow' },
    { pwdEndTime: '20261399000000Z' },
  ]) {
    it(`is undetermined with ${JSON.stringify(attributes)}`, () => {
      assert.throws(
        () => accountEndOf(entry(attributes), NOW),
        (cause) => cause instanceof DirectoryError && cause.failure === 'entry-unusable',
      )
    })
  }

  it('is found again by its identifier, whatever its DN is', () => {
    const [here, there] = ['uid=alice,ou=people', 'uid=alice,ou=left'].map((dn) =>
      entry({ entryUUID: '1b4e28ba-2fa1-11d2-883f-0016d3cca427' }, dn),
    )
    assert.ok(here && there)
    assert.equal(entryKeyOf(here), entryKeyOf(there))
    assert.notEqual(entryKeyOf(here), entryKeyOf(entry({ entryUUID: 'other' }, here.dn)))
  })

  it('is found again by its DN in any spelling, when it has no identifier', () => {
    assert.equal(entryKeyOf(entry({}, 'UID=Alice, OU=people')), entryKeyOf(entry({})))
    assert.notEqual(entryKeyOf(entry({}, 'uid=alice,ou=left')), entryKeyOf(entry({})))
  })

  for (const name of ['pwdLastSet', 'pwdChangedTime', 'shadowLastChange', 'krbLastPwdChange']) {
    it(`has another password when ${name} has changed`, () => {
      const [one, same, other, none] = ['1', '1', '2'].map((value) =>
        passwordStampOf(entry({ [name]: value })),
      )
      assert.equal(one, same)
      assert.notEqual(one, other)
      assert.notEqual(one, none ?? passwordStampOf(entry({})))
    })
  }
})
