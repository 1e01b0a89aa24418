// Templates of filters and bind names, filled with typed names.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  escapeFilterValue,
  isDnTemplate,
  renderFilter,
  renderName,
} from '../../../../src/authenticate/password/ldap/template.ts'
import { filterProblem } from '../../../../src/clients/ldap/requests.ts'
import { HOSTILE_NAMES } from '../../../fakes/hostile-names.ts'

describe('a filter', () => {
  const CASES: Readonly<Record<string, string>> = {
    '*': '\\2a',
    ')(uid=*': '\\29\\28uid=\\2a',
    '\\2a': '\\5c2a',
    'a\u0000b': 'a\\00b',
    'admin)(|(uid=*': 'admin\\29\\28|\\28uid=\\2a',
    jürgen: 'jürgen',
    '&|!=~<>:': '&|!=~<>:',
  }
  for (const [value, want] of Object.entries(CASES)) {
    it(`has its value escaped: ${JSON.stringify(value)}`, () =>
      assert.equal(escapeFilterValue(value), want))
  }

  const TEMPLATES = [
    '(uid={user})',
    '(&(objectClass=person)(|(uid={user})(mail={user}@example.org)))',
    '(member:1.2.840.113556.1.4.1941:={user})',
    '(cn=*{user}*)',
    '(!(uid={user}))',
  ]
  for (const template of TEMPLATES) {
    it(`is well formed for any user: ${template}`, () => {
      const structure = (text: string): string => text.replaceAll(/[^()*]/g, '')
      for (const user of HOSTILE_NAMES) {
        const filter = renderFilter(template, { user })
        assert.equal(filterProblem(filter), undefined, filter)
        assert.equal(structure(filter), structure(renderFilter(template, { user: 'x' })))
      }
    })
  }

  it('replaces placeholders once', () => {
    const values = { user: '{dn}', dn: '{user}' }
    assert.equal(renderFilter('(|(a={user})(b={dn}))', values), '(|(a={dn})(b={user}))')
    assert.equal(renderFilter('(a={user})', { user: '$&' }), '(a=$&)')
  })
})

describe('a name to bind with', () => {
  const UPN = '{user}@corp.example.org'
  const DOWN_LEVEL = 'CORP\\{user}'
  const CASES: readonly (readonly [template: string, user: string, want: string | undefined])[] = [
    [UPN, 'alice', 'alice@corp.example.org'],
    [UPN, 'alice@other.org', undefined],
    [UPN, 'OTHER\\alice', undefined],
    [DOWN_LEVEL, 'alice', 'CORP\\alice'],
    [DOWN_LEVEL, 'x\\alice', undefined],
    ['{user}', 'alice@other.org', 'alice@other.org'],
    ['uid={user},ou=people', 'alice', 'uid=alice,ou=people'],
    ['uid={user},ou=people', 'a@b', 'uid=a@b,ou=people'],
    ['uid={user},ou=people', 'a,ou=admins', 'uid=a\\,ou\\=admins,ou=people'],
  ]
  for (const [template, user, want] of CASES) {
    it(`made of ${template} and ${user} is ${want}`, () =>
      assert.equal(renderName(template, user), want))
  }

  it('is distinguished from a DN', () => {
    for (const template of ['uid={user},dc=x', ' CN = {user}']) assert.ok(isDnTemplate(template))
    for (const template of [UPN, DOWN_LEVEL, '{user}']) assert.ok(!isDnTemplate(template))
  })
})
