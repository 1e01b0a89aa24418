// Identities by expression: what claims are mapped to, hostile ones included.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Claims } from '../../src/identity/claims.ts'
import type { MappingResult } from '../../src/identity/mapping.ts'
import { mapped } from '../fakes/mapping.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const identityIn = (result: MappingResult): unknown => {
  if (result.outcome === 'refused') return result.code
  const { user, uid, groups, extra } = result.identity
  return { user, uid, groups, extra }
}

describe('the mapping of claims', () => {
  const CASES: readonly {
    readonly name: string
    readonly section: string
    readonly claims: Claims
    readonly want: unknown
  }[] = [
    {
      name: 'keeps the proven identity where the section is empty',
      section: '{}',
      claims: { groups: ['a'] },
      want: { user: 'https://issuer#sub', uid: undefined, groups: [], extra: {} },
    },
    {
      name: 'sets user, uid, groups and extra',
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
      name: 'takes the user from a list of one',
      section: 'user: claims.names',
      claims: { names: ['a'] },
      want: { user: 'a', uid: undefined, groups: [], extra: {} },
    },
    {
      name: 'refuses a list of two as the user',
      section: 'user: claims.names',
      claims: { names: ['a', 'b'] },
      want: 'identity-unmapped',
    },
    {
      name: 'refuses an empty list as the user',
      section: 'user: claims.names',
      claims: { names: [] },
      want: 'identity-unmapped',
    },
    {
      name: 'refuses a list of two as the uid',
      section: 'uid: claims.ids',
      claims: { ids: ['a', 'b'] },
      want: 'identity-unmapped',
    },
    {
      name: 'refuses a token without the claim of the user',
      section: 'user: claims.email',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'refuses a token without the claim of the groups',
      section: 'groups: claims.groups',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'refuses a token without a claim of extra',
      section: 'extra: { a: claims.a }',
      claims: {},
      want: 'identity-unmapped',
    },
    {
      name: 'refuses a reserved user',
      section: 'user: \'"system:" + claims.sub\'',
      claims: { sub: 'admin' },
      want: 'identity-reserved',
    },
  ]
  for (const { name, section, claims, want } of CASES) {
    it(name, () => assert.deepEqual(identityIn(mapped(section, claims)), want))
  }
})

describe('a claim that is not a string', () => {
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
    it(`is refused for user, uid, groups and extra: ${JSON.stringify(value)}`, () => {
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

describe('the mapping of hostile claims', () => {
  const SECTION = 'user: claims.email\ngroups: claims.?groups.orValue([])'
  const parsed = (text: string): Claims => {
    const claims: Claims = JSON.parse(text)
    return claims
  }
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const CASES: readonly { name: string; claims: Claims; want: string | undefined }[] = [
    {
      name: '__proto__ that has the claim',
      claims: parsed('{"__proto__":{"email":"root"}}'),
      want: 'identity-unmapped',
    },
    {
      name: 'constructor that has the claim',
      claims: parsed('{"constructor":{"email":"root"}}'),
      want: 'identity-unmapped',
    },
    {
      name: 'a constructor in addition to the claim',
      claims: parsed('{"email":"a","constructor":"x"}'),
      want: 'identity-unmapped',
    },
    {
      name: 'properties of Object.prototype in addition to the claim',
      claims: parsed(
        '{"email":"a","__proto__":{"groups":["root"]},"toString":1,"hasOwnProperty":1}',
      ),
      want: undefined,
    },
    {
      name: 'a claim of 20,000 nested lists',
      claims: { email: 'a', groups: parsed(deep) },
      want: 'identity-unmapped',
    },
    {
      name: 'a claim of 5,000 nested objects',
      claims: parsed(`{"email":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`),
      want: 'identity-unmapped',
    },
    {
      name: 'a user of 1 MiB',
      claims: { email: 'a'.repeat(1_048_576) },
      want: 'identity-too-large',
    },
    {
      name: 'a group of 1 MiB',
      claims: { email: 'a', groups: ['a'.repeat(1_048_576)] },
      want: 'identity-too-large',
    },
    {
      name: '10,000 groups',
      claims: { email: 'a', groups: Array.from({ length: 10_000 }, (_, i) => `g${i}`) },
      want: 'identity-too-large',
    },
    {
      name: 'one group 10,000 times',
      claims: { email: 'a', groups: Array.from({ length: 10_000 }, () => 'g') },
      want: undefined,
    },
    { name: 'NUL in the user', claims: { email: 'a\0' }, want: 'identity-unrepresentable' },
    {
      name: 'CR LF in the user',
      claims: { email: 'a\r\nx-remote-group: root' },
      want: 'identity-unrepresentable',
    },
    {
      name: 'LF in a group',
      claims: { email: 'a', groups: ['a\nb'] },
      want: 'identity-unrepresentable',
    },
    {
      name: 'a lone surrogate in the user',
      claims: { email: 'a\udc00' },
      want: 'identity-unrepresentable',
    },
    { name: 'an empty user', claims: { email: '' }, want: 'identity-unrepresentable' },
    {
      name: 'an empty group',
      claims: { email: 'a', groups: [''] },
      want: 'identity-unrepresentable',
    },
    { name: 'a user of spaces', claims: { email: '  ' }, want: 'identity-unrepresentable' },
    // A header can contain it; the account page removes the override.
    {
      name: 'a right-to-left override in the user',
      claims: { email: '\u202enimda' },
      want: undefined,
    },
    {
      name: 'a reserved group',
      claims: { email: 'a', groups: ['system:masters'] },
      want: 'identity-reserved',
    },
    {
      name: 'a reserved group in full-width letters',
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

  it('does not change Object.prototype', () => {
    mapped(SECTION, parsed('{"email":"a","__proto__":{"polluted":"yes"}}'))
    assert.ok(!('polluted' in {}))
  })
})
