// The users: the same ones, with the same groups, in every directory, certificate and token.

import { stringify } from 'yaml'
import { cheapHash } from '../../fakes/hashes.ts'
import { ldifEntry } from '../../servers/ldif.ts'
import { GROUPS as LDAP_GROUPS, PEOPLE as LDAP_PEOPLE } from '../../servers/openldap-data.ts'

/** A user. */
export interface Person {
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
export const PERSONS = {
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
} as const satisfies Readonly<Record<string, Person>>

/** The users file. */
export const usersFile = async (): Promise<string> => {
  const password = await cheapHash(PASSWORD)
  const users = Object.values<Person>(PERSONS).map(({ name, uid, groups, teams }) => [
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
export const mailOf = ({ name }: Person): string => `${name}@example.org`

/** Changes that add them to the directory. */
export const directoryEntries = (): string => {
  const persons = Object.values<Person>(PERSONS)
  const dnOf = ({ name }: Person): string => `uid=${name},${DIRECTORY.people}`
  const groups = new Set(persons.flatMap((person) => person.groups))
  const entries = [
    ...Object.values(DIRECTORY).map((dn) =>
      ldifEntry(dn, { objectClass: 'organizationalUnit', ou: 'cluster' }),
    ),
    ...persons.map((person) =>
      ldifEntry(dnOf(person), {
        objectClass: 'inetOrgPerson',
        uid: person.name,
        cn: person.name,
        sn: person.name,
        mail: mailOf(person),
        employeeNumber: person.uid,
        departmentNumber: person.teams,
        userPassword: PASSWORD,
      }),
    ),
    ...Array.from(groups, (group) =>
      ldifEntry(`cn=${group.replaceAll(',', '\\,')},${DIRECTORY.groups}`, {
        objectClass: 'groupOfNames',
        cn: group,
        member: persons.filter((person) => person.groups.includes(group)).map(dnOf),
      }),
    ),
  ]
  return entries.map((entry) => entry.replace('\n', '\nchangetype: add\n')).join('')
}
