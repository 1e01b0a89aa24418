// How much one evaluation may do.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileCondition, compileText } from '../../src/expression/cel.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const groups = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `g${n}`)

const IDENTITY = { user: 'alice', extra: {}, method: 'basic', authenticator: 'staff' }

const compiled = (source: string) => {
  const compilation = compileCondition(source, 'identity')
  assert.ok(compilation.ok, compilation.ok ? '' : compilation.message)
  const { expression } = compilation
  return {
    evaluate: (count: number) =>
      expression.evaluate({ identity: { ...IDENTITY, groups: groups(count) } }),
    explain: (count: number) =>
      expression.explain({ identity: { ...IDENTITY, groups: groups(count) } }),
  }
}

/** Every loop of the library, in two levels and in three. */
const LOOPS = [
  {
    two: 'identity.groups.all(a, identity.groups.all(b, a != ""))',
    three: 'identity.groups.all(a, identity.groups.all(b, identity.groups.all(c, a != "")))',
  },
  {
    two: '!identity.groups.exists(a, identity.groups.exists(b, a == ""))',
    three:
      '!identity.groups.exists(a, identity.groups.exists(b, identity.groups.exists(c, a == "")))',
  },
  {
    two: '!identity.groups.exists_one(a, identity.groups.exists_one(b, a == b))',
    three:
      '!identity.groups.exists_one(a, identity.groups.exists_one(b, identity.groups.exists_one(c, a == "")))',
  },
  {
    two: 'identity.groups.filter(a, identity.groups.filter(b, b == a).size() == 1).size() > 0',
    three:
      'identity.groups.filter(a, identity.groups.filter(b, identity.groups.filter(c, c == a).size() == 1).size() == 1).size() > 0',
  },
  {
    two: 'identity.groups.map(a, identity.groups.map(b, b)).size() > 0',
    three: 'identity.groups.map(a, identity.groups.map(b, identity.groups.map(c, c))).size() > 0',
  },
  {
    two: 'identity.groups.map(a, true, identity.groups.map(b, true, b)).size() > 0',
    three:
      'identity.groups.map(a, true, identity.groups.map(b, true, identity.groups.map(c, true, c))).size() > 0',
  },
]

describe('loops', () => {
  for (const { two, three } of LOOPS) {
    it(`have room for two over 300 groups: ${two}`, () =>
      assert.equal(compiled(two).evaluate(300), true))

    it(`have an end: ${three}`, () => {
      const started = cpuTime()
      assert.equal(compiled(three).evaluate(300), undefined)
      assert.match(compiled(three).explain(300), /^takes_too_long/)
      assert.ok(cpuTime() - started < 1_000)
    })
  }

  it('have an end where each round fails', () => {
    const started = cpuTime()
    const source = 'identity.groups.all(a, identity.groups.all(b, identity.extra["none"] == []))'
    assert.equal(compiled(source).evaluate(1_000), undefined)
    assert.ok(cpuTime() - started < 1_000)
  })

  it('have an end within `has`, conditions and arguments too', () => {
    const inner = 'identity.groups.all(a, identity.groups.all(b, identity.groups.all(c, a != "")))'
    for (const source of [
      `true ? ${inner} : false`,
      `[${inner}] == [true]`,
      `!(${inner} && true)`,
      `cel.bind(x, ${inner}, x)`,
    ]) {
      assert.equal(compiled(source).evaluate(300), undefined, source)
    }
  })

  it('of one evaluation are no matter to the next', () => {
    const small = compiled('identity.groups.all(a, identity.groups.all(b, a != ""))')
    const large = compiled(LOOPS[0]?.three ?? '')
    for (let round = 0; round < 5; round++) {
      assert.equal(large.evaluate(200), undefined)
      assert.equal(small.evaluate(100), true)
    }
  })

  it('of texts for identities have the same end', () => {
    const compilation = compileText(
      'identity.groups.map(a, identity.groups.all(b, identity.groups.all(c, c != "")) ? "y" : "n")',
      'identity',
    )
    assert.ok(compilation.ok)
    const identity = { ...IDENTITY, groups: groups(300) }
    assert.equal(compilation.expression.evaluate({ identity }), undefined)
  })
})
