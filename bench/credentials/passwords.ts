// Passwords: of a users file, of a real LDAP directory, of a real RADIUS server. The guard against guessing
// precedes all of them and is a part of what they cost.

import { writeFile } from 'node:fs/promises'
import { skipWithoutFreeRadius, startFreeRadius } from '../../test/servers/freeradius.ts'
import { ldifEntry, type LdifAttributes } from '../../test/servers/ldif.ts'
import { skipWithoutSlapd, startOpenLdap } from '../../test/servers/openldap.ts'
import { GROUPS as GROUPS_OU, PEOPLE, SERVICE } from '../../test/servers/openldap-data.ts'
import { GROUPS, PASSWORD } from '../site.ts'
import type { Shown } from '../requests.ts'
import type { Scheme, StartScheme } from './scheme.ts'

const credential = (user: string): Shown => {
  const text = Buffer.from(`${user}:${PASSWORD}`).toString('base64')
  return { headers: [['authorization', `Basic ${text}`]] }
}

/** HTTP Basic, with one verifier. */
const basic = (name: string, verifier: object, proofs: Scheme['proofs']): Scheme => ({
  name,
  authenticators: (cacheTtl) => [{ basic: { verify: [verifier], cacheTtl } }],
  credential,
  proofs,
  remembers: true,
})

/** HTTP Basic against a users file. */
export const usersFile: StartScheme = async (installation, users) => {
  const file = await installation.users(users.length, 'usual')
  return basic('Basic, users file (argon2id)', { users: { file } }, 'few')
}

const LDAP = 'Basic, LDAP (OpenLDAP, TLS)'

/** HTTP Basic against a directory: a search, a bind, and a search for groups. */
export const ldap: StartScheme = async (installation, users) => {
  const reason = skipWithoutSlapd()
  if (reason !== false) return { name: LDAP, reason }
  const server = installation.use(await startOpenLdap())
  await server.modify(ldapEntries(users))
  const secret = installation.file('ldap.secret')
  await writeFile(secret, SERVICE.password, { mode: 0o600 })
  const verifier = {
    servers: [`ldaps://127.0.0.1:${server.tlsPort}`],
    ca: server.authority.ca,
    bind: { dn: SERVICE.dn, password: `file:${secret}` },
    search: { base: PEOPLE, scope: 'one' },
    groups: { search: { base: BENCH_GROUPS, scope: 'one' }, name: 'cn' },
  }
  return basic(LDAP, { ldap: verifier }, 'many')
}

const BENCH_GROUPS = `ou=bench,${GROUPS_OU}`

const ldapEntries = (users: readonly string[]): string => {
  const dnOf = (user: string): string => `uid=${user},${PEOPLE}`
  return [
    added(BENCH_GROUPS, { objectClass: 'organizationalUnit', ou: 'bench' }),
    ...users.map((user) =>
      added(dnOf(user), {
        objectClass: 'inetOrgPerson',
        uid: user,
        cn: user,
        sn: user,
        userPassword: PASSWORD,
      }),
    ),
    ...GROUPS.map((cn) =>
      added(`cn=${cn},${BENCH_GROUPS}`, {
        objectClass: 'groupOfNames',
        cn,
        member: users.map(dnOf),
      }),
    ),
  ].join('')
}

/** As a change, which is what the server's administrator is given. */
const added = (dn: string, attributes: LdifAttributes): string =>
  ldifEntry(dn, { changetype: 'add', ...attributes })

const RADIUS = 'Basic, RADIUS (FreeRADIUS, UDP)'

/** HTTP Basic against a RADIUS server. */
export const radius: StartScheme = async (installation, users) => {
  const reason = skipWithoutFreeRadius()
  if (reason !== false) return { name: RADIUS, reason }
  const reply = GROUPS.map((group) => `Class += "group=${group}"`)
  const server = installation.use(
    await startFreeRadius(users.map((name) => ({ name, password: PASSWORD, reply }))),
  )
  const secret = installation.file('radius.secret')
  await writeFile(secret, server.secret, { mode: 0o600 })
  const verifier = {
    servers: [{ host: `127.0.0.1:${server.port}`, secret: `file:${secret}` }],
    groups: [{ attribute: 'Class', pattern: '^group=(.+)$' }],
  }
  return basic(RADIUS, { radius: verifier }, 'many')
}
