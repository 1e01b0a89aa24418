// What a directory's options can have wrong.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ldapProblems } from '../../../../src/authenticate/password/ldap/check.ts'
import type { LdapOptions } from '../../../../src/authenticate/password/ldap/options.ts'
import { ServicePassword } from '../../../../src/clients/ldap/options.ts'
import { LIMITS } from './options.ts'

describe('a configuration', () => {
  const search = { base: 'ou=people', scope: 'sub', filter: '(uid={user})' } as const
  const service = { dn: 'cn=svc', password: new ServicePassword('x') }
  const GOOD: LdapOptions = {
    servers: ['ldaps://ad.example.org'],
    tls: { startTls: true },
    limits: LIMITS,
    proof: { kind: 'search', service, search },
    attributes: { user: 'uid', extra: {} },
  }
  const groups = (lookup: NonNullable<LdapOptions['groups']>['lookup']): LdapOptions['groups'] => ({
    lookup,
    name: 'rdn',
    limit: 10,
  })
  const memberOf = { kind: 'attribute', attribute: 'memberOf', nested: 0 } as const
  const CASES: readonly {
    readonly name: string
    readonly options: Partial<LdapOptions>
    readonly want: readonly string[]
  }[] = [
    { name: 'nothing wrong', options: {}, want: [] },
    { name: 'no server', options: { servers: [] }, want: ['servers names no server'] },
    {
      name: 'a server that is none',
      options: { servers: ['ldaps://a', 'https://b'] },
      want: ['servers.1 must be "ldap://HOST[:PORT]" or "ldaps://…"'],
    },
    {
      name: 'a filter for everybody',
      options: { proof: { kind: 'search', service, search: { ...search, filter: '(uid=*)' } } },
      want: ['proof.search.filter must contain a placeholder'],
    },
    {
      name: 'a filter that is none',
      options: { proof: { kind: 'search', service, search: { ...search, filter: '(uid={user}' } } },
      want: ['proof.search.filter is no filter (RFC 4515): '],
    },
    {
      name: 'a base that is no DN',
      options: { proof: { kind: 'search', service, search: { ...search, base: 'people' } } },
      want: ['proof.search.base is no distinguished name'],
    },
    {
      name: 'a name for everybody',
      options: { proof: { kind: 'direct', names: ['cn=admin,dc=x'] } },
      want: ['proof.names.0 must contain "{user}"'],
    },
    {
      name: 'no name',
      options: { proof: { kind: 'direct', names: [] } },
      want: ['proof.names is empty'],
    },
    {
      name: 'a name that is no DN, and no search',
      options: { proof: { kind: 'direct', names: ['{user}@example.org'] } },
      want: ['proof.search is needed'],
    },
    { name: 'groups by attribute', options: { groups: groups(memberOf) }, want: [] },
    {
      name: 'a branch of groups that is no DN',
      options: {
        groups: { lookup: memberOf, name: 'rdn', limit: 1, under: 'x', primaryUnder: 'y' },
      },
      want: ['groups.subtree is no', 'groups.primaryGroupBase is no'],
    },
    {
      name: 'groups of everybody',
      options: {
        groups: groups({ ...search, kind: 'search', filter: '(cn=*)', nested: 0 }),
      },
      want: ['groups.lookup.filter must contain a placeholder'],
    },
    {
      name: 'nested groups found by the name of the user only',
      options: {
        groups: groups({ ...search, kind: 'search', filter: '(memberUid={user})', nested: 1 }),
      },
      want: ['groups.lookup.filter must contain a placeholder'],
    },
    {
      name: 'groups that Active Directory resolves',
      options: { groups: groups({ kind: 'ad', base: 'dc=x', filter: '(objectClass=group)' }) },
      want: [],
    },
  ]
  for (const { name, options, want } of CASES) {
    it(`has ${name}`, () => {
      const problems = ldapProblems({ ...GOOD, ...options }).map(
        ({ path, message }) => `${path.join('.')} ${message}`,
      )
      assert.equal(problems.length, want.length, problems.join('\n'))
      for (const [index, start] of want.entries()) assert.ok(problems[index]?.startsWith(start))
    })
  }
})
