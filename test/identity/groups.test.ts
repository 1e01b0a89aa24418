// The steps that groups go through, their order, and their limits.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { IdentityMapping, type MappingResult } from '../../src/identity/mapping.ts'
import { credentialOf } from '../fakes/authenticator.ts'
import { identityConfigOf } from '../fakes/mapping.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const resultOf = (
  section: string,
  groups: readonly string[],
  allowReserved: readonly string[] = [],
): MappingResult => {
  const identity = identityConfigOf(`groups: ${section}`, 'account')
  return new IdentityMapping('staff', { allowReserved, identity }).identityOf(
    credentialOf({ groups }),
  )
}

const groupsOf = (section: string, groups: readonly string[]): readonly string[] | string => {
  const result = resultOf(section, groups)
  return result.outcome === 'identity' ? result.identity.groups : result.code
}

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `g${String(index).padStart(4, '0')}`)

describe('groups of an identity', () => {
  const CASES: readonly {
    readonly name: string
    readonly section: string
    readonly groups: readonly string[]
    readonly want: readonly string[] | string
  }[] = [
    { name: 'are the proven ones by default', section: '{}', groups: ['b', 'a'], want: ['b', 'a'] },
    { name: 'are without repetitions', section: '{}', groups: ['b', 'a', 'b'], want: ['b', 'a'] },
    {
      name: 'may be an expression, short form',
      section: "account.groups.map(g, 'x' + g)",
      groups: ['a'],
      want: ['xa'],
    },
    {
      name: 'may be an expression, long form',
      section: '{ from: \'account.groups.map(g, "x" + g)\' }',
      groups: ['a'],
      want: ['xa'],
    },
    {
      name: 'are filtered by `keep`',
      section: '{ keep: [k8s-*, admins] }',
      groups: ['k8s-dev', 'mail', 'admins', 'admins-2'],
      want: ['k8s-dev', 'admins'],
    },
    { name: 'may be filtered to none', section: '{ keep: [k8s-*] }', groups: ['mail'], want: [] },
    {
      name: 'are filtered by `drop`',
      section: "{ drop: ['*-mail', all] }",
      groups: ['a-mail', 'all', 'b'],
      want: ['b'],
    },
    {
      name: 'are dropped where both `keep` and `drop` match',
      section: '{ keep: [k8s-*], drop: [k8s-test-*] }',
      groups: ['k8s-test-1', 'k8s-dev'],
      want: ['k8s-dev'],
    },
    {
      name: 'are compared with case',
      section: '{ keep: [dev] }',
      groups: ['DEV', 'dev'],
      want: ['dev'],
    },
    {
      name: 'match a pattern as a whole, in which dots and brackets have no special meaning',
      section: "{ keep: ['a.[b]*'] }",
      groups: ['a.[b]c', 'axbc', 'xa.[b]'],
      want: ['a.[b]c'],
    },
    {
      name: 'are renamed after `keep` has compared their old names',
      section: '{ keep: [CN=Admins], rename: { CN=Admins: admins } }',
      groups: ['CN=Admins', 'admins'],
      want: ['admins'],
    },
    {
      name: 'are renamed once, not in a chain',
      section: '{ rename: { a: b, b: c } }',
      groups: ['a', 'b'],
      want: ['b', 'c'],
    },
    {
      name: 'of the same new name become one',
      section: '{ rename: { a: x, b: x } }',
      groups: ['a', 'c', 'b'],
      want: ['x', 'c'],
    },
    {
      name: 'get the prefix, renamed or not',
      section: "{ rename: { a: b }, prefix: 'oidc:' }",
      groups: ['a', 'c'],
      want: ['oidc:b', 'oidc:c'],
    },
    {
      name: 'may be named like properties of Object',
      section: '{ rename: { a: b } }',
      groups: ['constructor', '__proto__', 'toString', 'a'],
      want: ['constructor', '__proto__', 'toString', 'b'],
    },
    {
      name: 'keep their order',
      section: '{ drop: [x] }',
      groups: ['z', 'x', 'a'],
      want: ['z', 'a'],
    },
    {
      name: 'with an empty name are refused',
      section: '{}',
      groups: [''],
      want: 'identity-unrepresentable',
    },
    {
      name: 'with an empty name may be removed by `keep`',
      section: "{ keep: ['?*', a] }",
      groups: ['', 'a'],
      want: ['a'],
    },
    {
      name: 'with a reserved name are refused',
      section: '{}',
      groups: ['a', 'system:masters'],
      want: 'identity-reserved',
    },
    {
      name: 'with a reserved name may be dropped',
      section: "{ drop: ['system:*'] }",
      groups: ['a', 'system:masters'],
      want: ['a'],
    },
    {
      name: 'are refused where `rename` makes a reserved name',
      section: "{ rename: { a: 'system:masters' } }",
      groups: ['a'],
      want: 'identity-reserved',
    },
    {
      name: 'are refused where `prefix` makes a reserved name',
      section: "{ prefix: 'system:' }",
      groups: ['masters'],
      want: 'identity-reserved',
    },
    {
      name: 'are refused where `prefix` and `rename` make a reserved name in another case',
      section: "{ prefix: 'Sys', rename: { a: 'tem:masters' } }",
      groups: ['a'],
      want: 'identity-reserved',
    },
    {
      name: 'with a reserved name are accepted with a prefix',
      section: "{ prefix: 'oidc:' }",
      groups: ['system:masters'],
      want: ['oidc:system:masters'],
    },
  ]
  for (const { name, section, groups, want } of CASES) {
    it(name, () => assert.deepEqual(groupsOf(section, groups), want))
  }

  it('renamed to a reserved name are accepted where `allowReserved` lists it', () => {
    const section = "{ rename: { a: 'system:masters' } }"
    assert.equal(resultOf(section, ['a'], ['system:masters']).outcome, 'identity')
  })
})

describe('an excess of groups', () => {
  const cutOf = (section: string, groups: readonly string[]): Identity => {
    const result = resultOf(section, groups)
    assert.ok(result.outcome === 'identity', JSON.stringify(result))
    return result.identity
  }

  it('is refused beyond 500 by default', () => {
    assert.equal(groupsOf('{}', many(500)).length, 500)
    assert.equal(groupsOf('{}', many(501)), 'identity-too-large')
    const result = resultOf('{}', many(2_000))
    assert.deepEqual(result, {
      outcome: 'refused',
      code: 'identity-too-large',
      detail: 'groups: 2000, where there may be at most 500 with 16384 bytes',
    })
  })

  it('is refused beyond 16 KiB by default', () => {
    const long = (count: number): readonly string[] => many(count).map((g) => g.padEnd(1_024, 'x'))
    assert.equal(groupsOf('{}', long(16)).length, 16)
    assert.equal(groupsOf('{}', long(17)), 'identity-too-large')
  })

  it('is counted in bytes of UTF-8', () => {
    assert.deepEqual(groupsOf('{ maxBytes: 4 }', ['ää']), ['ää'])
    assert.equal(groupsOf('{ maxBytes: 3 }', ['ää']), 'identity-too-large')
  })

  it('is counted after filters, prefix and removal of repetitions', () => {
    assert.equal(groupsOf("{ keep: ['g00*'] }", many(2_000)).length, 100)
    assert.deepEqual(groupsOf('{ max: 1 }', ['a', 'a']), ['a'])
    assert.equal(groupsOf("{ maxBytes: 2, prefix: 'x:' }", ['a']), 'identity-too-large')
  })

  it('is truncated only with `onExcess: truncate`, and the omitted ones are counted', () => {
    const identity = cutOf('{ max: 3, onExcess: truncate }', many(2_000))
    assert.deepEqual(identity.groups, ['g0000', 'g0001', 'g0002'])
    assert.equal(identity.groupsOmitted, 1_997)
  })

  it('is truncated at the first group that does not fit', () => {
    const identity = cutOf('{ maxBytes: 6, onExcess: truncate }', ['abc', 'toolong', 'x'])
    assert.deepEqual([identity.groups, identity.groupsOmitted], [['abc'], 2])
  })

  it('is not reported where none was omitted', () => {
    assert.ok(!('groupsOmitted' in cutOf('{ max: 3, onExcess: truncate }', many(3))))
  })

  it('may be any group, with `max: 0`', () => {
    assert.equal(groupsOf('{ max: 0 }', ['a']), 'identity-too-large')
    assert.deepEqual(groupsOf('{ max: 0, onExcess: truncate }', ['a']), [])
  })

  it('does not hide a reserved group: it is refused even where it would be omitted', () => {
    const groups = [...many(5), 'system:masters']
    assert.equal(groupsOf('{ max: 3, onExcess: truncate }', groups), 'identity-reserved')
  })

  it('is filtered in less than 5 s of CPU time: 10,000 groups against 100 patterns', () => {
    const patterns = Array.from({ length: 100 }, (_, index) => `'*a*b*${index}'`).join(', ')
    const started = cpuTime()
    const groups = many(10_000).map((group) => `${group}${'ab'.repeat(50)}`)
    assert.deepEqual(groupsOf(`{ drop: [${patterns}], keep: [nothing] }`, groups), [])
    assert.ok(cpuTime() - started < 5_000)
  })
})
