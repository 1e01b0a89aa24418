// Identities by expression: what tokens come to, and what hostile ones come to.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claims } from '../../src/identity/claims.ts'
import { IdentityMapping, type MappingResult } from '../../src/identity/mapping.ts'
import { factsOf } from '../fakes/authenticator.ts'
import { identityConfigOf } from '../fakes/mapping.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const mapped = (section: string, claims: Claims): MappingResult =>
  new IdentityMapping('tokens', {
    allowReserved: [],
    identity: identityConfigOf(section),
  }).identityOf(factsOf({ method: 'bearer', user: 'https://issuer#sub', claims }))

const identityIn = (result: MappingResult): unknown => {
  if (result.outcome === 'refused') return result.code
  const { user, uid, groups, extra } = result.identity
  return { user, uid, groups, extra }
}

describe('claims come to', () => {
  const CASES: readonly {
    readonly name: string
    readonly section: string
    readonly claims: Claims
    readonly want: unknown
  }[] = [
    {
      name: 'what was proven, where nothing is said',
      section: '{}',
      claims: { groups: ['a'] },
      want: { user: 'https://issuer#sub', uid: undefined, groups: [], extra: {} },
    },
    {
      name: 'all four',
      section: `
        user: '"oidc:" + claims.email.lowerAscii()'
        uid: claims.oid
        groups: { from: 'claims.?groups.orValue([])', prefix: 'oidc:' }
        extra: { example.org/tenant: claims.tid, none: 'claims.?none.orValue([])' }`,
      claims: { email: 'A@B', oid: '7', groups: ['g'], tid: 't' },
      want: {
        user: 'oidc:a@b',
        uid: '7',
        groups: ['oidc:g'],
        extra: { 'example.org/tenant': ['t'] },
      },
    },
    {
      name: 'one name of a list of one',
      section: 'user: claims.names',
      claims: { names: ['a'] },
      want: { user: 'a', uid: undefined, groups: [], extra: {} },
    },
    {
      name: 'no name of a list of two',
      section: 'user: claims.names',
      claims: { names: ['a', 'b'] },
      want: 'identity-unmapped',
    },
    {
      name: 'no name of an empty list',
      section: 'user: claims.names',
      claims: { names: [] },
      want: 'identity-unmapped',
    },
    {
      name: 'no uid of two',
      section: 'uid: claims.ids',
      claims: { ids: ['a', 'b'] },
      want: 'identity-unmapped',
    },
    {
      name: 'nobody without the claim',
      section: 'user: claims.email',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'nobody without a claim of the groups, though there is a name',
      section: 'groups: claims.groups',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'nobody without a claim of extra',
      section: 'extra: { a: claims.a }',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'a reserved user',
      section: 'user: \'"system:" + claims.sub\'',
      claims: { sub: 'admin' },
      want: 'identity-reserved',
    },
  ]
  for (const { name, section, claims, want } of CASES) {
    it(name, () => assert.deepEqual(identityIn(mapped(section, claims)), want))
  }
})

describe('a claim that is no text, where text belongs', () => {
  const VALUES: readonly unknown[] = [
    null,
    5,
    0.5,
    1e300,
    true,
    {},
    { toString: 'a' },
    [['a']],
    [1],
    ['a', null],
    ['a', { b: 'c' }],
  ]
  for (const value of VALUES) {
    it(`is refused: ${JSON.stringify(value)}`, () => {
      for (const key of ['user', 'uid', 'groups']) {
        const result = mapped(`${key}: claims.x`, { x: value })
        assert.equal(identityIn(result), 'identity-unmapped', key)
      }
      assert.equal(identityIn(mapped('extra: { k: claims.x }', { x: value })), 'identity-unmapped')
      assert.equal(
        identityIn(mapped('user: \'"x:" + claims.x\'', { x: value })),
        'identity-unmapped',
      )
    })
  }
})

describe('hostile claims', () => {
  const SECTION = 'user: claims.email\ngroups: claims.?groups.orValue([])'
  const parsed = (text: string): Claims => {
    const claims: Claims = JSON.parse(text)
    return claims
  }
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const CASES: readonly { name: string; claims: Claims; want: string | undefined }[] = [
    {
      name: '__proto__ with a name in it',
      claims: parsed('{"__proto__":{"email":"root"}}'),
      want: 'identity-unmapped',
    },
    {
      name: 'constructor',
      claims: parsed('{"constructor":{"email":"root"}}'),
      want: 'identity-unmapped',
    },
    {
      name: 'a constructor beside a name',
      claims: parsed('{"email":"a","constructor":"x"}'),
      want: 'identity-unmapped',
    },
    {
      name: 'prototype keys beside a name',
      claims: parsed(
        '{"email":"a","__proto__":{"groups":["root"]},"toString":1,"hasOwnProperty":1}',
      ),
      want: undefined,
    },
    {
      name: 'a claim that is nested deeply',
      claims: { email: 'a', groups: parsed(deep) },
      want: 'identity-unmapped',
    },
    {
      name: 'an object nested deeply',
      claims: parsed(`{"email":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`),
      want: 'identity-unmapped',
    },
    {
      name: 'a megabyte of name',
      claims: { email: 'a'.repeat(1_048_576) },
      want: 'identity-too-large',
    },
    {
      name: 'a megabyte of group',
      claims: { email: 'a', groups: ['a'.repeat(1_048_576)] },
      want: 'identity-too-large',
    },
    {
      name: '10,000 groups',
      claims: { email: 'a', groups: Array.from({ length: 10_000 }, (_, i) => `g${i}`) },
      want: 'identity-too-large',
    },
    {
      name: '10,000 times one group',
      claims: { email: 'a', groups: Array.from({ length: 10_000 }, () => 'g') },
      want: undefined,
    },
    { name: 'NUL', claims: { email: 'a\0' }, want: 'identity-unrepresentable' },
    {
      name: 'CR LF',
      claims: { email: 'a\r\nx-remote-group: root' },
      want: 'identity-unrepresentable',
    },
    {
      name: 'LF in a group',
      claims: { email: 'a', groups: ['a\nb'] },
      want: 'identity-unrepresentable',
    },
    { name: 'a lone surrogate', claims: { email: 'a\udc00' }, want: 'identity-unrepresentable' },
    { name: 'an empty name', claims: { email: '' }, want: 'identity-unrepresentable' },
    {
      name: 'an empty group',
      claims: { email: 'a', groups: [''] },
      want: 'identity-unrepresentable',
    },
    { name: 'a name of spaces', claims: { email: '  ' }, want: 'identity-unrepresentable' },
    // Fine for a header; what it looks like is for whoever shows it.
    { name: 'a name from right to left', claims: { email: '\u202enimda' }, want: undefined },
    {
      name: 'a reserved group',
      claims: { email: 'a', groups: ['system:masters'] },
      want: 'identity-reserved',
    },
    {
      name: 'a reserved group in wide letters',
      claims: { email: 'a', groups: ['ｓystem:masters'] },
      want: undefined,
    },
  ]
  for (const { name, claims, want } of CASES) {
    it(`${name}: ${want ?? 'an identity'}`, () => {
      const started = cpuTime()
      const result = mapped(SECTION, claims)
      assert.equal(result.outcome === 'refused' ? result.code : undefined, want)
      assert.ok(cpuTime() - started < 2_000)
    })
  }

  it('leave no trace on objects', () => {
    mapped(SECTION, parsed('{"email":"a","__proto__":{"polluted":"yes"}}'))
    assert.ok(!('polluted' in {}))
  })
})
