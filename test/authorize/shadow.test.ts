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
    name: 'a rule in shadow decides nothing',
    rules: [{ deny: 'a', shadow: true }, { allow: 'b' }],
    want: 'allow:b',
    shadows: ['a: deny'],
  },
  {
    name: 'not even where nothing else does',
    rules: [{ allow: 'a', shadow: true }],
    want: 'no-rule',
    shadows: ['a: allow'],
  },
  {
    name: 'each that matches is recorded, in order, up to the one that decides',
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
    name: 'one that cannot be evaluated refuses nothing',
    rules: [{ deny: 'a', shadow: true, when: FAILING }, { allow: 'b' }],
    want: 'allow:b',
    shadows: ['a: failed'],
  },
  {
    name: 'a list in force is its rules, in its place',
    rules: [
      { deny: 'a', ...miss },
      { list: 'l', rules: [{ allow: 'b', ...miss }, { deny: 'c' }] },
      { allow: 'd' },
    ],
    want: 'deny:c',
  },
  {
    name: 'and none of them matching, the rest',
    rules: [{ list: 'l', rules: [{ deny: 'a', ...miss }] }, { allow: 'b' }],
    want: 'allow:b',
  },
  {
    name: 'a list in shadow speaks once, by the first of it that matches',
    rules: [
      { list: 'l', shadow: true, rules: [{ deny: 'a', ...miss }, { allow: 'b' }, { deny: 'c' }] },
      { allow: 'd' },
    ],
    want: 'allow:d',
    shadows: ['b: allow'],
  },
  {
    name: 'also by one that cannot be evaluated',
    rules: [
      { list: 'l', shadow: true, rules: [{ allow: 'a', when: FAILING }, { deny: 'b' }] },
      { allow: 'c' },
    ],
    want: 'allow:c',
    shadows: ['a: failed'],
  },
  {
    name: 'two lists in shadow speak for themselves, whatever their names',
    rules: [
      { list: 'l', shadow: true, rules: [{ deny: 'a' }, { deny: 'b' }] },
      { list: 'l', shadow: true, rules: [{ allow: 'c' }, { deny: 'd' }] },
      { allow: 'e' },
    ],
    want: 'allow:e',
    shadows: ['a: deny', 'c: allow'],
  },
  {
    name: 'rules in shadow of a list in force are recorded one by one',
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
    name: 'a rule in shadow does not speak for its list',
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

describe('rules and lists in shadow', () => {
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

describe('a rule in shadow that asks an API server', () => {
  const rules: readonly RuleParts[] = [
    { deny: 'a', shadow: true, subjectAccessReview: false },
    { allow: 'b' },
  ]
  const authorize = async (all: readonly RuleParts[], review: Review) =>
    await new Authorizer(policyOf(all), { review: () => Promise.resolve(review) }).authorize(
      questionOf(),
      new AbortController().signal,
    )

  it('is recorded by what the API server says', async () => {
    const verdict = await authorize(rules, { outcome: 'reviewed', allowed: false })
    assert.equal(verdict.outcome, 'permit')
    assert.deepEqual(verdict.shadows, [{ rule: 'a', decision: 'deny' }])
  })

  it('refuses nothing where that gives no answer', async () => {
    const verdict = await authorize(rules, { outcome: 'unavailable', cause: new Error('down') })
    assert.equal(verdict.outcome, 'permit')
    assert.deepEqual(verdict.shadows, [{ rule: 'a', decision: 'failed' }])
  })

  it('one in force behind it refuses', async () => {
    const both = [
      ...rules.slice(0, 1),
      { allow: 'c', subjectAccessReview: true },
      ...rules.slice(1),
    ]
    const verdict = await authorize(both, { outcome: 'unavailable', cause: new Error('down') })
    assert.equal(verdict.outcome, 'unavailable')
  })
})
