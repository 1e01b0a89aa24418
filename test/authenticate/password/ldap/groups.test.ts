// Groups of a real OpenLDAP: by attribute and by search, nested, in a circle, too many, with unusual names.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { LdapGroups, LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { GROUPS, OTHER_USERS } from '../../../servers/openldap-data.ts'
import { CONFORMANCE_USERS } from '../conformance.ts'
import { causeOf, openLdapSettings, verifyWith } from './settings.ts'

const PASSWORDS = {
  alice: CONFORMANCE_USERS.alice.password,
  jürgen: CONFORMANCE_USERS.jürgen.password,
  twin1: 'Twin-Secret1',
  twin2: 'Twin-Secret1',
  ...OTHER_USERS,
} as const

type User = keyof typeof PASSWORDS

type Way = Pick<LdapGroups, 'attribute' | 'search'>

const memberOf = (nested = 0): Way => ({ attribute: { name: 'memberOf', nested } })

const search = (nested = 0, filter = '(member={dn})', base = GROUPS): Way => ({
  search: { base, scope: 'sub', filter, nested },
})

const byDn = (way: Way, more: Partial<LdapGroups> = {}): LdapGroups => ({
  ...way,
  limit: 100,
  ...more,
})

const SONS = 'Smith, Sons + Co'

describe('groups of OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let settings: LdapSettings
  before(async () => {
    server = await startOpenLdap()
    settings = await openLdapSettings(server)
  })
  after(async () => await server[Symbol.asyncDispose]())

  const CASES: readonly {
    readonly name: string
    readonly user: User
    readonly groups: LdapGroups
    readonly want: readonly string[]
  }[] = [
    { name: 'direct', user: 'alice', groups: byDn(memberOf()), want: ['developers'] },
    { name: 'searched', user: 'alice', groups: byDn(search()), want: ['developers'] },
    {
      name: 'nested, in a circle',
      user: 'alice',
      groups: byDn(memberOf(5)),
      want: ['developers', 'everyone', 'round', 'staff'],
    },
    {
      name: 'searched, nested, in a circle',
      user: 'alice',
      groups: byDn(search(5)),
      want: ['developers', 'everyone', 'round', 'staff'],
    },
    { name: 'of a user without groups', user: 'twin2', groups: byDn(memberOf(5)), want: [] },
    {
      name: 'of a user without groups, searched',
      user: 'twin2',
      groups: byDn(search(5)),
      want: [],
    },
    {
      name: 'with names that a DN escapes',
      user: 'lead',
      groups: byDn(memberOf()),
      want: ['#hash', SONS, 'größe'],
    },
    {
      name: 'searched for a user whose DN is escaped',
      user: 'odd',
      groups: byDn(search()),
      want: [SONS],
    },
    {
      name: 'searched for a user whose DN has a comma',
      user: 'john',
      groups: byDn(search()),
      want: [SONS, 'developers'],
    },
    {
      name: 'called by an attribute',
      user: 'alice',
      groups: byDn(memberOf(), { name: 'description' }),
      want: ['Those who develop'],
    },
    {
      name: 'searched, called by an attribute',
      user: 'alice',
      groups: byDn(search(5), { name: 'DESCRIPTION' }),
      want: ['Those who develop', 'everyone', 'round', 'staff'],
    },
    {
      name: 'of one branch only',
      user: 'jürgen',
      groups: byDn(memberOf(), { subtree: `OU=Project, ${GROUPS}` }),
      want: ['admins'],
    },
    {
      name: 'of a branch that is reached through other branches',
      user: 'alice',
      groups: byDn(memberOf(5), { subtree: `CN=Everyone,${GROUPS}` }),
      want: ['everyone'],
    },
    {
      name: 'not of another branch',
      user: 'alice',
      groups: byDn(memberOf(), { subtree: `ou=project,${GROUPS}` }),
      want: [],
    },
    {
      name: 'by the name of the user',
      user: 'john',
      groups: byDn(search(0, '(memberUid={user})')),
      want: ['posix'],
    },
    {
      name: 'with further conditions in the filter',
      user: 'john',
      groups: byDn(search(0, '(&(member={dn})(cn=dev*))')),
      want: ['developers'],
    },
  ]
  for (const { name, user, groups, want } of CASES) {
    it(`are found ${name}`, async () => {
      const verification = await verifyWith({ ...settings, groups }, user, PASSWORDS[user])
      assert.equal(verification.outcome, 'verified', causeOf(verification).message)
      assert.deepEqual(verification.user.groups, want)
    })
  }

  const REFUSED: readonly {
    readonly name: string
    readonly user: User
    readonly groups: LdapGroups
    readonly failure: string
    readonly want: RegExp
  }[] = [
    {
      name: 'too many',
      user: 'twin1',
      groups: byDn(memberOf(), { limit: 59 }),
      failure: 'groups-unusable',
      want: /^twin1 is in more than 59 groups$/,
    },
    {
      name: 'too deep',
      user: 'alice',
      groups: byDn(memberOf(1)),
      failure: 'groups-unusable',
      want: /nested more than 1 levels deep$/,
    },
    {
      name: 'too deep in a search',
      user: 'alice',
      groups: byDn(search(2)),
      failure: 'groups-unusable',
      want: /nested more than 2 levels deep$/,
    },
    {
      // The server's own limit is 50: a truncated list must not be accepted as complete.
      name: 'more than the server lists',
      user: 'twin1',
      groups: byDn(search()),
      failure: 'answered',
      want: /result code 4/,
    },
    {
      name: 'without the attribute that names them',
      user: 'alice',
      groups: byDn(memberOf(), { name: 'businessCategory' }),
      failure: 'groups-unusable',
      want: /cn=developers,.* has not exactly one businessCategory$/,
    },
    {
      name: 'under a base that is not there',
      user: 'alice',
      groups: byDn(search(0, '(member={dn})', `ou=nowhere,${GROUPS}`)),
      failure: 'answered',
      want: /result code 32/,
    },
    {
      name: 'in an attribute that holds no DNs',
      user: 'alice',
      groups: byDn({ attribute: { name: 'title', nested: 0 } }),
      failure: 'groups-unusable',
      want: /the group "(Engineer|Officer)" has no name$/,
    },
  ]
  for (const { name, user, groups, failure, want } of REFUSED) {
    it(`make the user unavailable where they are ${name}`, async () => {
      const cause = causeOf(await verifyWith({ ...settings, groups }, user, PASSWORDS[user]))
      assert.equal(cause.failure, failure, cause.message)
      assert.match(cause.message, want)
    })
  }

  it('are found by the name in the directory, in whatever case it was typed', async () => {
    const groups = byDn(search(0, '(memberUid={user})'))
    const verification = await verifyWith({ ...settings, groups }, 'ALICE', PASSWORDS.alice)
    assert.equal(verification.outcome, 'verified')
    assert.deepEqual(verification.user.groups, ['posix'])
  })

  it('may be as many as the limit', async () => {
    const groups = byDn(memberOf(), { limit: 60 })
    const verification = await verifyWith({ ...settings, groups }, 'twin1', PASSWORDS.twin1)
    assert.equal(verification.outcome, 'verified')
    assert.equal(verification.user.groups.length, 60)
  })
})
