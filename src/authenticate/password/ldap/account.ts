// The status of a user's account by its entry, without a password: Active Directory ([MS-ADTS] 3.1.1.4.5), the
// password policy of draft-behera-ldap-password-policy, 389 Directory Server, and shadowAccount (RFC 2307). Attributes
// that the service account cannot read are ignored.

import type { AccountEnd } from '../verifier.ts'
import { dnKey } from '../../../clients/ldap/dn.ts'
import { textsOf, unusable, valuesOf } from '../../../clients/ldap/reader.ts'
import type { Entry } from '../../../clients/ldap/responses.ts'

// Identifiers of an entry that survive a rename, and are never reused for a new entry of the same name.
const IDENTIFIERS = ['entryUUID', 'objectGUID', 'nsUniqueId'] as const

// Each changes with the password: Active Directory, password policies, shadowAccount, Kerberos, Samba 3.
const PASSWORD_STAMPS = [
  'pwdLastSet',
  'pwdChangedTime',
  'shadowLastChange',
  'krbLastPwdChange',
  'sambaPwdLastSet',
] as const

/** The attributes that the functions of this file read. */
export const ACCOUNT_ATTRIBUTES: readonly string[] = [
  ...IDENTIFIERS,
  ...PASSWORD_STAMPS,
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'lockoutTime',
  'accountExpires',
  'pwdAccountLockedTime',
  'pwdAccountTmpLockoutEnd',
  'pwdReset',
  'pwdStartTime',
  'pwdEndTime',
  'nsAccountLock',
  'shadowExpire',
]

/** Distinguishes two entries of one name by an identifier, if the server has one; otherwise by the DN. */
export const entryKeyOf = (entry: Entry): string => {
  for (const name of IDENTIFIERS) {
    const [value] = valuesOf(entry, name)
    if (value !== undefined) return `${name}=${value.toString('hex')}`
  }
  return `dn=${dnKey(entry.dn)}`
}

/** Changes with the password, if the server records when it was set. */
export const passwordStampOf = (entry: Entry): string =>
  JSON.stringify(PASSWORD_STAMPS.map((name) => textsOf(entry, name)))

/**
 * Why an account could not log in now.
 *
 * @param now milliseconds since the epoch
 * @throws DirectoryError `entry-unusable` for an invalid time or number
 */
export const accountEndOf = (entry: Entry, now: number): AccountEnd | undefined => {
  const control = numberIn(entry, 'userAccountControl') ?? 0n
  const computed = numberIn(entry, 'msDS-User-Account-Control-Computed')
  if ((control & ACCOUNT_DISABLE) !== 0n || isTrue(entry, 'nsAccountLock')) return 'user-disabled'
  if (isLocked(entry, computed, now)) return 'user-locked'
  if (isExpired(entry, now)) return 'user-expired'
  const isOld = ((computed ?? 0n) & PASSWORD_EXPIRED) !== 0n
  // 0: the password must be changed at the next login, unless it never expires.
  const mustChange = numberIn(entry, 'pwdLastSet') === 0n && (computed === undefined || isOld)
  if (mustChange || isTrue(entry, 'pwdReset')) return 'password-must-change'
  return isOld ? 'password-expired' : undefined
}

// [MS-ADTS] 2.2.16
const ACCOUNT_DISABLE = 0x2n
const LOCKOUT = 0x10n
const PASSWORD_EXPIRED = 0x80_00_00n

/** Whether the account is locked. The login itself has removed an earlier lock by its bind, so a lock is newer. */
const isLocked = (entry: Entry, computed: bigint | undefined, now: number): boolean => {
  const byComputed = ((computed ?? 0n) & LOCKOUT) !== 0n
  const byTime = computed === undefined && (numberIn(entry, 'lockoutTime') ?? 0n) !== 0n
  const until = timeIn(entry, 'pwdAccountTmpLockoutEnd') ?? 0
  return byComputed || byTime || has(entry, 'pwdAccountLockedTime') || now < until
}

/**
 * Whether the account is outside its validity period.
 *
 * @param now milliseconds since the epoch
 * @throws DirectoryError `entry-unusable` for an invalid time or number
 */
export const isExpired = (entry: Entry, now: number): boolean => {
  const days = numberIn(entry, 'shadowExpire')
  // shadow(5): -1 means never, and 0 should not be used, since some implementations treat it as never.
  if (days !== undefined && days > 0n && now >= Number(days) * DAY_MS) return true
  const end = numberIn(entry, 'accountExpires') ?? 0n
  if (end > 0n && end !== NEVER && now >= Number(end / FILETIME_PER_MS - EPOCH_MS)) return true
  const [from, to] = [timeIn(entry, 'pwdStartTime'), timeIn(entry, 'pwdEndTime')]
  return (from !== undefined && now < from) || (to !== undefined && now >= to)
}

const DAY_MS = 86_400_000
// [MS-DTYP] 2.3.3: FILETIME, 100 nanoseconds since 1601.
const FILETIME_PER_MS = 10_000n
const EPOCH_MS = 11_644_473_600_000n
const NEVER = 0x7f_ff_ff_ff_ff_ff_ff_ffn

const has = (entry: Entry, attribute: string): boolean => valuesOf(entry, attribute).length > 0

const isTrue = (entry: Entry, attribute: string): boolean =>
  textsOf(entry, attribute)[0]?.toUpperCase() === 'TRUE'

const numberIn = (entry: Entry, attribute: string): bigint | undefined => {
  const [text] = textsOf(entry, attribute)
  if (text === undefined) return undefined
  if (!/^-?\d{1,20}$/.test(text)) throw unusable(entry, `has a ${attribute} that is not a number`)
  return BigInt(text)
}

// RFC 4517 §3.3.13, in the form that servers write: UTC.
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,]\d+)?Z$/

const timeIn = (entry: Entry, attribute: string): number | undefined => {
  const [text] = textsOf(entry, attribute)
  if (text === undefined) return undefined
  const iso = text.replace(TIME, '$1-$2-$3T$4:$5:$6Z')
  const time = iso === text ? Number.NaN : Date.parse(iso)
  if (Number.isNaN(time)) throw unusable(entry, `has a ${attribute} that is not a time`)
  return time
}
