// The `ldap` section: each problem at the field that it is in, with the text as it was written.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { formatProblem } from '../../../../src/config/problem.ts'
import { parseConfig } from '../../../../src/configuration/parse.ts'
import { checkAll, type Sections } from '../../../configuration/sections.ts'
import { temporaryFolder } from '../../../servers/temporary.ts'
import { buildFrom } from '../../building.ts'

describe('a section with a wrong base, a search for every user and a group filter for every group', () => {
  const TEXT = `version: 1
listen: { authz: unix:authz.sock }
authenticators:
  staff:
    basic:
      verify:
        - ldap:
            servers: [ldaps://ldap.example.org]
            bind: { dn: cn=svc, password: env:LDAP_PASSWORD }
            search:
              base: people
              filter: (uid=*)
            groups:
              search:
                base: ou=groups
                filter: (cn=*)
routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }]
`

  it('is refused with three problems, each with its line and column and the text as written', () => {
    const result = parseConfig('/etc/c.yaml', TEXT)
    assert.ok(!result.ok)
    const at = 'authenticators.staff.basic.verify[0].ldap'
    assert.deepEqual(result.problems.map(formatProblem), [
      `/etc/c.yaml:11:15: ${at}.search.base: "people" is not a distinguished name (RFC 4514), such as "ou=people,dc=example"`,
      `/etc/c.yaml:12:15: ${at}.search.filter: "(uid=*)" must contain "{user}": it would find the same entry for every user`,
      `/etc/c.yaml:16:17: ${at}.groups.search.filter: "(cn=*)" must contain "{dn}" or "{user}"`,
    ])
  })
})

/** Authenticators with one LDAP directory: `ldaps://ldap.example.org`, searched by a service account. */
const ldap = (further: Readonly<Record<string, unknown>>): Sections => {
  const section = {
    servers: ['ldaps://ldap.example.org'],
    bind: { dn: 'cn=svc', password: 'env:LDAP_PASSWORD' },
    search: { base: 'ou=people' },
    ...further,
  }
  const authenticators = { staff: { basic: { verify: [{ ldap: section }] } } }
  return { authenticators: `authenticators: ${JSON.stringify(authenticators)}` }
}

const direct = (...names: readonly string[]) => ({
  bind: undefined,
  search: undefined,
  direct: names,
})

const at = (field: string, message: RegExp): RegExp =>
  new RegExp(
    `^authenticators\\.staff\\.basic\\.verify\\[0\\]\\.ldap${RegExp.escape(field)}: ${message.source}`,
  )

describe('the `ldap` section', () => {
  checkAll([
    { name: 'is accepted with a service account and a search', input: ldap({}), want: [] },
    {
      name: 'is refused without a server',
      input: ldap({ servers: [] }),
      want: [at('.servers', /must (?:not be empty|be at least)/)],
    },
    {
      name: 'is refused with a server of another scheme',
      input: ldap({ servers: ['ldaps://a', 'https://b'] }),
      want: [at('.servers[1]', /must be "ldap:\/\/HOST\[:PORT\]"/)],
    },
    {
      name: 'is refused with a server whose port does not exist',
      input: ldap({ servers: ['ldaps://a:99999'] }),
      want: [at('.servers[0]', /must be "ldap:\/\/HOST\[:PORT\]"/)],
    },
    {
      name: 'is refused with a server whose URL has a password',
      input: ldap({ servers: ['ldaps://svc:secret@a'] }),
      want: [at('.servers[0]', /must be "ldap:\/\/HOST\[:PORT\]"/)],
    },
    {
      name: 'is refused without encryption to another machine',
      input: ldap({ servers: ['ldap://ldap.example.org'], startTls: false }),
      want: [at('.startTls', /must be true/)],
    },
    {
      name: 'is accepted without encryption to this machine',
      input: ldap({ servers: ['ldap://[::1]:3890'], startTls: false }),
      want: [],
    },
    {
      name: 'is refused with a service account whose name is blank',
      input: ldap({ bind: { dn: ' ', password: 'env:LDAP_PASSWORD' } }),
      want: [at('.bind.dn', /must not be blank: that would be an anonymous bind/)],
    },
    {
      name: 'is refused with a service account and no search',
      input: ldap({ search: undefined }),
      want: [at('.bind', /needs "search"/)],
    },
    {
      name: 'is refused with both a service account and names to bind',
      input: ldap({ direct: ['uid={user},ou=people'] }),
      want: [at('', /must have exactly one of "bind"/)],
    },
    {
      name: 'is refused with a name to bind that has no placeholder',
      input: ldap(direct('cn=admin,dc=x')),
      want: [at('.direct[0]', /must contain "\{user\}"/)],
    },
    {
      name: 'is refused with a name to bind that is not a DN, and no search',
      input: ldap(direct('uid={user},ou=people', '{user}@corp.example')),
      want: [
        at('.direct[1]', /"\{user\}@corp\.example" is not a distinguished name: set "search"/),
      ],
    },
    {
      name: 'is accepted with a name to bind that is not a DN, and a search',
      input: ldap({ ...direct('{user}@corp.example'), search: { base: 'dc=corp' } }),
      want: [],
    },
    {
      name: 'is accepted with groups of an attribute',
      input: ldap({ groups: { attribute: {} } }),
      want: [],
    },
    {
      name: 'is refused with branches of groups that are not DNs',
      input: ldap({ groups: { attribute: {}, subtree: 'x', primaryGroupBase: 'y' } }),
      want: [
        at('.groups.subtree', /"x" is not a distinguished name/),
        at('.groups.primaryGroupBase', /"y" is not a distinguished name/),
      ],
    },
    {
      name: 'is refused with a group filter that does not name the user',
      input: ldap({ groups: { search: { base: 'ou=groups', filter: '(cn=*)' } } }),
      want: [at('.groups.search.filter', /"\(cn=\*\)" must contain "\{dn\}" or "\{user\}"/)],
    },
    {
      name: 'is refused with nested groups whose filter has no DN',
      input: ldap({
        groups: { search: { base: 'ou=groups', filter: '(memberUid={user})', nested: 1 } },
      }),
      want: [at('.groups.search.filter', /"\(memberUid=\{user\}\)" must contain "\{dn\}"/)],
    },
    {
      name: 'is accepted with groups that Active Directory resolves',
      input: ldap({ groups: { activeDirectory: { base: 'dc=x' } } }),
      want: [],
    },
  ])
})

const SECTION = { servers: ['ldaps://ldap.example.org'], search: { base: 'ou=people' } }
const field = 'authenticators\\.staff\\.basic\\.verify\\[0\\]\\.ldap'

describe('the filters of the `ldap` section', () => {
  const CASES = [
    {
      name: 'the search',
      section: { search: { base: 'ou=people', filter: '(uid={user}' } },
      says: 'search\\.filter: "\\(uid=\\{user\\}" is not a filter \\(RFC 4515\\): unbalanced parens',
    },
    {
      name: 'groups that are searched',
      section: { groups: { search: { base: 'ou=groups', filter: '(member={dn}' } } },
      says: 'groups\\.search\\.filter: "\\(member=\\{dn\\}" is not a filter \\(RFC 4515\\): unbalanced parens',
    },
    {
      name: 'groups of Active Directory',
      section: { groups: { activeDirectory: { base: 'dc=x', filter: '(objectClass=group' } } },
      says: 'groups\\.activeDirectory\\.filter: "\\(objectClass=group" is not a filter \\(RFC 4515\\): unbalanced parens',
    },
  ]
  for (const { name, section, says } of CASES) {
    it(`are refused where that of ${name} ends early`, async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('password'), 'secret')
      const bind = { dn: 'cn=svc', password: 'file:password' }
      await using built = await buildFrom(
        folder.file('countersign.yaml'),
        JSON.stringify({ basic: { verify: [{ ldap: { ...SECTION, bind, ...section } }] } }),
      )
      assert.equal(built.located.length, 1, built.located.join('\n'))
      assert.match(built.located[0] ?? '', new RegExp(`:\\d+:\\d+: ${field}\\.${says}$`))
    })
  }
})

describe('the files of the `ldap` section', () => {
  it('are problems at their fields where they cannot be read', async () => {
    await using folder = await temporaryFolder()
    const section = {
      ...SECTION,
      ca: 'no-ca',
      bind: { dn: 'cn=svc', password: 'file:no-password' },
    }
    await using built = await buildFrom(
      folder.file('countersign.yaml'),
      JSON.stringify({ basic: { verify: [{ ldap: section }] } }),
    )
    assert.equal(built.located.length, 2, built.located.join('\n'))
    const [ca = '', password = ''] = built.located
    assert.match(ca, new RegExp(`:\\d+:\\d+: ${field}\\.ca: .*/no-ca does not exist$`))
    assert.match(
      password,
      new RegExp(`: ${field}\\.bind\\.password: .*/no-password does not exist$`),
    )
  })

  it('are problems at their fields where they cannot be used', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('text'), 'text')
    const bind = { dn: 'cn=svc', password: 'file:text' }
    const cases = [
      { section: { ca: 'text' }, says: 'ca: .*/text holds no certificate in PEM' },
      {
        section: { client: { certificate: 'text', key: 'file:text' } },
        says: 'client\\.certificate: .*/text holds no certificate in PEM',
      },
    ]
    for (const { section, says } of cases) {
      await using built = await buildFrom(
        folder.file('countersign.yaml'),
        JSON.stringify({ basic: { verify: [{ ldap: { ...SECTION, bind, ...section } }] } }),
      )
      assert.equal(built.located.length, 1, built.located.join('\n'))
      assert.match(built.located[0] ?? '', new RegExp(`:\\d+:\\d+: ${field}\\.${says}$`))
    }
  })

  for (const contents of ['', ' ', '\n', '\0secret']) {
    it(`hostile: are refused with ${JSON.stringify(contents)} as the password`, async () => {
      await using folder = await temporaryFolder()
      await writeFile(folder.file('password'), contents)
      const section = { ...SECTION, bind: { dn: 'cn=svc', password: 'file:password' } }
      await using built = await buildFrom(
        folder.file('countersign.yaml'),
        JSON.stringify({ basic: { verify: [{ ldap: section }] } }),
      )
      const [problem = ''] = built.located
      assert.match(problem, new RegExp(`: ${field}\\.bind\\.password: .*unauthenticated bind`))
    })
  }
})
