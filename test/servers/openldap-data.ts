// What is in the OpenLDAP of the tests: its configuration, and the entries under dc=example,dc=org.

import { CONFORMANCE_USERS } from '../authenticate/password/conformance.ts'
import { ldifEntry, type LdifAttributes } from './ldif.ts'
import type { KeyPair } from './pki.ts'

/** The suffix of all entries. */
export const BASE = 'dc=example,dc=org'
/** Where the users are. */
export const PEOPLE = `ou=people,${BASE}`
/** Where the groups are. */
export const GROUPS = `ou=groups,${BASE}`
/** The account that may read everything. */
export const SERVICE = { dn: `cn=svc,${BASE}`, password: 'service secret' } as const
/** The administrator. */
export const ADMIN = { dn: `cn=admin,${BASE}`, password: 'admin' } as const

/** Users in addition to those of the conformance suite. */
export const OTHER_USERS = {
  bob: 'Bob-Secret1', // locked after three wrong passwords
  mia: 'Mia-Secret1', // must change her password
  john: 'John-Secret1', // cn=Smith\, John
  lead: 'Lead-Secret1', // cn=#lead
  spaces: 'Spaces-Secret1', // cn= two  spaces
  odd: 'Odd-Secret1', // cn=a+b=c;"d"<e>\f
  costly: 'Costly-Secret1', // a hash that takes time
} as const

const CONFIG_ACCESS = (uid: number, gid: number): string =>
  `gidNumber=${gid}+uidNumber=${uid},cn=peercred,cn=external,cn=auth`

/** What the configuration needs. */
export interface OpenLdapSettings {
  readonly folder: string
  readonly identity: KeyPair
  readonly ca: string
  /** Refuses clients without a certificate. */
  readonly demandCertificate: boolean
  /** Refuses whatever is not encrypted, except at the UNIX socket. */
  readonly demandTls: boolean
}

/** cn=config, for slapadd. */
export const openLdapConfig = (settings: OpenLdapSettings): string => `dn: cn=config
objectClass: olcGlobal
cn: config
olcTLSCACertificateFile: ${settings.ca}
olcTLSCertificateFile: ${settings.identity.certificate}
olcTLSCertificateKeyFile: ${settings.identity.key}
olcTLSVerifyClient: ${settings.demandCertificate ? 'demand' : 'try'}
olcTLSProtocolMin: 3.3
olcLogLevel: none

dn: cn=module,cn=config
objectClass: olcModuleList
cn: module
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: memberof
olcModuleLoad: ppolicy
olcModuleLoad: argon2

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/nis.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend
olcSizeLimit: 50
olcAccess: to dn.base="" by * read
olcAccess: to dn.base="cn=Subschema" by * read

dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcAccess: to * by dn.exact="${CONFIG_ACCESS(process.getuid?.() ?? 0, process.getgid?.() ?? 0)}" manage by * none

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: ${BASE}
olcRootDN: ${ADMIN.dn}
olcRootPW: ${ADMIN.password}
olcDbDirectory: ${settings.folder}/db
olcDbMaxSize: 67108864
olcDbNoSync: TRUE
olcDbIndex: objectClass,uid,cn,mail,member eq
${settings.demandTls ? 'olcSecurity: ssf=64\n' : ''}olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to dn.subtree="${GROUPS}" by users read by * none
olcAccess: to * by dn.exact="${SERVICE.dn}" read by self read by * none

dn: olcOverlay=memberof,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: memberof
olcMemberOfRefint: TRUE

dn: olcOverlay=ppolicy,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcPPolicyConfig
olcOverlay: ppolicy
olcPPolicyDefault: cn=default,ou=policies,${BASE}
olcPPolicyHashCleartext: TRUE
olcPPolicyUseLockout: TRUE
`

const policy = (name: string, attributes: LdifAttributes): string =>
  ldifEntry(`cn=${name},ou=policies,${BASE}`, {
    objectClass: ['pwdPolicy', 'device'],
    cn: name,
    pwdAttribute: 'userPassword',
    ...attributes,
  })

const person = (
  dn: string,
  uid: string,
  cn: string,
  password: string,
  more: LdifAttributes = {},
): string =>
  ldifEntry(dn, {
    objectClass: 'inetOrgPerson',
    uid,
    cn,
    sn: cn,
    mail: `${Buffer.from(uid).toString('hex')}@example.org`,
    userPassword: password,
    ...more,
  })

const group = (dn: string, cn: string, members: readonly string[], description = cn): string =>
  ldifEntry(dn, { objectClass: 'groupOfNames', cn, description, member: members })

const unit = (dn: string, ou: string): string =>
  ldifEntry(dn, { objectClass: 'organizationalUnit', ou })

const JOHN = `cn=Smith\\, John,${PEOPLE}`
const LEAD = `cn=\\#lead,${PEOPLE}`
const SPACES = `cn=\\ two  spaces,${PEOPLE}`
const ODD = `cn=a\\+b\\=c\\;\\"d\\"\\<e\\>\\\\f,${PEOPLE}`

/** All entries, for ldapadd. */
export const openLdapEntries = (): string =>
  [
    ldifEntry(BASE, { objectClass: ['dcObject', 'organization'], o: 'Example', dc: 'example' }),
    ...['people', 'groups', 'policies'].map((name) => unit(`ou=${name},${BASE}`, name)),
    unit(`ou=project,${GROUPS}`, 'project'),
    policy('default', {}),
    policy('lock', {
      pwdLockout: 'TRUE',
      pwdMaxFailure: '3',
      pwdLockoutDuration: '300',
      pwdFailureCountInterval: '300',
    }),
    policy('short', { pwdMaxAge: '1' }),
    policy('reset', { pwdMustChange: 'TRUE' }),
    ldifEntry(SERVICE.dn, {
      objectClass: ['organizationalRole', 'simpleSecurityObject'],
      cn: 'svc',
      userPassword: SERVICE.password,
    }),
    ...people(),
    ...groups(),
  ].join('')

const people = (): readonly string[] => [
  person(`uid=alice,${PEOPLE}`, 'alice', 'Alice Adams', CONFORMANCE_USERS.alice.password, {
    title: ['Engineer', 'Officer'],
    jpegPhoto: Buffer.from('ffd8ffe0ffff', 'hex'),
  }),
  person(`uid=jürgen,${PEOPLE}`, 'jürgen', 'Jürgen', CONFORMANCE_USERS.jürgen.password),
  person(`uid=eve,${PEOPLE}`, 'eve', 'Eve Expired', CONFORMANCE_USERS.eve.password, {
    pwdPolicySubentry: `cn=short,ou=policies,${BASE}`,
  }),
  person(`uid=bob,${PEOPLE}`, 'bob', 'Bob Brown', OTHER_USERS.bob, {
    pwdPolicySubentry: `cn=lock,ou=policies,${BASE}`,
  }),
  person(`uid=mia,${PEOPLE}`, 'mia', 'Mia Must', OTHER_USERS.mia, {
    pwdPolicySubentry: `cn=reset,ou=policies,${BASE}`,
    pwdReset: 'TRUE',
  }),
  person(JOHN, 'john', 'Smith, John', OTHER_USERS.john),
  person(LEAD, 'lead', '#lead', OTHER_USERS.lead),
  person(SPACES, 'spaces', ' two  spaces', OTHER_USERS.spaces),
  person(ODD, 'odd', 'a+b=c;"d"<e>\\f', OTHER_USERS.odd),
  // Two with one address, and one with two names.
  person(`uid=twin1,${PEOPLE}`, 'twin1', 'Twin', 'Twin-Secret1', { mail: 'twin@example.org' }),
  person(`uid=twin2,${PEOPLE}`, 'twin2', 'Twin', 'Twin-Secret1', { mail: 'twin@example.org' }),
  ldifEntry(`uid=first,${PEOPLE}`, {
    objectClass: 'inetOrgPerson',
    uid: ['first', 'second'],
    cn: 'Two Names',
    sn: 'Names',
    mail: 'two@example.org',
    userPassword: 'Two-Secret1',
  }),
]

const groups = (): readonly string[] => {
  const developers = `cn=developers,${GROUPS}`
  const staff = `cn=staff,${GROUPS}`
  const everyone = `cn=everyone,${GROUPS}`
  const round = `cn=round,${GROUPS}`
  return [
    group(developers, 'developers', [`uid=alice,${PEOPLE}`, JOHN], 'Those who develop'),
    group(staff, 'staff', [developers]),
    // In a circle: everyone is in round, which is in everyone.
    group(everyone, 'everyone', [staff, round]),
    group(round, 'round', [everyone]),
    group(`cn=Smith\\, Sons \\+ Co,${GROUPS}`, 'Smith, Sons + Co', [JOHN, LEAD, SPACES, ODD]),
    group(`cn=\\#hash,${GROUPS}`, '#hash', [LEAD]),
    group(`cn=größe,${GROUPS}`, 'größe', [LEAD]),
    ldifEntry(`cn=posix,${GROUPS}`, {
      objectClass: 'posixGroup',
      cn: 'posix',
      gidNumber: '1000',
      memberUid: ['alice', 'john'],
    }),
    group(`cn=admins,ou=project,${GROUPS}`, 'admins', [`uid=jürgen,${PEOPLE}`]),
    ...Array.from({ length: 60 }, (_, index) =>
      group(`cn=many${index},${GROUPS}`, `many${index}`, [`uid=twin1,${PEOPLE}`]),
    ),
  ]
}
