// Method, host and path.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RuleConfig } from '../../../src/authorize/schema.ts'
import { decide } from '../../fakes/decide.ts'
import type { RequestParts } from '../../fakes/envoy.ts'

const CASES: readonly {
  readonly rule: Partial<RuleConfig>
  readonly yes: readonly RequestParts[]
  readonly no: readonly RequestParts[]
}[] = [
  {
    rule: { methods: ['GET', 'HEAD'] },
    yes: [{ method: 'GET' }, { method: 'HEAD' }],
    no: [{ method: 'POST' }],
  },
  {
    rule: { hosts: ['a.example.org'] },
    yes: [{ host: 'a.example.org' }, { host: 'A.Example.org:8443' }, { host: 'a.example.org.' }],
    no: [{ host: 'b.example.org' }, { host: 'x.a.example.org' }, { host: 'a.example.org.evil' }],
  },
  {
    rule: { hosts: ['*.example.org', 'example.com'] },
    yes: [{ host: 'a.example.org' }, { host: 'a.b.example.org' }, { host: 'example.com' }],
    no: [{ host: 'example.org' }, { host: 'evilexample.org' }, { host: 'a.example.com' }],
  },
  { rule: { hosts: ['*'] }, yes: [{ host: 'x' }, { host: '[::1]:80' }], no: [] },
  {
    rule: { paths: ['/tenants/{tenant}/items/**'] },
    yes: [
      { path: '/tenants/a/items' },
      { path: '/tenants/a/items/7/8' },
      { path: '/tenants/%7Bx%7D/items' },
    ],
    no: [{ path: '/tenants/a/b/items' }, { path: '/tenants/items' }],
  },
  {
    rule: { paths: ['/{a}/{b}'] },
    yes: [{ path: '/x/y' }],
    no: [{ path: '/x' }, { path: '/x/' }, { path: '/x/y/z' }],
  },
  {
    rule: { paths: ['/**/{last}'] },
    yes: [{ path: '/x' }, { path: '/x/y' }],
    no: [{ path: '/' }, { path: '/x/' }],
  },
  // Only a whole segment that CEL could name is a name.
  { rule: { paths: ['/{a-b}'] }, yes: [{ path: '/%7Ba-b%7D' }], no: [{ path: '/x' }] },
  { rule: { paths: ['/v{n}'] }, yes: [{ path: '/v%7Bn%7D' }], no: [{ path: '/v1' }] },
  { rule: { paths: ['/{}'] }, yes: [{ path: '/%7B%7D' }], no: [{ path: '/x' }] },
  {
    rule: { methods: ['GET'], hosts: ['a.example.org'], paths: ['/x'] },
    yes: [{ method: 'GET', host: 'a.example.org', path: '/x?y=/z' }],
    no: [
      { method: 'PUT', host: 'a.example.org', path: '/x' },
      { method: 'GET', host: 'b.example.org', path: '/x' },
      { method: 'GET', host: 'a.example.org', path: '/X' },
    ],
  },
]

describe('methods, hosts and paths', () => {
  for (const { rule, yes, no } of CASES) {
    it(`matches requests by ${JSON.stringify(rule)}`, () => {
      const word = (request: RequestParts): string =>
        decide([{ allow: 'match', ...rule }], { request })
      for (const request of yes) assert.equal(word(request), 'allow:match', JSON.stringify(request))
      for (const request of no) assert.equal(word(request), 'no-rule', JSON.stringify(request))
    })
  }
})

describe('paths of a deny', () => {
  const DENIED: readonly {
    paths: readonly string[]
    yes: readonly string[]
    no: readonly string[]
  }[] = [
    {
      paths: ['/admin/**'],
      yes: [
        '/admin',
        '/admin/',
        '/admin/x',
        '/Admin/x',
        '/ADMIN',
        '/admin;a=b/x',
        '/admin/x;y/z',
        '/%EF%BD%81dmin/x', // a full-width a
        '/adm%C4%B1n/x', // a dotless i: its capital is an I
      ],
      no: ['/administration', '/x/admin', '/'],
    },
    { paths: ['/a/b'], yes: ['/a/b', '/a/b/', '/a/B', '/a;x/b;y'], no: ['/a/b/c', '/a'] },
    { paths: ['/Admin'], yes: ['/Admin', '/admin', '/ADMIN/'], no: ['/admins'] },
    { paths: ['/a/'], yes: ['/a/', '/a', '/A'], no: ['/a/b'] },
    { paths: ['/a/*'], yes: ['/a/b', '/A/b/', '/a/b;c'], no: ['/a', '/a/', '/a/b/c'] },
  ]
  // Few rules are tried one by one, many by an index.
  const FILLER = Array.from({ length: 40 }, (_, at) => ({ deny: `o${at}`, paths: [`/o/${at}`] }))
  for (const { paths, yes, no } of DENIED) {
    for (const filler of [[], FILLER]) {
      it(`${paths.join()} match what a lenient upstream would take for them, among ${filler.length} rules`, () => {
        const rules = [...filler, { deny: 'match', paths: [...paths] }]
        const word = (path: string): string => decide(rules, { request: { path } })
        for (const path of yes) assert.equal(word(path), 'deny:match', path)
        for (const path of no) assert.equal(word(path), 'no-rule', path)
      })
    }
  }

  it('never allow a request', () => {
    for (const path of ['/Admin/x', '/admin/x;y', '/admin/x/']) {
      const rules = [{ allow: 'match', paths: ['/admin/x'] }]
      assert.equal(decide(rules, { request: { path } }), 'no-rule', path)
    }
  })
})
