// The index never leaves out a rule that matches, and leaves few that do not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { prepareShape, SHAPES } from '../../../bench/policy/shapes.ts'
import { evaluate, matchOf } from '../../../src/authorize/evaluate.ts'
import type { Policy } from '../../../src/authorize/policy.ts'
import type { Question } from '../../../src/authorize/question.ts'
import { questionOf, type QuestionParts } from '../../fakes/question.ts'
import { randomFrom } from '../../fakes/random.ts'
import { policyOf, type RuleParts } from '../../fakes/rules.ts'
import { OPERATIONS, randomQuestion, randomRule, type Kind } from '../random-rules.ts'

const SEED = 4_242
const KINDS: readonly Kind[] = ['http', 'kubernetes', 'openapi']

/** The same rules without an index. */
const linear = (policy: Policy): Policy => ({ ...policy, candidates: () => policy.rules })

const outcomeOf = (policy: Policy, question: Question): unknown => {
  const { outcome, shadows, ...rest } = evaluate(policy, question)
  if ('permit' in rest) return [outcome, rest.permit.rule, shadows]
  return [outcome, 'rule' in rest ? rest.rule.name : undefined, shadows]
}

describe('the index of rules, for random rules and questions,', () => {
  for (const kind of KINDS) {
    it(`decides as without it: ${kind} (seed ${SEED})`, () => {
      const random = randomFrom(SEED + KINDS.indexOf(kind))
      const seen = new Map<string, number>()
      let skipped = 0
      for (let round = 0; round < 48; round++) {
        // Up to the first that is one too many to be tried one by one, and beyond several words of bits.
        const count = [1, 16, 17, 31, 32, 33, 64, 100][round % 8] ?? 1
        const rules = Array.from({ length: count }, (_, n) => randomRule(random, `r${n}`, kind))
        const policy = policyOf(rules, {
          kind: kind === 'kubernetes' ? kind : 'http',
          operations: kind === 'openapi' ? OPERATIONS : undefined,
        })
        for (let index = 0; index < 300; index++) {
          const question = questionOf(randomQuestion(random, kind))
          const candidates = new Set(policy.candidates(question))
          for (const rule of policy.rules) {
            if (candidates.has(rule)) continue
            skipped += 1
            if (matchOf(rule, question) === false) continue
            assert.fail(`${rule.name} of ${JSON.stringify(rules)} was left out`)
          }
          const want = outcomeOf(linear(policy), question)
          assert.deepEqual(outcomeOf(policy, question), want)
          const outcome = Array.isArray(want) ? String(want[0]) : ''
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
        }
      }
      assert.ok(skipped > 40_000, `skipped ${skipped}`)
      for (const outcome of ['permit', 'denied', 'failed', 'no-rule']) {
        assert.ok((seen.get(outcome) ?? 0) > 120, `${outcome}: ${seen.get(outcome)}`)
      }
    })
  }
})

const MANY = Array.from({ length: 1_000 }, (_, n) => n)

const countOf = (
  rules: readonly RuleParts[],
  parts: QuestionParts,
  kind: 'http' | 'kubernetes' = 'http',
): number =>
  Array.from(policyOf(rules, { kind }).candidates(questionOf({ published: { kind }, ...parts })))
    .length

describe('the index of a thousand rules finds few to evaluate', () => {
  const CASES: readonly {
    readonly name: string
    readonly rules: readonly RuleParts[]
    readonly question: QuestionParts
    readonly kind?: 'kubernetes'
    readonly most: number
  }[] = [
    {
      name: 'by path',
      rules: MANY.map((n) => ({ allow: `r${n}`, paths: [`/items-${n}/list`, `/items-${n}/**`] })),
      question: { request: { path: '/items-7/list' } },
      most: 1,
    },
    {
      name: 'by path behind named segments and patterns',
      rules: MANY.map((n) => ({ allow: `r${n}`, paths: [`/{tenant}/v*/items-${n}/{id}`] })),
      question: { request: { path: '/acme/v1/items-7/x' } },
      most: 1,
    },
    {
      name: 'by user',
      rules: MANY.map((n) => ({ allow: `r${n}`, users: [`user-${n}`, 'root'] })),
      question: { identity: { user: 'user-7' } },
      most: 1,
    },
    {
      name: 'by group, of many',
      rules: MANY.map((n) => ({ allow: `r${n}`, groups: [`group-${n}`] })),
      question: { identity: { groups: ['group-7', 'group-9', ...MANY.map((n) => `other-${n}`)] } },
      most: 2,
    },
    {
      name: 'by how the name of the user begins',
      rules: MANY.map((n) => ({ allow: `r${n}`, users: [`team-${n}:*`, `root-${n}`] })),
      question: { identity: { user: 'team-7:alice' } },
      most: 1,
    },
    {
      name: 'by how the name of the user ends',
      rules: MANY.map((n) => ({ allow: `r${n}`, users: [`*@team-${n}.example.org`] })),
      question: { identity: { user: 'alice@team-7.example.org' } },
      most: 1,
    },
    {
      name: 'by patterns of groups',
      rules: MANY.map((n) => ({ allow: `r${n}`, groups: [`team-${n}-*`, `*-of-team-${n}`] })),
      question: { identity: { groups: ['team-7-dev', 'admins-of-team-8', 'others'] } },
      most: 2,
    },
    {
      name: 'by how the namespace begins',
      kind: 'kubernetes',
      rules: MANY.map((n) => ({ allow: `r${n}`, namespaces: [`team-${n}-*`] })),
      question: { request: { path: '/api/v1/namespaces/team-7-dev/pods' } },
      most: 1,
    },
    {
      name: 'by host',
      rules: MANY.map((n) => ({ allow: `r${n}`, hosts: [`h${n}.example.org`] })),
      question: { request: { host: 'h7.example.org' } },
      most: 1,
    },
    {
      name: 'by resource and namespace',
      kind: 'kubernetes',
      rules: MANY.map((n) => ({
        allow: `r${n}`,
        resources: [`kind${n % 20}`],
        namespaces: [`ns-${n % 50}`],
      })),
      question: { request: { path: '/api/v1/namespaces/ns-7/kind7/x' } },
      most: 10,
    },
    {
      name: 'for a question that no rule has',
      rules: MANY.map((n) => ({ allow: `r${n}`, users: [`user-${n}`] })),
      question: { identity: { user: 'nobody' } },
      most: 0,
    },
    {
      name: 'and every rule that it cannot look up',
      rules: [...MANY.map((n) => ({ deny: `r${n}`, users: [`user-${n}`] })), { allow: 'rest' }],
      question: { identity: { user: 'nobody' } },
      most: 1,
    },
  ]
  for (const { name, rules, question, kind, most } of CASES) {
    it(`finds few candidates ${name}`, () => {
      const count = countOf(rules, question, kind)
      assert.ok(count <= most, `${count} candidates`)
    })
  }

  for (const shape of SHAPES.slice(0, 4)) {
    it(`of a shape as operators write them: ${shape.name}`, () => {
      const { policy, questions } = prepareShape(shape, 1_000, 200)
      for (const question of questions) {
        assert.ok(Array.from(policy.candidates(question)).length <= 2)
        assert.equal(evaluate(policy, question).outcome, 'permit')
      }
    })
  }
})

describe('the index of rules', () => {
  it('reads the identity of the question, not a similar one', () => {
    const policy = policyOf(MANY.map((n) => ({ allow: `r${n}`, groups: [`group-${n}`] })))
    for (const n of [1, 2, 1, 2]) {
      const question = questionOf({ identity: { groups: [`group-${n}`] } })
      for (let again = 0; again < 2; again++) {
        assert.deepEqual(
          Array.from(policy.candidates(question), ({ name }) => name),
          [`r${n}`],
        )
      }
    }
  })

  it('finds hostile names literally', () => {
    const names = ['__proto__', 'constructor', 'toString', '', '\0', '*']
    const rules = [
      ...MANY.map((n) => ({ deny: `r${n}`, users: [`user-${n}`], groups: [`g${n}`] })),
      { allow: 'rest' },
    ]
    const policy = policyOf(rules)
    for (const user of names) {
      const question = questionOf({ identity: { user, groups: names } })
      assert.deepEqual(
        Array.from(policy.candidates(question), ({ name }) => name),
        ['rest'],
      )
    }
  })
})
