// Warnings about rules, routes, authenticators and upstreams that are never used.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { unreachableWarnings } from '../../../src/configuration/problems/unreachable.ts'

const warningsFor = (routes: string): readonly string[] => {
  const text = `
version: 1
listen: { authz: unix:authz.sock }
authenticators: { staff: { basic: { verify: [{ users: { file: users.yaml } }] } } }
routes:
${routes}
`
  const result = parseConfig('/etc/countersign.yaml', text)
  assert.ok(result.ok, JSON.stringify(result))
  return unreachableWarnings(result.config, result.locate).map(({ path }) => path)
}

const routeWith = (rules: readonly string[], kind: string): string =>
  `  - { name: one, kind: ${kind}, authenticate: [staff], forward: { headers: kubernetes }, authorize: [${rules.join(', ')}] }`

describe('a rule never decides', () => {
  const CASES: readonly {
    readonly name: string
    readonly rules: readonly string[]
    readonly kind?: string
    readonly want: boolean
  }[] = [
    {
      name: 'behind one without matchers',
      rules: ['{ allow: a }', '{ deny: b, groups: [x] }'],
      want: true,
    },
    {
      name: 'behind the same matchers',
      rules: ['{ deny: a, groups: [x] }', '{ allow: b, groups: [x] }'],
      want: true,
    },
    {
      name: 'behind more alternatives',
      rules: ['{ deny: a, groups: [x, y] }', '{ allow: b, groups: [y] }'],
      want: true,
    },
    {
      name: 'behind fewer matchers',
      rules: ['{ deny: a, groups: [x] }', '{ allow: b, groups: [x], methods: [GET] }'],
      want: true,
    },
  ]
  const USED: typeof CASES = [
    {
      name: 'other alternatives',
      rules: ['{ deny: a, groups: [x] }', '{ allow: b, groups: [x, y] }'],
      want: false,
    },
    {
      name: 'other matchers',
      rules: ['{ deny: a, groups: [x] }', '{ allow: b, users: [x] }'],
      want: false,
    },
    {
      name: 'more matchers',
      rules: ['{ deny: a, groups: [x], methods: [GET] }', '{ allow: b, groups: [x] }'],
      want: false,
    },
    {
      name: 'a rule in shadow',
      rules: ['{ allow: a, shadow: true }', '{ allow: b }'],
      want: false,
    },
    {
      name: 'an allow with the paths of a deny, which also matches lenient readings',
      rules: ['{ allow: a, paths: [/x] }', '{ deny: b, paths: [/x] }'],
      want: false,
    },
    {
      name: 'an allow of Kubernetes, which matches no impersonation',
      kind: 'kubernetes',
      rules: ['{ allow: a }', '{ deny: b, groups: [x] }'],
      want: false,
    },
    {
      name: 'an allow of Kubernetes before one with impersonation',
      kind: 'kubernetes',
      rules: [
        '{ allow: a, groups: [x] }',
        '{ allow: b, groups: [x], impersonate: { users: [y] } }',
      ],
      want: false,
    },
    {
      name: 'another expression',
      rules: ['{ deny: a, when: "true" }', '{ allow: b, when: "false" }'],
      want: false,
    },
  ]
  for (const { name, rules, kind = 'http', want } of [...CASES, ...USED]) {
    it(want ? name : `but it does behind ${name}`, () => {
      const place = `routes[0].authorize[1].${rules[1]?.includes('deny') === true ? 'deny' : 'allow'}`
      assert.deepEqual(warningsFor(routeWith(rules, kind)), want ? [place] : [])
    })
  }
})

describe('a route is never chosen', () => {
  const CASES = [
    {
      name: 'behind every host and path',
      first: '{}',
      second: '{ hosts: [a.example.org] }',
      want: true,
    },
    {
      name: 'behind the same host',
      first: '{ hosts: [a.example.org] }',
      second: '{ hosts: [a.example.org], paths: [/x] }',
      want: true,
    },
    {
      name: 'behind a wildcard of its host',
      first: "{ hosts: ['*.example.org'] }",
      second: '{ hosts: [a.example.org] }',
      want: true,
    },
    {
      name: 'but it is behind another host',
      first: '{ hosts: [b.example.org] }',
      second: '{ hosts: [a.example.org] }',
      want: false,
    },
    {
      name: 'but it is behind another path',
      first: "{ paths: ['/x/**'] }",
      second: '{}',
      want: false,
    },
    {
      name: 'but it is with one host more',
      first: '{ hosts: [a.example.org] }',
      second: '{ hosts: [a.example.org, b.example.org] }',
      want: false,
    },
  ]
  for (const { name, first, second, want } of CASES) {
    it(name, () => {
      const route = (match: string, index: number): string =>
        `  - { name: r${index}, match: ${match}, authenticate: [staff], authorize: [{ allow: all }] }`
      const warned = warningsFor([first, second].map(route).join('\n'))
      assert.deepEqual(warned, want ? ['routes[1].match'] : [])
    })
  }
})
