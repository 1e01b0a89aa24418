// What an expression cannot reach, and how large it may be.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cpuTime } from '../fakes/cpu-time.ts'
import { type IdentityVariables, ALICE, compiled, messageOf } from './compiling.ts'

describe('an expression reads the identity only:', () => {
  const FIELDS = [
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'credential',
    'expires',
    '__defineGetter__',
  ]
  for (const field of FIELDS) {
    it(`cannot read its ${field}`, () => {
      assert.notEqual(messageOf(`identity.${field}`), '')
      assert.notEqual(messageOf(`identity["${field}"]`), '')
      assert.notEqual(messageOf(`identity.user.${field}`), '')
      assert.notEqual(messageOf(`identity.groups.${field}`), '')
      assert.notEqual(messageOf(`identity.${field}()`), '')
    })

    it(`cannot read the ${field} that a map has by itself`, () => {
      for (const source of [`identity.extra["${field}"]`, `identity.extra.${field}`]) {
        assert.equal(compiled(source).evaluate(ALICE), undefined)
        assert.equal(compiled(source).evaluate({ ...ALICE, extra: Object.create(null) }), undefined)
      }
      assert.deepEqual(compiled(`"${field}" in identity.extra ? "y" : "n"`).evaluate(ALICE), ['n'])
    })
  }

  it('not a credential and its expiry', () => {
    const identity = { ...ALICE, credential: 'fingerprint', expires: 5 }
    assert.deepEqual(compiled('identity.user').evaluate(identity), ['alice'])
    assert.match(messageOf('identity.credential'), /^No such key/)
  })

  const NAMES = [
    'globalThis',
    'process',
    'require',
    'this',
    'constructor',
    'Object',
    'request',
    'now',
    '__proto__',
    'self',
  ]
  for (const name of NAMES) {
    it(`cannot read or use ${name}`, () =>
      assert.match(messageOf(name), /^(Unknown variable|Reserved identifier)/))
  }

  it('an attribute named __proto__ as an attribute', () => {
    const extra: unknown = JSON.parse('{"__proto__": ["x"]}')
    const identity: IdentityVariables = Object.assign({ ...ALICE }, { extra })
    assert.deepEqual(compiled('identity.extra["__proto__"]').evaluate(identity), ['x'])
    assert.equal(compiled('identity.extra["team"]').evaluate(identity), undefined)
  })

  it('no attributes where one is named constructor, which the library takes for a class', () => {
    const identity = { ...ALICE, extra: { team: ['blue'], constructor: ['x'] } }
    assert.equal(compiled('identity.extra["team"]').evaluate(identity), undefined)
    assert.deepEqual(compiled('identity.user').evaluate(identity), ['alice'])
  })

  it('cannot change the identity', () => {
    const identity = structuredClone(ALICE)
    const before = structuredClone(identity)
    for (const source of ['identity.groups + ["x"]', 'identity.groups.map(g, g + "x")']) {
      const values = compiled(source).evaluate(identity)
      assert.ok(values !== undefined && values !== identity.groups)
    }
    assert.deepEqual(identity, before)
  })
})

describe('the size of an expression', () => {
  const CASES = [
    { name: 'parentheses', input: `${'('.repeat(50_000)}"a"${')'.repeat(50_000)}` },
    { name: 'brackets', input: '['.repeat(50_000) },
    { name: 'terms', input: Array.from({ length: 600 }, () => '"a"').join(' + ') },
    { name: 'elements', input: `[${Array.from({ length: 1_200 }, () => '"a"').join(', ')}]` },
    { name: 'fields', input: `identity${'.a'.repeat(5_000)}` },
    { name: 'conditions', input: `${'true ? "a" : '.repeat(100)}"b"` },
    { name: 'nested lists', input: `${'identity.groups.map(a, '.repeat(40)}a${')'.repeat(40)}` },
    { name: 'arguments', input: `size(${Array.from({ length: 100 }, () => '1').join(', ')})` },
    { name: 'negations', input: `${'!'.repeat(50_000)}true ? "a" : "b"` },
  ]
  for (const { name, input } of CASES) {
    it(`is limited: ${name}`, () => {
      const started = cpuTime()
      assert.match(messageOf(input), /^(Exceeded max|Maximum call stack)/)
      assert.ok(cpuTime() - started < 1_000)
    })
  }

  it('suffices for the expressions that users write', () => {
    const groups = Array.from({ length: 200 }, (_, index) => `"group-${index}"`).join(', ')
    const source = `identity.groups.filter(g, g in [${groups}])`
    assert.deepEqual(compiled(source).evaluate({ ...ALICE, groups: ['group-7', 'x'] }), ['group-7'])
  })

  it('suffices for a long regular expression', () => {
    const pattern = Array.from({ length: 5_000 }, (_, index) => `user${index}`).join('|')
    const expression = compiled(`identity.user.matches("^(${pattern})$") ? "y" : "n"`)
    const started = cpuTime()
    for (let round = 0; round < 20; round++) {
      assert.deepEqual(expression.evaluate({ ...ALICE, user: `user${round}` }), ['y'])
      assert.deepEqual(expression.evaluate({ ...ALICE, user: 'x'.repeat(100) }), ['n'])
    }
    assert.ok(cpuTime() - started < 2_000)
  })
})
