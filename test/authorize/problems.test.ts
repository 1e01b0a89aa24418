// What is wrong with rules is found when they are compiled, and says where.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyContext } from '../../src/authorize/policy.ts'
import type { Operation } from '../../src/request/openapi/operation.ts'
import { policyOf, type RuleParts } from '../fakes/rules.ts'

const OPERATIONS: readonly Operation[] = [
  { id: 'list', method: 'GET', template: '/', tags: [], deprecated: false, scopes: [[]] },
]

const problemsOf = (
  rules: readonly RuleParts[],
  context: Partial<PolicyContext> = {},
): readonly string[] => {
  const problems: string[] = []
  policyOf(rules, {
    ...context,
    report: (path, message) => problems.push(`${path.join('.')}: ${message}`),
  })
  return problems
}

describe('a matcher on a route of another kind', () => {
  const KUBERNETES: RuleParts = {
    allow: 'a',
    verbs: ['get'],
    apiGroups: [''],
    resources: ['pods'],
    namespaces: ['a'],
    names: ['b'],
    impersonate: {},
  }
  const keys = ['verbs', 'apiGroups', 'resources', 'namespaces', 'names', 'impersonate']

  it('is a problem, with its path', () => {
    assert.deepEqual(
      problemsOf([{ allow: 'x' }, KUBERNETES]),
      keys.map((key) => `1.${key}: is there on routes of "kind: kubernetes"`),
    )
  })

  it('is a problem in a list, too', () => {
    const [first] = problemsOf([{ list: 'l', rules: [{ allow: 'x' }, KUBERNETES] }])
    assert.equal(first, '0.rules.1.verbs: is there on routes of "kind: kubernetes"')
  })

  it('is none on a route of its kind', () => {
    assert.deepEqual(problemsOf([KUBERNETES], { kind: 'kubernetes' }), [])
  })

  it('is a problem for operations, too', () => {
    const rule: RuleParts = { allow: 'a', operations: ['list'], tags: ['x'], templates: ['/'] }
    assert.deepEqual(
      problemsOf([rule]),
      ['operations', 'tags', 'templates'].map(
        (key) => `0.${key}: is there on routes with "openapi"`,
      ),
    )
    assert.equal(
      problemsOf([{ allow: 'a', operations: ['list'] }], { operations: OPERATIONS }).length,
      0,
    )
  })

  it('is a problem for verbs that resources do not have', () => {
    const verbs = ['get', 'post', 'head', '*']
    const rules = [
      { deny: 'a', verbs, resources: ['pods'] },
      { deny: 'b', verbs: ['put'], namespaces: ['c'] },
      { deny: 'd', verbs, paths: ['/healthz'] },
    ]
    assert.deepEqual(
      problemsOf(rules, { kind: 'kubernetes' }).map((problem) => problem.replace(/,.*$/, '')),
      [
        '0.verbs: "post" is not a verb of resources',
        '0.verbs: "head" is not a verb of resources',
        '1.verbs: "put" is not a verb of resources',
      ],
    )
  })

  it('throws without a callback for problems', () => {
    assert.throws(() => policyOf([KUBERNETES]), /^TypeError: 0\.verbs: is there/)
  })
})

describe('an invalid expression is a problem:', () => {
  const CASES: readonly { name: string; when: string; paths?: string[]; want: RegExp }[] = [
    {
      name: 'a type error',
      when: 'identity.user == 1',
      want: /^no such overload: string == int \(at character 1\)$/,
    },
    {
      name: 'a type error later in the text',
      when: 'true && identity.groups == "x"',
      want: /\(at character 9\)$/,
    },
    {
      name: 'a type error on another line',
      when: 'true &&\n  request.path > 1',
      want: /\(at line 2, character 3\)$/,
    },
    {
      name: 'an unknown name',
      when: 'user == "x"',
      want: /^Unknown variable: user \(at character 1\)$/,
    },
    {
      name: 'an unknown field',
      when: 'identity.name == "x"',
      want: /^No such key: name.* \(at character \d+\)$/,
    },
    {
      name: 'a value that is not a bool',
      when: 'identity.user',
      want: /^yields string, where bool belongs$/,
    },
    { name: 'a syntax error', when: 'identity.user ==', want: /\(at character \d+\)$/ },
    {
      name: 'an invalid regular expression',
      when: 'identity.user.matches("(")',
      want: /regular expression cannot be used.*\(at character 23\)$/,
    },
    {
      name: 'kubernetes on another route',
      when: 'kubernetes.verb == "get"',
      want: /^Unknown variable: kubernetes/,
    },
    {
      name: 'operation on another route',
      when: 'operation.id == "x"',
      want: /^Unknown variable: operation/,
    },
    {
      name: 'segments without paths',
      when: 'request.segments.a == "x"',
      want: /^No such key: segments/,
    },
    {
      name: 'segments of paths without names',
      when: 'request.segments.a == "x"',
      paths: ['/a/**'],
      want: /^No such key: segments/,
    },
    {
      name: 'a segment that no path has',
      when: 'request.segments.a == "x"',
      paths: ['/{b}'],
      want: /^No such key: a /,
    },
    {
      name: 'a segment that not every path has',
      when: 'request.segments.a == "x"',
      paths: ['/{a}/{b}', '/x/{b}'],
      want: /^No such key: a /,
    },
  ]
  for (const { name, when, paths, want } of CASES) {
    it(name, () => {
      const [problem = '', ...others] = problemsOf([{ allow: 'a', when, ...(paths && { paths }) }])
      assert.deepEqual(others, [])
      assert.ok(problem.startsWith('0.when: '), problem)
      assert.match(problem.slice('0.when: '.length), want)
    })
  }

  it('except one over a segment that every path has', () => {
    const when = 'request.segments.b == "x" && kubernetes.verb == "get" && operation.id == "list"'
    const rule = { allow: 'a', when, paths: ['/{a}/{b}', '/x/{b}', '/{b}/**'] }
    assert.deepEqual(problemsOf([rule], { kind: 'kubernetes', operations: OPERATIONS }), [])
  })
})

describe('named segments at an unknown position', () => {
  const CASES = [
    { paths: ['/{a}/{a}'], want: '"/{a}/{a}" has a name twice' },
    {
      paths: ['/x', '/**/{a}/**'],
      want: '"/**/{a}/**" has names and more than one "**", so their place is not known',
    },
  ]
  for (const { paths, want } of CASES) {
    it(`are a problem of ${paths.join()}`, () => {
      assert.deepEqual(problemsOf([{ allow: 'a', paths }]), [`0.paths: ${want}`])
    })
  }
  for (const paths of [
    ['/**/x/**'],
    ['/**/{a}'],
    ['/{a}/**/{b}'],
    ['/{a}/x**y/**'],
    ['/{a}/b**'],
  ]) {
    it(`${paths.join()} yields none`, () =>
      assert.deepEqual(problemsOf([{ allow: 'a', paths }]), []))
  }
})
