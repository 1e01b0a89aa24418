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
    it(`passes over ${JSON.stringify(name)}`, () => {
      assert.equal(findReserved({ user: name, groups: [name] }, NONE), undefined)
    })
  }

  it('passes over what is allowed', () => {
    const allowed = new Set(['system:masters'])
    assert.equal(findReserved({ user: 'alice', groups: ['system:masters'] }, allowed), undefined)
  })

  it('allows only the exact spelling', () => {
    const allowed = new Set(['system:masters'])
    for (const group of ['System:masters', 'system:masters ', 'system:masters2', 'system:']) {
      assert.equal(findReserved({ user: 'alice', groups: [group] }, allowed), group)
    }
  })

  it('finds what is not allowed beside what is', () => {
    const groups = ['system:masters', 'system:nodes']
    const allowed = new Set(['system:masters'])
    assert.equal(findReserved({ user: 'alice', groups }, allowed), 'system:nodes')
  })
})
