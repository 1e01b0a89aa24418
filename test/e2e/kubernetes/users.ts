// The users: the same ones, with the same groups, in every directory, certificate and token.

import { stringify } from 'yaml'
import { cheapHash } from '../../fakes/hashes.ts'
import { ldifEntry } from '../../servers/ldif.ts'
import { GROUPS as LDAP_GROUPS, PEOPLE as LDAP_PEOPLE } from '../../servers/openldap-data.ts'

/** A user. */
export interface User {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  /** The values of {@link TEAM}. */
  readonly teams: readonly string[]
}

/** The key of the attribute that is known in addition to name and groups. */
export const TEAM = 'example.org/team'

/** Every user's password. */
export const PASSWORD = 'open sesame'

/** Groups whose names are hard to carry, sorted. */
const GROUPS = ['dev', 'größe', 'ops/on-call', 'two words', 'with, comma'] as const

/** Every user. */
export const USERS = {
  alice: { name: 'alice', uid: '1001', groups: GROUPS, teams: ['blue', 'red'] },
  bob: { name: 'bob', uid: '1002', groups: ['guests'], teams: ['green'] },
  /** In 200 groups. */
  crowd: {
    name: 'crowd',
    uid: '1003',
    groups: Array.from({ length: 200 }, (_, index) => `crowd-${String(index).padStart(3, '0')}`),
    teams: ['blue'],
  },
  /** In as many groups as an identity may have bytes of, which is more than fits a certificate. */
  throng: {
    name: 'throng',
    uid: '1005',
    groups: Array.from({ length: 400 }, (_, index) => `throng-${index}`.padEnd(38, '-')),
    teams: [],
  },
  /** In a group that may do everything in the cluster. */
  root: { name: 'root', uid: '1004', groups: ['admins'], teams: [] },
} as const satisfies Readonly<Record<string, User>>

/** The users file. */
export const usersFile = async (): Promise<string> => {
  const password = await cheapHash(PASSWORD)
  const users = Object.values<User>(USERS).map(({ name, uid, groups, teams }) => [
    name,
    { password, uid, groups, ...(teams.length === 0 ? {} : { extra: { [TEAM]: teams } }) },
  ])
  return stringify({ users: Object.fromEntries(users) }, { aliasDuplicateObjects: false })
}

/** Where the directory has them, and their groups. */
export const DIRECTORY = {
  people: `ou=cluster,${LDAP_PEOPLE}`,
  groups: `ou=cluster,${LDAP_GROUPS}`,
} as const

/** By what they log in there: a name that the users file does not have. */
export const mailOf = ({ name }: User): string => `${name}@example.org`

/** Changes that add them to the directory. */
export const directoryEntries = (): string => {
  const users = Object.values<User>(USERS)
  const dnOf = ({ name }: User): string => `uid=${name},${DIRECTORY.people}`
  const groups = new Set(users.flatMap((user) => user.groups))
  const entries = [
    ...Object.values(DIRECTORY).map((dn) =>
      ldifEntry(dn, { objectClass: 'organizationalUnit', ou: 'cluster' }),
    ),
    ...users.map((user) =>
      ldifEntry(dnOf(user), {
        objectClass: 'inetOrgPerson',
        uid: user.name,
        cn: user.name,
        sn: user.name,
        mail: mailOf(user),
        employeeNumber: user.uid,
        departmentNumber: user.teams,
        userPassword: PASSWORD,
      }),
    ),
    ...Array.from(groups, (group) =>
      ldifEntry(`cn=${group.replaceAll(',', '\\,')},${DIRECTORY.groups}`, {
        objectClass: 'groupOfNames',
        cn: group,
        member: users.filter((user) => user.groups.includes(group)).map(dnOf),
      }),
    ),
  ]
  return entries.map((entry) => entry.replace('\n', '\nchangetype: add\n')).join('')
}
