// What is in the Active Directory of the tests: users and groups under DC=example,DC=org, and the
// state of their accounts.

import { CONFORMANCE_USERS } from '../authenticate/password/conformance.ts'
import { ldifEntry, ldifReplace, type LdifAttributes } from './ldif.ts'

/** The domain, as DN, as DNS name, and as NetBIOS name. */
export const DOMAIN = {
  base: 'DC=example,DC=org',
  name: 'example.org',
  netbios: 'EXAMPLE',
} as const
/** Where the users are. */
export const AD_PEOPLE = `OU=people,${DOMAIN.base}`
/** Where the groups are. */
export const AD_GROUPS = `OU=groups,${DOMAIN.base}`
/** The account that searches. */
export const AD_SERVICE = { dn: `CN=Svc Reader,${AD_PEOPLE}`, password: 'Svc-Secret1' } as const
/** The administrator of the domain. */
export const AD_ADMIN = {
  name: `Administrator@${DOMAIN.name}`,
  password: 'Admin-Passw0rd!',
} as const

/** Users in addition to those of the conformance suite. */
export const AD_USERS = {
  bob: 'Bob-Secret1', // locked after three wrong passwords
  mia: 'Mia-Secret1', // must change her password
  axel: 'Axel-Secret1', // his account has expired
  petra: 'Petra-Secret1', // her password has expired
  john: 'John-Secret1', // CN=Smith\, John
  trudy: 'Trudy-Secret1', // has the userPrincipalName that is victor's address
  victor: 'Victor-Secret1',
} as const

const NORMAL = 512 // userAccountControl: NORMAL_ACCOUNT
const DISABLED = 514 // NORMAL_ACCOUNT and ACCOUNTDISABLE

const user = (
  cn: string,
  account: string,
  password: string,
  control: number,
  more: LdifAttributes = {},
): string =>
  ldifEntry(`CN=${cn},${AD_PEOPLE}`, {
    objectClass: 'user',
    sAMAccountName: account,
    userPrincipalName: `${account}@${DOMAIN.name}`,
    userAccountControl: String(control),
    // [MS-ADTS] 3.1.1.3.1.5.1
    unicodePwd: Buffer.from(`"${password}"`, 'utf16le'),
    ...more,
  })

const group = (name: string, members: readonly string[]): string =>
  ldifEntry(`CN=${name},${AD_GROUPS}`, {
    objectClass: 'group',
    sAMAccountName: name,
    ...(members.length === 0 ? {} : { member: members }),
  })

/** The domain's own policy: no rules for passwords, locked after three failures. */
export const domainPolicy = (): string =>
  ldifReplace(DOMAIN.base, {
    pwdProperties: '0',
    minPwdAge: '0',
    pwdHistoryLength: '0',
    lockoutThreshold: '3',
    lockoutDuration: '-3000000000',
    lockOutObservationWindow: '-3000000000',
  })

/** A policy for those whose passwords the tests get wrong many times. */
const forgiving = (): readonly string[] => [
  ldifEntry(`CN=forgiving,CN=Password Settings Container,CN=System,${DOMAIN.base}`, {
    objectClass: 'msDS-PasswordSettings',
    'msDS-PasswordSettingsPrecedence': '1',
    'msDS-PasswordReversibleEncryptionEnabled': 'FALSE',
    'msDS-PasswordHistoryLength': '0',
    'msDS-PasswordComplexityEnabled': 'FALSE',
    'msDS-MinimumPasswordLength': '0',
    'msDS-MinimumPasswordAge': '0',
    'msDS-MaximumPasswordAge': '-36288000000000',
    'msDS-LockoutThreshold': '0',
    'msDS-LockoutObservationWindow': '-3000000000',
    'msDS-LockoutDuration': '-3000000000',
    'msDS-PSOAppliesTo': [ALICE, JUERGEN, EVE],
  }),
]

const ALICE = `CN=Alice Adams,${AD_PEOPLE}`
const JUERGEN = `CN=Jürgen,${AD_PEOPLE}`
const EVE = `CN=Eve,${AD_PEOPLE}`
const JOHN = `CN=Smith\\, John,${AD_PEOPLE}`

/** All entries, in the order in which they must be added. */
export const sambaEntries = (): string => {
  const { alice, jürgen, eve } = CONFORMANCE_USERS
  return [
    ...['people', 'groups'].map((ou) =>
      ldifEntry(`OU=${ou},${DOMAIN.base}`, { objectClass: 'organizationalUnit' }),
    ),
    user('Svc Reader', 'svc', AD_SERVICE.password, NORMAL),
    user('Alice Adams', 'alice', alice.password, NORMAL),
    user('Jürgen', 'jürgen', jürgen.password, NORMAL),
    user('Eve', 'eve', eve.password, DISABLED),
    user('Bob Brown', 'bob', AD_USERS.bob, NORMAL),
    user('Mia Must', 'mia', AD_USERS.mia, NORMAL, { pwdLastSet: '0' }),
    // 1 January 1970, in the units of Windows
    user('Axel', 'axel', AD_USERS.axel, NORMAL, { accountExpires: '116444736010000000' }),
    user('Petra', 'petra', AD_USERS.petra, NORMAL),
    user('Smith\\, John', 'john', AD_USERS.john, NORMAL),
    user('Victor', 'victor', AD_USERS.victor, NORMAL, {
      mail: `zoe@${DOMAIN.name}`,
    }),
    user('Trudy', 'trudy', AD_USERS.trudy, NORMAL, {
      userPrincipalName: `zoe@${DOMAIN.name}`,
    }),
    ...forgiving(),
    group('developers', [ALICE, JOHN]),
    group('engineering', [`CN=developers,${AD_GROUPS}`]),
    group('staff', [`CN=engineering,${AD_GROUPS}`]),
    group('all', [`CN=Domain Users,CN=Users,${DOMAIN.base}`]),
  ].join('')
}

/** Petra's password is from 2001; over LDAP a date in the past cannot be set. */
export const expiredPassword = (): string =>
  ldifReplace(`CN=Petra,${AD_PEOPLE}`, { pwdLastSet: '126227808000000000' })
