// YAML against a schema: every problem, each with the place where it is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { parseYaml } from '../../src/config/document.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { pathSchema } from '../../src/config/values.ts'
import { cpuTime } from '../fakes/cpu-time.ts'

const FILE = '/etc/app/app.yaml'

const schema = z.strictObject({
  name: z.string(),
  count: z.int().min(1).optional(),
  nested: z.strictObject({ deep: z.strictObject({ value: z.string() }).optional() }).optional(),
  list: z.array(z.strictObject({ id: z.string() })).optional(),
  record: z.record(z.string().regex(/^[a-z]+$/, 'must be lower case'), z.number()).optional(),
  either: z.union([z.string(), z.strictObject({ port: z.number() })]).optional(),
  file: pathSchema.optional(),
})

const problemsIn = (text: string): readonly string[] => {
  const result = parseYaml(FILE, text, schema)
  return result.ok
    ? []
    : result.problems.map((problem) => formatProblem(problem).slice(FILE.length))
}

describe('a valid document', () => {
  it('is read, resolved and frozen', () => {
    const result = parseYaml(FILE, 'name: a\nnested: { deep: { value: b } }\nfile: x/y', schema)
    assert.ok(result.ok)
    assert.equal(result.value.file, '/etc/app/x/y')
    assert.ok(Object.isFrozen(result.value) && Object.isFrozen(result.value.nested?.deep))
  })

  it('may be JSON', () => {
    const result = parseYaml(FILE, '{"name": "a", "list": [{"id": "x"}]}', schema)
    assert.ok(result.ok)
    assert.deepEqual(result.value.list, [{ id: 'x' }])
  })

  it('may have aliases', () => {
    const text = 'name: a\nlist:\n  - &one { id: x }\n  - *one'
    const result = parseYaml(FILE, text, schema)
    assert.ok(result.ok)
    assert.deepEqual(result.value.list, [{ id: 'x' }, { id: 'x' }])
  })

  it('locates later problems', () => {
    const result = parseYaml(FILE, 'name: a\nlist:\n  - id: x\n  - id: y', schema)
    assert.ok(result.ok)
    const problem = result.locate(['list', 1, 'id'], 'taken')
    assert.equal(formatProblem(problem), '/etc/app/app.yaml:4:5: list[1].id: taken')
  })
})

describe('a document with', () => {
  const CASES: readonly { name: string; input: string; want: readonly RegExp[] }[] = [
    { name: 'an empty file', input: '', want: [/^: the file is empty$/] },
    { name: 'a comment only', input: '# nothing\n', want: [/^: the file is empty$/] },
    { name: 'a list in place of a mapping', input: '- a', want: [/^:1:1: must be a mapping/] },
    { name: 'a text in place of a mapping', input: 'hello', want: [/^:1:1: must be a mapping/] },
    {
      name: 'an unknown key',
      input: 'name: a\nnmae: b',
      want: [/^:2:1: nmae: unknown key; did you mean "name"\?$/],
    },
    {
      name: 'several unknown keys, one by one',
      input: 'name: a\nx: 1\nnested:\n  y: 2\n  z: 3',
      want: [
        /^:4:3: nested\.y: unknown key$/,
        /^:5:3: nested\.z: unknown key$/,
        /^:2:1: x: unknown key$/,
      ],
    },
    { name: 'a missing key', input: 'count: 1', want: [/^:1:1: name: required, but missing$/] },
    {
      name: 'a missing key in a nested mapping',
      input: 'name: a\nnested:\n  deep: {}',
      want: [/^:3:3: nested\.deep\.value: required, but missing$/],
    },
    {
      name: 'a missing key in a list',
      input: 'name: a\nlist:\n  - id: x\n  - {}',
      want: [/^:4:5: list\[1\]\.id: required, but missing$/],
    },
    { name: 'a value of another type', input: 'name: 5', want: [/^:1:1: name: must be a text/] },
    {
      name: 'a key without a value',
      input: 'name:',
      want: [/^:1:1: name: must be a text, not empty/],
    },
    {
      name: 'a number out of range',
      input: 'name: a\ncount: 0',
      want: [/^:2:1: count: must (?:not be empty|be at least)/],
    },
    {
      name: 'a key that is not a valid name',
      input: 'name: a\nrecord:\n  ok: 1\n  Not: 2',
      want: [/^:4:3: record\.Not: must be lower case$/],
    },
    {
      name: 'an invalid member of a union, which its type selects',
      input: 'name: a\neither:\n  prot: 1',
      want: [/^:3:3: either\.prot: unknown key; did you mean "port"\?$/],
    },
    { name: 'no member of a union', input: 'name: a\neither: 5', want: [/^:2:1: either: /] },
    {
      name: 'an error in the target of an alias, at its own position',
      input: 'name: a\nlist:\n  - &one\n    id: x\n    more: y\n  - *one',
      want: [/^:5:5: list\[0\]\.more: unknown key$/, /^:5:5: list\[1\]\.more: unknown key$/],
    },
    {
      name: 'an empty path',
      input: 'name: a\nfile: ""',
      want: [/^:2:1: file: must (?:not be empty|be at least)/],
    },
  ]
  for (const { name, input, want } of CASES) {
    it(`${name} is reported`, () => {
      const got = problemsIn(input)
      const sorted = got.toSorted()
      assert.equal(got.length, want.length, got.join('\n'))
      for (const pattern of want) {
        assert.ok(
          sorted.some((problem) => pattern.test(problem)),
          `${String(pattern)} is not in\n${got.join('\n')}`,
        )
      }
    })
  }
})

describe('a document that is not valid YAML:', () => {
  const CASES: readonly { name: string; input: string; want: RegExp }[] = [
    { name: 'an open list', input: 'name: [a', want: /^:1:\d+: / },
    { name: 'a tab as indentation', input: 'nested:\n\tdeep: {}', want: /^:2:1: / },
    { name: 'a duplicate key', input: 'name: a\nname: b', want: /^:2:1: "name" is also in line 1/ },
    {
      name: 'a duplicate key in another spelling',
      input: 'name: a\n"name": b',
      want: /^:2:1: "name" is also in line 1/,
    },
    { name: 'an alias without an anchor', input: 'name: *x', want: /^:1:\d+: .*alias of YAML/ },
    { name: 'a second document', input: 'name: a\n---\nname: b', want: /^:\d+:\d+: / },
    { name: 'an unknown tag', input: 'name: !secret a', want: /^:1:7: .*tag of YAML/ },
  ]
  for (const { name, input, want } of CASES) {
    it(`${name} is reported`, () => {
      const [first = '', ...more] = problemsIn(input)
      assert.match(first, want)
      assert.ok(!first.includes('\n'))
      assert.ok(more.length <= 2, more.join('\n'))
    })
  }

  it('merge keys are reported', () => {
    const text = 'name: a\nnested: &n { deep: { value: b } }\n<<: *n'
    assert.deepEqual(problemsIn(text), [':3:1: ["<<"]: unknown key'])
  })

  it('a billion laughs are refused at once', () => {
    const lines = ['l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]']
    for (let level = 1; level < 12; level++) {
      const aliases = Array.from({ length: 9 }, () => `*l${level - 1}`).join(', ')
      lines.push(`l${level}: &l${level} [${aliases}]`)
    }
    const started = cpuTime()
    const [problem = '', ...more] = problemsIn(lines.join('\n'))
    assert.match(problem, /Excessive alias count/)
    assert.equal(more.length, 0)
    assert.ok(cpuTime() - started < 1_000)
  })

  it('an alias to its own ancestor is refused', () => {
    assert.notDeepEqual(problemsIn('name: a\nlist: &l\n  - *l'), [])
    assert.notDeepEqual(problemsIn('&top\nname: *top'), [])
  })

  it('prototypes cannot be changed', () => {
    const problems = problemsIn('name: a\n__proto__: { polluted: true }')
    assert.match(problems.join(), /^:2:1: __proto__: unknown key$/)
    assert.ok(!('polluted' in {}))
  })
})
