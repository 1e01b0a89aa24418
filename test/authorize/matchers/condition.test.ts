// `when`: what an expression of a rule can speak of.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_CERTIFICATE } from '../../../src/identity/certificate-fields.ts'
import { OperationIndex } from '../../../src/request/openapi/operation-index.ts'
import type { Operation } from '../../../src/request/openapi/operation.ts'
import { decide } from '../../fakes/decide.ts'
import type { QuestionParts } from '../../fakes/question.ts'
import type { RuleParts } from '../../fakes/rules.ts'

const OPERATIONS: readonly Operation[] = [
  {
    id: 'getThing',
    method: 'GET',
    template: '/things/{id}',
    tags: ['a', 'b'],
    deprecated: false,
    scopes: [[]],
  },
]

const BASIC: QuestionParts = {
  identity: {
    user: 'alice',
    uid: 'u-7',
    groups: ['dev', 'ops'],
    extra: { team: ['blue'] },
    authenticator: 'staff',
  },
  request: {
    method: 'PUT',
    host: 'App.example.org:443',
    path: '/things/a%20b?x=1&x=2&y&constructor=c&__proto__=p',
    serverName: 'sni.example.org',
    sourceAddress: '203.0.113.7',
    headers: [
      ['accept', 'text/html'],
      ['x-many', 'one'],
      ['x-many', 'two'],
      ['constructor', 'c'],
      ['__proto__', 'p'],
    ],
  },
  at: Date.UTC(2026, 0, 5, 10, 30),
}

const TRUE_OF_BASIC = [
  'identity.user == "alice"',
  'identity.uid == "u-7"',
  '"ops" in identity.groups && !("x" in identity.groups)',
  'identity.extra["team"] == ["blue"]',
  'identity.method == "basic"',
  'identity.authenticator == "staff"',
  'request.method == "PUT"',
  'request.host == "app.example.org"',
  'request.path == "/things/a b"',
  'request.query["x"] == ["1", "2"]',
  'request.query.y == [""]',
  'request.query["constructor"] == ["c"] && request.query["__proto__"] == ["p"]',
  '!("z" in request.query) && size(request.query) == 4',
  'request.headers["accept"][0] == "text/html"',
  'request.headers["x-many"] == ["one", "two"]',
  'request.headers["constructor"] == ["c"] && request.headers["__proto__"] == ["p"]',
  '!("toString" in request.headers) && !has(request.headers.cookie)',
  'request.source == "203.0.113.7"',
  'request.serverName == "sni.example.org"',
  'request.time > timestamp("2026-01-05T10:00:00Z") && request.time.getHours("Europe/Vienna") == 11',
  'certificate.subjectName == "" && certificate.dns == [] && size(certificate.subject) == 0',
  '!has(claims.email) && size(claims) == 0',
]

describe('a condition', () => {
  for (const when of TRUE_OF_BASIC) {
    it(when, () => {
      assert.equal(decide([{ allow: 'match', when }], BASIC), 'allow:match')
      assert.equal(decide([{ allow: 'match', when: `!(${when})` }], BASIC), 'no-rule')
    })
  }

  it('reads the claims of a token', () => {
    const identity = { claims: { email: 'a@b', level: 3, roles: ['x'], nested: { on: true } } }
    for (const when of [
      'claims.email == "a@b"',
      'claims.level > 2.0',
      '"x" in claims.roles',
      'claims.nested.on',
    ]) {
      assert.equal(decide([{ allow: 'match', when }], { identity }), 'allow:match', when)
    }
  })

  it('reads the certificate', () => {
    const certificate = { ...NO_CERTIFICATE, subject: { CN: ['a'] }, dns: ['a.example.org'] }
    const when =
      'certificate.subject.CN == ["a"] && certificate.dns.exists(n, n.endsWith(".example.org"))'
    assert.equal(decide([{ allow: 'match', when }], { identity: { certificate } }), 'allow:match')
  })

  it('reads the Kubernetes request', () => {
    const request = {
      path: '/apis/apps/v1/namespaces/prod/deployments/web/scale?fieldSelector=x',
      headers: [
        ['impersonate-user', 'bob'],
        ['impersonate-group', 'dev'],
        ['impersonate-uid', '7'],
        ['impersonate-extra-scopes', 'view'],
      ],
    } as const
    for (const when of [
      'kubernetes.isResource && kubernetes.verb == "get"',
      'kubernetes.apiGroup == "apps" && kubernetes.apiVersion == "v1"',
      'kubernetes.namespace == "prod" && kubernetes.resource == "deployments"',
      'kubernetes.subresource == "scale" && kubernetes.name == "web" && kubernetes.fieldSelector == ""',
      'kubernetes.impersonates && kubernetes.impersonation.user == "bob"',
      'kubernetes.impersonation.groups == ["dev"] && kubernetes.impersonation.uid == "7"',
      'kubernetes.impersonation.extra["scopes"] == ["view"]',
    ]) {
      const rules: readonly RuleParts[] = [
        { deny: 'match', when },
        { allow: 'rest', impersonate: {} },
      ]
      assert.equal(decide(rules, { request }, { kind: 'kubernetes' }), 'deny:match', when)
    }
    const nobody =
      '!kubernetes.impersonates && kubernetes.impersonation.user == "" && !kubernetes.isResource'
    assert.equal(
      decide([{ allow: 'match', when: nobody }], {}, { kind: 'kubernetes' }),
      'allow:match',
    )
  })

  it('reads the operation, and its absence', () => {
    const published = { kind: 'http', operations: new OperationIndex(OPERATIONS, '') } as const
    const word = (path: string, when: string): string =>
      decide(
        [{ allow: 'match', when }],
        { request: { path }, published },
        { operations: OPERATIONS },
      )
    for (const when of [
      'operation.id == "getThing" && operation.method == "GET"',
      'operation.template == "/things/{id}" && operation.tags == ["a", "b"]',
      'operation.parameters["id"] == "7" && operation.parameters.id == "7"',
    ]) {
      assert.equal(word('/things/7', when), 'allow:match', when)
      assert.equal(
        word('/other', when).replace(/:.*/, ''),
        when.includes('parameters') ? 'failed' : 'no-rule',
        when,
      )
    }
    assert.equal(word('/other', 'operation.id == "" && operation.tags == []'), 'allow:match')
  })
})

describe('a condition over named segments of paths', () => {
  const CASES: readonly {
    paths: string[]
    when: string
    yes: readonly string[]
    no: readonly string[]
  }[] = [
    {
      paths: ['/t/{tenant}/**'],
      when: 'request.segments.tenant == "a b"',
      yes: ['/t/a%20b', '/t/a%20b/x'],
      no: ['/t/a'],
    },
    {
      // Also names that CEL keeps for itself, and those that every object has.
      paths: ['/{namespace}/{constructor}/{__proto__}/{in_}'],
      when: 'request.segments.namespace == "a" && request.segments.constructor == "b" && request.segments.__proto__ == "c"',
      yes: ['/a/b/c/d'],
      no: ['/a/b/x/d', '/b/b/c/d'],
    },
    {
      paths: ['/**/{file}'],
      when: 'request.segments.file.endsWith(".js")',
      yes: ['/a.js', '/x/y/a.js'],
      no: ['/a.js/x'],
    },
    {
      paths: ['/{a}/**/{z}'],
      when: 'request.segments.a == request.segments.z',
      yes: ['/x/x', '/x/y/x'],
      no: ['/x/y', '/x/x/y'],
    },
    {
      // By the first that matches.
      paths: ['/{a}/x', '/y/{a}', '/z/{b}/{a}'],
      when: 'request.segments.a == "y"',
      yes: ['/y/x', '/y/y', '/z/q/y'],
      no: ['/x/x', '/y/z', '/z/y/q'],
    },
    {
      paths: ['/a/{x}'],
      when: 'request.segments.x in request.query["x"] && request.method == "GET" && request.headers["h"][0] == "1"',
      yes: ['/a/1?x=1'],
      no: ['/a/1?x=2'],
    },
  ]
  for (const { paths, when, yes, no } of CASES) {
    it(`evaluates ${when} on paths ${paths.join(', ')}`, () => {
      const word = (path: string): string =>
        decide([{ allow: 'match', paths, when }], { request: { path, headers: [['h', '1']] } })
      for (const path of yes) assert.equal(word(path), 'allow:match', path)
      for (const path of no) assert.equal(word(path), 'no-rule', path)
    })
  }
})

describe('the cost of all conditions of a request', () => {
  const groups = Array.from({ length: 150 }, (_, n) => `g${n}`)
  const twice = 'identity.groups.exists(a, identity.groups.exists(b, a + b == "none"))'
  const once = 'identity.groups.exists(a, a == "none")'
  const rules = (...sources: readonly string[]): readonly RuleParts[] => [
    ...sources.map((when, index) => ({ deny: `rule-${index}`, when })),
    { allow: 'others' },
  ]

  it('suffices for many that go through the groups', () =>
    assert.equal(decide(rules(...Array(100).fill(once)), { identity: { groups } }), 'allow:others'))

  it('is limited: the rule that exceeds it fails, and the request is refused', () => {
    const question = { identity: { groups } }
    assert.equal(decide(rules(once, twice, twice), question), 'failed:rule-2')
    assert.equal(decide(rules(once, twice, once), question), 'allow:others')
  })
})
