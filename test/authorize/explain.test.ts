// Verdicts, explained rule by rule and matcher by matcher.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Authorizer } from '../../src/authorize/authorizer.ts'
import { explainRules, type RuleExplanation } from '../../src/authorize/explain.ts'
import type { Policy } from '../../src/authorize/policy.ts'
import { questionOf, type QuestionParts } from '../fakes/question.ts'
import { policyOf, type RuleParts } from '../fakes/rules.ts'

const explained = async (
  policy: Policy,
  parts: QuestionParts = {},
  review?: boolean,
): Promise<readonly RuleExplanation[]> => {
  const question = questionOf(parts)
  const authorizer = new Authorizer(
    policy,
    review === undefined
      ? undefined
      : { review: () => Promise.resolve({ outcome: 'reviewed', allowed: review }) },
  )
  const verdict = await authorizer.authorize(question, new AbortController().signal)
  return explainRules(policy, { ...question, review: review ?? 'unavailable' }, verdict)
}

const outline = (rules: readonly RuleExplanation[]): readonly string[] =>
  rules.map(({ name, outcome, shadow }) => [name, outcome, shadow].filter(Boolean).join(' '))

const FAILING = 'request.headers["x"][0] == "1"'

describe('explained rules', () => {
  const CASES: readonly {
    name: string
    rules: readonly RuleParts[]
    review?: boolean
    want: readonly string[]
  }[] = [
    {
      name: 'end with the first that matches',
      rules: [{ deny: 'a', users: ['bob'] }, { allow: 'b' }, { deny: 'c' }],
      want: ['a miss', 'b hit', 'c not-reached'],
    },
    {
      name: 'are all reported where none matches',
      rules: [
        { allow: 'a', users: ['bob'] },
        { allow: 'b', groups: ['x'] },
      ],
      want: ['a miss', 'b miss'],
    },
    {
      name: 'end with one that is undetermined',
      rules: [{ allow: 'a', when: FAILING }, { allow: 'b' }],
      want: ['a failed', 'b not-reached'],
    },
    {
      name: 'include shadow rules, failed ones too, which decide nothing',
      rules: [
        { deny: 'a', shadow: true },
        { allow: 'b', shadow: true, when: FAILING },
        { allow: 'c', shadow: true, users: ['bob'] },
        { allow: 'd' },
      ],
      want: ['a shadow deny', 'b shadow failed', 'c miss', 'd hit'],
    },
    {
      name: 'of a shadow list include the first that matches',
      rules: [
        {
          list: 'l',
          shadow: true,
          rules: [{ allow: 'a', users: ['bob'] }, { deny: 'b' }, { allow: 'c' }],
        },
        { allow: 'd' },
      ],
      want: ['a miss', 'b shadow deny', 'c not-reached', 'd hit'],
    },
    {
      name: 'include an API server that allows',
      rules: [{ allow: 'a', subjectAccessReview: true }, { deny: 'b' }],
      review: true,
      want: ['a hit', 'b not-reached'],
    },
    {
      name: 'include an API server that does not allow',
      rules: [{ allow: 'a', subjectAccessReview: true }, { deny: 'b' }],
      review: false,
      want: ['a miss', 'b hit'],
    },
    {
      name: 'include an API server that does not answer',
      rules: [
        { allow: 's', shadow: true, subjectAccessReview: true },
        { allow: 'a', subjectAccessReview: true },
        { deny: 'b' },
      ],
      want: ['s shadow failed', 'a failed', 'b not-reached'],
    },
  ]
  for (const { name, rules, review, want } of CASES) {
    it(name, async () => {
      assert.deepEqual(outline(await explained(policyOf(rules), {}, review)), want)
    })
  }

  it('report the wanted and the actual value of each matcher', async () => {
    const policy = policyOf([
      {
        allow: 'a',
        users: ['alice'],
        groups: ['ops'],
        methods: ['GET'],
        when: 'true',
        subjectAccessReview: true,
      },
    ])
    const [rule] = await explained(policy, { identity: { groups: ['dev'] } })
    assert.deepEqual(
      rule?.matchers.map(({ key, outcome, wanted, got }) => [key, outcome, wanted, got]),
      [
        ['users', 'hit', ['alice'], 'alice'],
        ['groups', 'miss', ['ops'], ['dev']],
        ['methods', 'hit', ['GET'], 'GET'],
        ['when', 'not-reached', 'true', undefined],
        ['subjectAccessReview', 'not-reached', true, undefined],
      ],
    )
  })

  it('report why an expression failed, without a value', async () => {
    const [rule] = await explained(policyOf([{ allow: 'a', when: FAILING }]), {
      request: { headers: [['y', 'secret']] },
    })
    const [matcher] = rule?.matchers ?? []
    assert.equal(matcher?.outcome, 'failed')
    assert.match(matcher.detail ?? '', /\w/)
    assert.doesNotMatch(JSON.stringify(rule), /secret/)
  })

  it('are not reached where the OpenAPI document refuses', () => {
    const policy = policyOf([{ allow: 'a' }])
    const shadows = [] as const
    const rules = explainRules(policy, questionOf(), { outcome: 'operation-undefined', shadows })
    assert.deepEqual(outline(rules), ['a not-reached'])
  })
})

describe('an explanation that differs from the decision', () => {
  const policy = policyOf([{ allow: 'a', users: ['bob'] }, { allow: 'b' }, { deny: 'c' }])
  const [, , rule] = policy.rules
  assert.ok(rule)

  it('is a bug: another rule', () => {
    assert.throws(
      () => explainRules(policy, questionOf(), { outcome: 'denied', rule, shadows: [] }),
      /hit allow b, where it was hit deny c/,
    )
  })

  it('is a bug: no rule', () => {
    assert.throws(
      () => explainRules(policy, questionOf(), { outcome: 'no-rule', shadows: [] }),
      /hit allow b, where it was no-rule/,
    )
  })

  it('is a bug: other shadow rules', async () => {
    const question = questionOf()
    const shadowed = policyOf([{ deny: 'x', shadow: true }, { deny: 'c' }])
    const [, c] = shadowed.rules
    assert.ok(c)
    assert.throws(
      () => explainRules(shadowed, question, { outcome: 'denied', rule: c, shadows: [] }),
      /in shadow/,
    )
  })

  it('is a bug: an index that leaves out a rule', async () => {
    const lame: Policy = { ...policy, candidates: () => policy.rules.slice(2) }
    await assert.rejects(explained(lame), /hit allow b, where it was hit deny c/)
  })
})
