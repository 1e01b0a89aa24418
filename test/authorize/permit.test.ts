// A permit comes from `evaluate` and from nowhere else: not by a look-alike, which does not even
// compile, and not by a cast.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluate, isPermit, type Permit } from '../../src/authorize/evaluate.ts'
import type { Matcher } from '../../src/authorize/matcher.ts'
import type { Policy } from '../../src/authorize/policy.ts'
import { transform } from '../../src/transform/apply.ts'
import { requestOf } from '../fakes/envoy.ts'
import { identityOf } from '../fakes/identity.ts'
import { permitFor } from '../fakes/permit.ts'
import { questionOf } from '../fakes/question.ts'
import { policyOf } from '../fakes/rules.ts'
import { outgoing } from '../fakes/outgoing.ts'

const parts = { identity: identityOf(), request: requestOf(), rule: 'all' }

// @ts-expect-error -- the private field is missing: if this compiles, any code can make a permit
const lookAlike: Permit = parts
// @ts-expect-error -- nor does a field of that name make it one
const withProof: Permit = { ...parts, '#proof': true }
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the cast is what is tested
const cast = JSON.parse(JSON.stringify(parts)) as Permit

const genuine = permitFor()
const heir: unknown = Object.create(genuine)
const classmate: unknown = Object.create(Object.getPrototypeOf(genuine), {})
assert.ok(typeof heir === 'object' && heir !== null)
assert.ok(typeof classmate === 'object' && classmate !== null)

const FORGED: readonly { name: string; input: object }[] = [
  { name: 'an object of the same shape', input: lookAlike },
  { name: 'an object with a field of that name', input: withProof },
  { name: 'a cast object', input: cast },
  { name: 'a copy of a genuine permit', input: Object.assign({}, genuine) },
  { name: 'an object with a genuine permit as its prototype', input: heir },
  { name: 'an object of the same class', input: classmate },
  { name: 'a proxy of a genuine permit', input: new Proxy(genuine, {}) },
]

describe('isPermit', () => {
  it('accepts a genuine permit', () => assert.ok(isPermit(genuine)))

  for (const { name, input } of FORGED) {
    it(`refuses ${name}`, () => assert.ok(!isPermit(input)))
  }
})

describe('the transform of a request', () => {
  const FOREVER = new AbortController().signal

  it('accepts a genuine permit', async () => {
    assert.equal((await transform(genuine, outgoing([]), FOREVER)).outcome, 'transformed')
  })

  for (const { name, input } of FORGED) {
    it(`throws for ${name}, whatever the route forwards`, async () => {
      // @ts-expect-error -- an object is not a permit
      assert.throws(() => transform(input, outgoing([]), FOREVER), /without a genuine permit/)
    })
  }
})

describe('a broken matcher', () => {
  const { rules } = policyOf([{ allow: 'first' }, { allow: 'rest' }])
  const policyWith = (test: Matcher['test']): Policy => {
    const broken: Matcher = { key: 'users', test, wanted: undefined, got: () => undefined }
    const all = rules.map((rule, index) => (index === 0 ? { ...rule, matchers: [broken] } : rule))
    return { rules: all, demands: undefined, candidates: () => all }
  }

  // `check` makes a refusal of what is thrown (reason "internal-error").
  it('yields no permit where it throws, though the next rule would allow', () => {
    const policy = policyWith(() => {
      throw new Error('a bug')
    })
    assert.throws(() => evaluate(policy, questionOf()), /a bug/)
  })

  for (const answer of [
    undefined,
    null,
    0,
    1,
    '',
    'true',
    {},
    [],
    { unknown: 'x' },
    Promise.resolve(true),
  ]) {
    it(`yields no permit where it returns ${JSON.stringify(answer) ?? 'nothing'}`, () => {
      // @ts-expect-error -- what its type forbids is tested
      const policy = policyWith(() => answer)
      let outcome = 'threw'
      try {
        outcome = evaluate(policy, questionOf()).outcome
      } catch {
        // as good
      }
      assert.notEqual(outcome, 'permit')
    })
  }
})
