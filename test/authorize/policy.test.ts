// Rules → verdicts: the first that matches decides, and no match is a refusal.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate } from '../../src/authorize/evaluate.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { decide } from '../fakes/decide.ts'
import type { RequestParts } from '../fakes/envoy.ts'
import { questionOf } from '../fakes/question.ts'
import { policyOf, type RuleParts } from '../fakes/rules.ts'

interface Case {
  readonly name: string
  readonly rules: readonly RuleParts[]
  readonly identity?: Partial<Identity>
  readonly request?: RequestParts
  readonly want: string
}

const checkAll = (cases: readonly Case[]): void => {
  for (const { name, rules, identity, request, want } of cases) {
    it(name, () =>
      assert.equal(decide(rules, { identity: identity ?? {}, request: request ?? {} }), want),
    )
  }
}

describe('the order of rules', () => {
  checkAll([
    { name: 'no rules refuse', rules: [], want: 'no-rule' },
    { name: 'a rule without matchers matches', rules: [{ allow: 'all' }], want: 'allow:all' },
    { name: 'and can refuse', rules: [{ deny: 'none' }], want: 'deny:none' },
    {
      name: 'the first match decides, when it permits',
      rules: [{ allow: 'first' }, { deny: 'second' }],
      want: 'allow:first',
    },
    {
      name: 'the first match decides, when it refuses',
      rules: [{ deny: 'first' }, { allow: 'second' }],
      want: 'deny:first',
    },
    {
      name: 'what does not match is passed over',
      rules: [{ deny: 'posts', methods: ['POST'] }, { allow: 'rest' }],
      want: 'allow:rest',
    },
    {
      name: 'no match refuses, also when every rule is a deny',
      rules: [{ deny: 'posts', methods: ['POST'] }],
      want: 'no-rule',
    },
    {
      name: 'no match refuses, also when every rule is an allow',
      rules: [{ allow: 'posts', methods: ['POST'] }],
      want: 'no-rule',
    },
  ])
})

describe('the matchers of one rule', () => {
  const rules: readonly RuleParts[] = [
    {
      allow: 'match',
      methods: ['GET', 'HEAD'],
      paths: ['/api/**'],
      users: ['alice', 'svc-*'],
      groups: ['dev', 'team-*'],
    },
  ]
  const identity = { user: 'alice', groups: ['other', 'dev'] }
  const request = { method: 'GET', path: '/api/v1' }
  checkAll([
    { name: 'must all match', rules, identity, request, want: 'allow:match' },
    {
      name: 'may match by another of their values',
      rules,
      identity: { user: 'svc-a', groups: ['team-b'] },
      request: { method: 'HEAD', path: '/api' },
      want: 'allow:match',
    },
    {
      name: 'fail by the method',
      rules,
      identity,
      request: { ...request, method: 'POST' },
      want: 'no-rule',
    },
    {
      name: 'fail by the path',
      rules,
      identity,
      request: { ...request, path: '/apis' },
      want: 'no-rule',
    },
    {
      name: 'fail by the user',
      rules,
      identity: { ...identity, user: 'bob' },
      request,
      want: 'no-rule',
    },
    {
      name: 'fail by the groups',
      rules,
      identity: { ...identity, groups: ['other'] },
      request,
      want: 'no-rule',
    },
    {
      name: 'fail without any group',
      rules: [{ allow: 'match', groups: ['*'] }],
      identity: { groups: [] },
      want: 'no-rule',
    },
    {
      name: 'take a user for no group',
      rules: [{ allow: 'match', groups: ['alice'] }],
      identity: { user: 'alice', groups: [] },
      want: 'no-rule',
    },
    {
      name: 'take a group for no user',
      rules: [{ allow: 'match', users: ['admins'] }],
      identity: { groups: ['admins'] },
      want: 'no-rule',
    },
    {
      name: 'see the decoded path',
      rules: [{ deny: 'match', paths: ['/secrets/**'] }, { allow: 'rest' }],
      request: { path: '/%73ecrets/a' },
      want: 'deny:match',
    },
    {
      name: 'see no query',
      rules: [{ allow: 'match', paths: ['/a'] }],
      request: { path: '/a?x=/b' },
      want: 'allow:match',
    },
  ])
})

describe('evaluate', () => {
  it('remembers nothing: equal questions have equal answers', () => {
    const policy = policyOf([{ allow: 'alice', users: ['alice'] }])
    const [alice, bob] = [questionOf(), questionOf({ identity: { user: 'bob' } })]
    for (let round = 0; round < 3; round++) {
      assert.equal(evaluate(policy, alice).outcome, 'permit')
      assert.equal(evaluate(policy, bob).outcome, 'no-rule')
    }
  })

  it('gives a permit that names the identity, the request and the rule', () => {
    const question = questionOf()
    const verdict = evaluate(policyOf([{ allow: 'all' }]), question)
    assert.equal(verdict.outcome, 'permit')
    assert.equal(verdict.permit.identity, question.identity)
    assert.equal(verdict.permit.request, question.request)
    assert.equal(verdict.permit.rule, 'all')
  })
})
