// Rules and lists in shadow are recorded and decide nothing; lists in force are their rules.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Authorizer, type Review } from '../../src/authorize/authorizer.ts'
import { evaluate } from '../../src/authorize/evaluate.ts'
import { wordOf } from '../fakes/decide.ts'
import { questionOf } from '../fakes/question.ts'
import { policyOf, type RuleParts } from '../fakes/rules.ts'

interface Case {
  readonly name: string
  readonly rules: readonly RuleParts[]
  readonly want: string
  readonly shadows?: readonly string[]
}

const FAILING = 'claims.none == 1'
const miss = { users: ['bob'] }

const CASES: readonly Case[] = [
  {
    name: 'a shadow rule decides nothing',
    rules: [{ deny: 'a', shadow: true }, { allow: 'b' }],
    want: 'allow:b',
    shadows: ['a: deny'],
  },
  {
    name: 'a shadow rule decides nothing even where no other rule does',
    rules: [{ allow: 'a', shadow: true }],
    want: 'no-rule',
    shadows: ['a: allow'],
  },
  {
    name: 'each shadow rule that matches is recorded, in order, up to the deciding rule',
    rules: [
      { allow: 'a', shadow: true },
      { deny: 'b', shadow: true, ...miss },
      { deny: 'c', shadow: true },
      { deny: 'd' },
      { allow: 'e', shadow: true },
    ],
    want: 'deny:d',
    shadows: ['a: allow', 'c: deny'],
  },
  {
    name: 'a shadow rule that cannot be evaluated refuses nothing',
    rules: [{ deny: 'a', shadow: true, when: FAILING }, { allow: 'b' }],
    want: 'allow:b',
    shadows: ['a: failed'],
  },
  {
    name: 'an active list is evaluated as its rules, in its place',
    rules: [
      { deny: 'a', ...miss },
      { list: 'l', rules: [{ allow: 'b', ...miss }, { deny: 'c' }] },
      { allow: 'd' },
    ],
    want: 'deny:c',
  },
  {
    name: 'an active list of which no rule matches is passed',
    rules: [{ list: 'l', rules: [{ deny: 'a', ...miss }] }, { allow: 'b' }],
    want: 'allow:b',
  },
  {
    name: 'a shadow list is recorded once, with its first rule that matches',
    rules: [
      { list: 'l', shadow: true, rules: [{ deny: 'a', ...miss }, { allow: 'b' }, { deny: 'c' }] },
      { allow: 'd' },
    ],
    want: 'allow:d',
    shadows: ['b: allow'],
  },
  {
    name: 'a shadow list is recorded with a rule that cannot be evaluated',
    rules: [
      { list: 'l', shadow: true, rules: [{ allow: 'a', when: FAILING }, { deny: 'b' }] },
      { allow: 'c' },
    ],
    want: 'allow:c',
    shadows: ['a: failed'],
  },
  {
    name: 'two shadow lists are recorded separately, even with the same name',
    rules: [
      { list: 'l', shadow: true, rules: [{ deny: 'a' }, { deny: 'b' }] },
      { list: 'l', shadow: true, rules: [{ allow: 'c' }, { deny: 'd' }] },
      { allow: 'e' },
    ],
    want: 'allow:e',
    shadows: ['a: deny', 'c: allow'],
  },
  {
    name: 'shadow rules of an active list are recorded one by one',
    rules: [
      {
        list: 'l',
        rules: [{ deny: 'a', shadow: true }, { deny: 'b', shadow: true }, { allow: 'c' }],
      },
    ],
    want: 'allow:c',
    shadows: ['a: deny', 'b: deny'],
  },
  {
    // Once the list is in force, it would pass over "a".
    name: 'a shadow rule in a shadow list is not recorded for the list',
    rules: [
      {
        list: 'l',
        shadow: true,
        rules: [{ deny: 'a', shadow: true }, { allow: 'b' }, { deny: 'c' }],
      },
      { allow: 'd' },
    ],
    want: 'allow:d',
    shadows: ['a: deny', 'b: allow'],
  },
]

// An index is made of seventeen and more.
const FILLERS: readonly RuleParts[] = Array.from({ length: 12 }, (_, n) => ({
  deny: `filler-${n}`,
  users: [`x-${n}`],
}))

describe('shadow rules and lists:', () => {
  for (const { name, rules, want, shadows = [] } of CASES) {
    for (const [how, all] of [
      ['few', rules],
      ['many', [...FILLERS, ...rules, ...FILLERS]],
    ] as const) {
      it(`${name} (${how})`, () => {
        const verdict = evaluate(policyOf(all), questionOf())
        assert.equal(wordOf(verdict), want)
        assert.deepEqual(
          verdict.shadows.map(({ rule, decision }) => `${rule}: ${decision}`),
          shadows,
        )
      })
    }
  }
})

describe('a shadow rule with an access review', () => {
  const rules: readonly RuleParts[] = [
    { deny: 'a', shadow: true, subjectAccessReview: false },
    { allow: 'b' },
  ]
  const authorize = async (all: readonly RuleParts[], review: Review) =>
    await new Authorizer(policyOf(all), { review: () => Promise.resolve(review) }).authorize(
      questionOf(),
      new AbortController().signal,
    )

  it('is recorded with the answer of the API server', async () => {
    const verdict = await authorize(rules, { outcome: 'reviewed', allowed: false })
    assert.equal(verdict.outcome, 'permit')
    assert.deepEqual(verdict.shadows, [{ rule: 'a', decision: 'deny' }])
  })

  it('refuses nothing where the API server does not answer', async () => {
    const verdict = await authorize(rules, { outcome: 'unavailable', cause: new Error('down') })
    assert.equal(verdict.outcome, 'permit')
    assert.deepEqual(verdict.shadows, [{ rule: 'a', decision: 'failed' }])
  })

  it('does not replace an active one that is evaluated later', async () => {
    const both = [
      ...rules.slice(0, 1),
      { allow: 'c', subjectAccessReview: true },
      ...rules.slice(1),
    ]
    const verdict = await authorize(both, { outcome: 'unavailable', cause: new Error('down') })
    assert.equal(verdict.outcome, 'unavailable')
  })
})
