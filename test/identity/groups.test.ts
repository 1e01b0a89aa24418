// The steps that groups go through, their order, and their limits.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Identity } from '../../src/identity/identity.ts'
import { IdentityMapping, type MappingResult } from '../../src/identity/mapping.ts'
import { factsOf } from '../fakes/authenticator.ts'
import { identityConfigOf } from '../fakes/mapping.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const resultOf = (
  section: string,
  groups: readonly string[],
  allowReserved: readonly string[] = [],
): MappingResult => {
  const identity = identityConfigOf(`groups: ${section}`, 'account')
  return new IdentityMapping('staff', { allowReserved, identity }).identityOf(factsOf({ groups }))
}

const groupsOf = (section: string, groups: readonly string[]): readonly string[] | string => {
  const result = resultOf(section, groups)
  return result.outcome === 'identity' ? result.identity.groups : result.code
}

const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `g${String(index).padStart(4, '0')}`)

describe('groups', () => {
  const CASES: readonly {
    readonly name: string
    readonly section: string
    readonly groups: readonly string[]
    readonly want: readonly string[] | string
  }[] = [
    { name: 'are as proven', section: '{}', groups: ['b', 'a'], want: ['b', 'a'] },
    { name: 'lose repetitions', section: '{}', groups: ['b', 'a', 'b'], want: ['b', 'a'] },
    {
      name: 'come of an expression, short',
      section: "account.groups.map(g, 'x' + g)",
      groups: ['a'],
      want: ['xa'],
    },
    {
      name: 'come of an expression, long',
      section: '{ from: \'account.groups.map(g, "x" + g)\' }',
      groups: ['a'],
      want: ['xa'],
    },
    {
      name: 'are kept',
      section: '{ keep: [k8s-*, admins] }',
      groups: ['k8s-dev', 'mail', 'admins', 'admins-2'],
      want: ['k8s-dev', 'admins'],
    },
    { name: 'may be none', section: '{ keep: [k8s-*] }', groups: ['mail'], want: [] },
    {
      name: 'are dropped',
      section: "{ drop: ['*-mail', all] }",
      groups: ['a-mail', 'all', 'b'],
      want: ['b'],
    },
    {
      name: 'are dropped though they are kept',
      section: '{ keep: [k8s-*], drop: [k8s-test-*] }',
      groups: ['k8s-test-1', 'k8s-dev'],
      want: ['k8s-dev'],
    },
    {
      name: 'are told apart by case',
      section: '{ keep: [dev] }',
      groups: ['DEV', 'dev'],
      want: ['dev'],
    },
    {
      name: 'match as a whole, and dots and brackets stand for themselves',
      section: "{ keep: ['a.[b]*'] }",
      groups: ['a.[b]c', 'axbc', 'xa.[b]'],
      want: ['a.[b]c'],
    },
    {
      name: 'are renamed, after they were kept by their old name',
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
      name: 'that get the same name become one',
      section: '{ rename: { a: x, b: x } }',
      groups: ['a', 'c', 'b'],
      want: ['x', 'c'],
    },
    {
      name: 'get a prefix, renamed or not',
      section: "{ rename: { a: b }, prefix: 'oidc:' }",
      groups: ['a', 'c'],
      want: ['oidc:b', 'oidc:c'],
    },
    {
      name: 'named as what every object has are groups like others',
      section: '{ rename: { a: b } }',
      groups: ['constructor', '__proto__', 'toString', 'a'],
      want: ['constructor', '__proto__', 'toString', 'b'],
    },
    {
      name: 'are kept in their order',
      section: '{ drop: [x] }',
      groups: ['z', 'x', 'a'],
      want: ['z', 'a'],
    },
    {
      name: 'of no name are refused',
      section: '{}',
      groups: [''],
      want: 'identity-unrepresentable',
    },
    {
      name: 'of no name may be dropped by keeping others',
      section: "{ keep: ['?*', a] }",
      groups: ['', 'a'],
      want: ['a'],
    },
    {
      name: 'that are reserved are refused',
      section: '{}',
      groups: ['a', 'system:masters'],
      want: 'identity-reserved',
    },
    {
      name: 'that are reserved may be dropped',
      section: "{ drop: ['system:*'] }",
      groups: ['a', 'system:masters'],
      want: ['a'],
    },
    {
      name: 'are reserved by a new name',
      section: "{ rename: { a: 'system:masters' } }",
      groups: ['a'],
      want: 'identity-reserved',
    },
    {
      name: 'are reserved by a prefix',
      section: "{ prefix: 'system:' }",
      groups: ['masters'],
      want: 'identity-reserved',
    },
    {
      name: 'are reserved by a prefix and a new name, in another case',
      section: "{ prefix: 'Sys', rename: { a: 'tem:masters' } }",
      groups: ['a'],
      want: 'identity-reserved',
    },
    {
      name: 'are not reserved behind a prefix',
      section: "{ prefix: 'oidc:' }",
      groups: ['system:masters'],
      want: ['oidc:system:masters'],
    },
  ]
  for (const { name, section, groups, want } of CASES) {
    it(name, () => assert.deepEqual(groupsOf(section, groups), want))
  }

  it('that are reserved pass by a new name where the configuration spells it out', () => {
    const section = "{ rename: { a: 'system:masters' } }"
    assert.equal(resultOf(section, ['a'], ['system:masters']).outcome, 'identity')
  })
})

describe('too many groups', () => {
  const cutOf = (section: string, groups: readonly string[]): Identity => {
    const result = resultOf(section, groups)
    assert.ok(result.outcome === 'identity', JSON.stringify(result))
    return result.identity
  }

  it('are more than 500, when nobody says otherwise', () => {
    assert.equal(groupsOf('{}', many(500)).length, 500)
    assert.equal(groupsOf('{}', many(501)), 'identity-too-large')
    const result = resultOf('{}', many(2_000))
    assert.deepEqual(result, {
      outcome: 'refused',
      code: 'identity-too-large',
      detail: 'groups: 2000, where there may be at most 500 with 16384 bytes',
    })
  })

  it('are more than 16 KiB, when nobody says otherwise', () => {
    const long = (count: number): readonly string[] => many(count).map((g) => g.padEnd(1_024, 'x'))
    assert.equal(groupsOf('{}', long(16)).length, 16)
    assert.equal(groupsOf('{}', long(17)), 'identity-too-large')
  })

  it('are counted in bytes of UTF-8', () => {
    assert.deepEqual(groupsOf('{ maxBytes: 4 }', ['ää']), ['ää'])
    assert.equal(groupsOf('{ maxBytes: 3 }', ['ää']), 'identity-too-large')
  })

  it('are counted when they have been filtered, prefixed and freed of repetitions', () => {
    assert.equal(groupsOf("{ keep: ['g00*'] }", many(2_000)).length, 100)
    assert.deepEqual(groupsOf('{ max: 1 }', ['a', 'a']), ['a'])
    assert.equal(groupsOf("{ maxBytes: 2, prefix: 'x:' }", ['a']), 'identity-too-large')
  })

  it('are cut only when the configuration says so, from the end, and it is said how many', () => {
    const identity = cutOf('{ max: 3, onExcess: truncate }', many(2_000))
    assert.deepEqual(identity.groups, ['g0000', 'g0001', 'g0002'])
    assert.equal(identity.groupsOmitted, 1_997)
  })

  it('are cut at the first that does not fit, not by whatever still would', () => {
    const identity = cutOf('{ maxBytes: 6, onExcess: truncate }', ['abc', 'toolong', 'x'])
    assert.deepEqual([identity.groups, identity.groupsOmitted], [['abc'], 2])
  })

  it('are not spoken of when none was cut', () => {
    assert.ok(!('groupsOmitted' in cutOf('{ max: 3, onExcess: truncate }', many(3))))
  })

  it('may be any', () => {
    assert.equal(groupsOf('{ max: 0 }', ['a']), 'identity-too-large')
    assert.deepEqual(groupsOf('{ max: 0, onExcess: truncate }', ['a']), [])
  })

  it('are no way to lose a reserved group: it is refused also where it would be cut', () => {
    const groups = [...many(5), 'system:masters']
    assert.equal(groupsOf('{ max: 3, onExcess: truncate }', groups), 'identity-reserved')
  })

  it('take no time: 10,000 of them against 100 patterns', () => {
    const patterns = Array.from({ length: 100 }, (_, index) => `'*a*b*${index}'`).join(', ')
    const started = cpuTime()
    const groups = many(10_000).map((group) => `${group}${'ab'.repeat(50)}`)
    assert.deepEqual(groupsOf(`{ drop: [${patterns}], keep: [nothing] }`, groups), [])
    assert.ok(cpuTime() - started < 5_000)
  })
})
