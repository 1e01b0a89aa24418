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

describe('the order of rules: a request is', () => {
  checkAll([
    { name: 'refused without rules', rules: [], want: 'no-rule' },
    { name: 'allowed by a rule without matchers', rules: [{ allow: 'all' }], want: 'allow:all' },
    { name: 'denied by a rule without matchers', rules: [{ deny: 'none' }], want: 'deny:none' },
    {
      name: 'allowed where the first match allows',
      rules: [{ allow: 'first' }, { deny: 'second' }],
      want: 'allow:first',
    },
    {
      name: 'denied where the first match denies',
      rules: [{ deny: 'first' }, { allow: 'second' }],
      want: 'deny:first',
    },
    {
      name: 'decided by a later rule where earlier ones do not match',
      rules: [{ deny: 'posts', methods: ['POST'] }, { allow: 'rest' }],
      want: 'allow:rest',
    },
    {
      name: 'refused without a match, also where every rule is a deny',
      rules: [{ deny: 'posts', methods: ['POST'] }],
      want: 'no-rule',
    },
    {
      name: 'refused without a match, also where every rule is an allow',
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
      name: 'match by any of their values',
      rules,
      identity: { user: 'svc-a', groups: ['team-b'] },
      request: { method: 'HEAD', path: '/api' },
      want: 'allow:match',
    },
    {
      name: 'do not match by the method',
      rules,
      identity,
      request: { ...request, method: 'POST' },
      want: 'no-rule',
    },
    {
      name: 'do not match by the path',
      rules,
      identity,
      request: { ...request, path: '/apis' },
      want: 'no-rule',
    },
    {
      name: 'do not match by the user',
      rules,
      identity: { ...identity, user: 'bob' },
      request,
      want: 'no-rule',
    },
    {
      name: 'do not match by the groups',
      rules,
      identity: { ...identity, groups: ['other'] },
      request,
      want: 'no-rule',
    },
    {
      name: 'do not match without any group',
      rules: [{ allow: 'match', groups: ['*'] }],
      identity: { groups: [] },
      want: 'no-rule',
    },
    {
      name: 'do not compare the user with groups',
      rules: [{ allow: 'match', groups: ['alice'] }],
      identity: { user: 'alice', groups: [] },
      want: 'no-rule',
    },
    {
      name: 'do not compare groups with users',
      rules: [{ allow: 'match', users: ['admins'] }],
      identity: { groups: ['admins'] },
      want: 'no-rule',
    },
    {
      name: 'read the decoded path',
      rules: [{ deny: 'match', paths: ['/secrets/**'] }, { allow: 'rest' }],
      request: { path: '/%73ecrets/a' },
      want: 'deny:match',
    },
    {
      name: 'do not read the query',
      rules: [{ allow: 'match', paths: ['/a'] }],
      request: { path: '/a?x=/b' },
      want: 'allow:match',
    },
  ])
})

describe('the evaluation of a policy', () => {
  it('is the same for equal questions', () => {
    const policy = policyOf([{ allow: 'alice', users: ['alice'] }])
    const [alice, bob] = [questionOf(), questionOf({ identity: { user: 'bob' } })]
    for (let round = 0; round < 3; round++) {
      assert.equal(evaluate(policy, alice).outcome, 'permit')
      assert.equal(evaluate(policy, bob).outcome, 'no-rule')
    }
  })

  it('yields a permit with identity, request and rule', () => {
    const question = questionOf()
    const verdict = evaluate(policyOf([{ allow: 'all' }]), question)
    assert.equal(verdict.outcome, 'permit')
    assert.equal(verdict.permit.identity, question.identity)
    assert.equal(verdict.permit.request, question.request)
    assert.equal(verdict.permit.rule, 'all')
  })
})
