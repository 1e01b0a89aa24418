// Distinguished names: escaped, read in every spelling, compared.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  dnKey,
  escapeDnValue,
  firstValueOf,
  isTooLong,
  isUnder,
  parseDn,
} from '../../../src/clients/ldap/dn.ts'
import { cpuTime } from '../../fakes/cpu-time.ts'
import { HOSTILE_NAMES } from '../../fakes/hostile-names.ts'

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

  for (const value of HOSTILE_NAMES) {
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

describe('a name that is taken apart', () => {
  it('has up to 4,096 characters and 64 commas', () => {
    assert.equal(isTooLong(`cn=${'x'.repeat(4_093)}`), false)
    assert.equal(isTooLong(`cn=${'x'.repeat(4_094)}`), true)
    assert.equal(isTooLong(`${'cn=a,'.repeat(64)}dc=x`), false)
    assert.equal(isTooLong(`${'cn=a,'.repeat(65)}dc=x`), true)
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
