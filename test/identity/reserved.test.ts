// Which names carry power by themselves, in whatever spelling.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findReserved } from '../../src/identity/reserved.ts'

const NONE: ReadonlySet<string> = new Set()

describe('findReserved', () => {
  const RESERVED = [
    'system:masters',
    'system:admin',
    'system:serviceaccount:kube-system:default',
    'system:',
    'System:Masters',
    'SYSTEM:MASTERS',
    ' system:masters',
    'system:masters ',
    '\tsystem:masters\n',
    '\u00a0system:masters',
    '\ufeffsystem:masters',
  ]
  for (const name of RESERVED) {
    it(`finds ${JSON.stringify(name)} as a user and as a group`, () => {
      assert.equal(findReserved({ user: name, groups: [] }, NONE), name)
      assert.equal(findReserved({ user: 'alice', groups: ['dev', name, 'ops'] }, NONE), name)
    })
  }

  const HARMLESS = [
    'systems:masters',
    'system',
    'system-masters',
    'x-system:masters',
    'masters',
    '',
  ]
  for (const name of HARMLESS) {
    it(`does not find ${JSON.stringify(name)}`, () => {
      assert.equal(findReserved({ user: name, groups: [name] }, NONE), undefined)
    })
  }

  it('does not find a name that is allowed', () => {
    const allowed = new Set(['system:masters'])
    assert.equal(findReserved({ user: 'alice', groups: ['system:masters'] }, allowed), undefined)
  })

  it('allows only the exact spelling', () => {
    const allowed = new Set(['system:masters'])
    for (const group of ['System:masters', 'system:masters ', 'system:masters2', 'system:']) {
      assert.equal(findReserved({ user: 'alice', groups: [group] }, allowed), group)
    }
  })

  it('finds a reserved name in addition to an allowed one', () => {
    const groups = ['system:masters', 'system:nodes']
    const allowed = new Set(['system:masters'])
    assert.equal(findReserved({ user: 'alice', groups }, allowed), 'system:nodes')
  })
})

describe('the pattern of a namespace’s service accounts', () => {
  const allowed = new Set(['system:serviceaccount:team-a:*'])
  const found = (name: string, set: ReadonlySet<string> = allowed): boolean =>
    findReserved({ user: name, groups: [] }, set) !== undefined

  for (const name of ['builder', 'a', '0', 'web-1.example', 'a'.repeat(63)]) {
    it(`allows the name ${name}`, () => {
      assert.ok(!found(`system:serviceaccount:team-a:${name}`))
      const groups = [`system:serviceaccount:team-a:${name}`]
      assert.equal(findReserved({ user: 'alice', groups }, allowed), undefined)
    })
  }

  const HOSTILE = [
    'system:serviceaccount:team-b:builder',
    'system:serviceaccount:team-a2:builder',
    'system:serviceaccount:kube-system:builder',
    'system:serviceaccount:team-a:',
    'system:serviceaccount:team-a',
    'system:serviceaccount::builder',
    'system:serviceaccount:team-a:a:b',
    'system:serviceaccount:team-a:kube-system:builder',
    'system:serviceaccount:kube-system:team-a:builder',
    'system:serviceaccount:team-a:*',
    'system:serviceaccount:*:builder',
    'system:serviceaccount:*:*',
    'system:serviceaccount:team-a:Builder',
    'System:serviceaccount:team-a:builder',
    'system:serviceaccount:TEAM-A:builder',
    ' system:serviceaccount:team-a:builder',
    'system:serviceaccount:team-a:builder ',
    'system:serviceaccount:team-a:builder\n',
    'system:serviceaccount:team-a:-builder',
    'system:serviceaccount:team-a:builder.',
    'system:serviceaccount:team-a:.builder',
    'system:serviceaccount:team-a:b..c',
    'system:serviceaccount:team-a:büilder',
    `system:serviceaccount:team-a:${'a'.repeat(64)}`,
    `system:serviceaccount:team-a:${`${'a'.repeat(60)}.`.repeat(5)}a`,
    'system:serviceaccounts',
    'system:serviceaccounts:team-a',
    'system:serviceaccounts:team-a:builder',
    'system:masters',
  ]
  for (const name of HOSTILE) {
    it(`hostile: does not allow ${JSON.stringify(name).slice(0, 80)}`, () => assert.ok(found(name)))
  }

  it('is for one namespace: wider patterns allow nothing', () => {
    for (const pattern of [
      'system:serviceaccount:*:*',
      'system:serviceaccount:*',
      'system:*',
      '*',
      'system:serviceaccount:team-a:b*',
    ]) {
      assert.ok(found('system:serviceaccount:team-a:builder', new Set([pattern])), pattern)
    }
  })

  it('of a namespace called undefined allows only its own service accounts', () => {
    const undef = new Set(['system:serviceaccount:undefined:*'])
    assert.ok(found('system:masters', undef))
    assert.ok(found('system:serviceaccount:a', undef))
    assert.ok(!found('system:serviceaccount:undefined:a', undef))
  })

  it('does not allow its own text as a user', () => {
    const user = 'system:serviceaccount:team-a:*'
    assert.equal(findReserved({ user, groups: [] }, new Set([user])), user)
  })
})
