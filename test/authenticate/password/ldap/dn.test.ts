// Distinguished names: escaped, read in every spelling, compared; and placeholders filled with what
// was typed.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  dnKey,
  escapeDnValue,
  firstValueOf,
  isTooLong,
  isUnder,
  parseDn,
} from '../../../../src/authenticate/password/ldap/dn.ts'
import { filterProblem } from '../../../../src/authenticate/password/ldap/requests.ts'
import {
  escapeFilterValue,
  isDnTemplate,
  renderFilter,
  renderName,
} from '../../../../src/authenticate/password/ldap/template.ts'
import { CALLER } from '../../../fakes/caller.ts'
import { cpuTime } from '../../../fakes/cpu-time.ts'
import { ldapEntry, ldapResponse, startLdapServer } from '../../../fakes/ldap-server.ts'
import { LdapVerifier } from '../../../../src/authenticate/password/ldap.ts'
import { causeOf } from './options.ts'
import { ALICE, optionsFor } from './scripted.ts'

const HOSTILE = [
  '*',
  ')(uid=*',
  '\\2a',
  'a\u0000b',
  '\u0000',
  'admin)(|(uid=*',
  ',dc=example',
  '+cn=x',
  ' ',
  '  ',
  ' a ',
  '#x',
  '"x"',
  '<a>;b=c',
  '\\',
  '\\ ',
  'a\\',
  'jürgen',
  '😀',
  '\r\n',
  '\u007f\u0085',
  '{user}',
  '{dn}',
  '$&$1',
]

describe('a value in a DN', () => {
  const CASES: Readonly<Record<string, string>> = {
    'Smith, John': 'Smith\\, John',
    '#lead': '\\#lead',
    'a#b': 'a#b',
    ' a b ': '\\ a b\\ ',
    ' ': '\\ ',
    'a+b="c";<d>\\': 'a\\+b\\=\\"c\\"\\;\\<d\\>\\\\',
    'a\u0000b': 'a\\00b',
    jürgen: 'jürgen',
  }
  for (const [value, want] of Object.entries(CASES)) {
    it(`is escaped: ${JSON.stringify(value)}`, () => assert.equal(escapeDnValue(value), want))
  }

  for (const value of HOSTILE) {
    it(`is read as it was written: ${JSON.stringify(value)}`, () => {
      const dn = `uid=${escapeDnValue(value)},ou=people,dc=example`
      assert.deepEqual(parseDn(dn), [
        [{ type: 'uid', value }],
        [{ type: 'ou', value: 'people' }],
        [{ type: 'dc', value: 'example' }],
      ])
    })
  }
})

describe('a DN', () => {
  const FIRST: Readonly<Record<string, string | undefined>> = {
    'cn=ops,ou=groups': 'ops',
    'CN = ops , OU = groups': 'ops',
    'cn=Smith\\2C John,ou=people': 'Smith, John',
    'cn=Smith\\, John,ou=people': 'Smith, John',
    'cn=gr\\C3\\B6\\C3\\9Fe': 'größe',
    'cn=a\\+b+uid=x,ou=y': 'a+b',
    '2.5.4.3=ops': 'ops',
    'cn=': '',
    '': undefined,
    ops: undefined,
    'cn=ops,': undefined,
    'cn="ops"': undefined,
    'cn=a\\': undefined,
    'cn=a\\x': undefined,
    '=ops': undefined,
  }
  for (const [dn, want] of Object.entries(FIRST)) {
    it(`begins with ${JSON.stringify(want)}: ${dn}`, () => assert.equal(firstValueOf(dn), want))
  }

  it('is the same in every spelling', () => {
    const keys = [
      'cn=Smith\\, John,ou=people,dc=example',
      'CN=smith\\2C JOHN, OU=People, DC=Example',
      'cn=Smith\\2c John,ou=people,dc=example',
    ].map(dnKey)
    assert.equal(new Set(keys).size, 1)
    assert.equal(dnKey('cn=a+uid=b'), dnKey('UID=b+CN=a'))
  })

  it('is not the same as one with its parts elsewhere', () => {
    const keys = ['cn=a,ou=b', 'cn=a\\,ou=b', 'cn=a+ou=b', 'ou=b,cn=a', 'cn=a', 'cn=a,ou=b,dc=c']
    assert.equal(new Set(keys.map(dnKey)).size, keys.length)
  })

  const UNDER: readonly (readonly [dn: string, base: string, want: boolean])[] = [
    ['cn=a,ou=groups,dc=x', 'ou=groups,dc=x', true],
    ['CN=a, OU=Groups, DC=X', 'ou=groups,dc=x', true],
    ['ou=groups,dc=x', 'ou=groups,dc=x', true],
    ['cn=a,ou=groups,dc=x', '', true],
    ['cn=a,ou=groups,dc=y', 'ou=groups,dc=x', false],
    ['cn=a\\,ou=groups,dc=x', 'ou=groups,dc=x', false],
    ['ou=groups,dc=x', 'cn=a,ou=groups,dc=x', false],
    ['cn=a,ou=xgroups,dc=x', 'ou=groups,dc=x', false],
    ['nonsense', 'ou=groups,dc=x', false],
  ]
  for (const [dn, base, want] of UNDER) {
    it(`${dn} is ${want ? '' : 'not '}under "${base}"`, () => assert.equal(isUnder(dn, base), want))
  }
})

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
    it(`is a filter whoever it is for: ${template}`, () => {
      const structure = (text: string): string => text.replaceAll(/[^()*]/g, '')
      for (const user of HOSTILE) {
        const filter = renderFilter(template, { user })
        assert.equal(filterProblem(filter), undefined, filter)
        assert.equal(structure(filter), structure(renderFilter(template, { user: 'x' })))
      }
    })
  }

  it('is filled once', () => {
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

  it('is told from a DN', () => {
    for (const template of ['uid={user},dc=x', ' CN = {user}']) assert.ok(isDnTemplate(template))
    for (const template of [UPN, DOWN_LEVEL, '{user}']) assert.ok(!isDnTemplate(template))
  })
})

describe('a name that is taken apart', () => {
  it('has up to 4,096 characters and 64 commas', () => {
    assert.equal(isTooLong(`cn=${'x'.repeat(4_093)}`), false)
    assert.equal(isTooLong(`cn=${'x'.repeat(4_094)}`), true)
    assert.equal(isTooLong(`${'cn=a,'.repeat(64)}dc=x`), false)
    assert.equal(isTooLong(`${'cn=a,'.repeat(65)}dc=x`), true)
  })

  it('is that of a group, else the user is unavailable', async () => {
    const memberOf = `${'cn=a,'.repeat(200_000)}dc=x`
    await using server = await startLdapServer((request) => {
      if (request.kind === 'bind') return ldapResponse(request, 0)
      return Buffer.concat([
        ldapEntry(request.messageId, ALICE.dn, { uid: ['alice'], memberOf: [memberOf] }),
        ldapResponse(request, 0),
      ])
    })
    const lookup = { kind: 'attribute', attribute: 'memberOf', nested: 0 } as const
    const groups = { lookup, name: 'rdn', limit: 500, under: 'dc=x' } as const
    using verifier = new LdapVerifier({ ...optionsFor([server]), groups })
    const { failure, message } = causeOf(await verifier.verify('alice', ALICE.password, CALLER))
    assert.equal(failure, 'groups-unusable')
    assert.match(message, /a group of alice has a name that is too long: cn=a,.{95}…$/)
  })
})

describe('spaces at the end of a value', () => {
  const CASES = [
    { text: 'cn=a  ', want: 'a' },
    { text: 'cn=a\\ ', want: 'a ' },
    { text: 'cn=a\\   ', want: 'a ' },
    { text: 'cn=\\ ', want: ' ' },
    { text: 'cn=  ', want: '' },
  ]
  for (const { text, want } of CASES) {
    it(`${JSON.stringify(text)} → ${JSON.stringify(want)}`, () => {
      assert.equal(firstValueOf(text), want)
    })
  }

  it('hostile: thousands of them take linear time', () => {
    const start = cpuTime()
    assert.equal(firstValueOf(`cn=${' '.repeat(50_000)}"`), undefined)
    assert.ok(cpuTime() - start < 50, `${cpuTime() - start} ms`)
  })
})
