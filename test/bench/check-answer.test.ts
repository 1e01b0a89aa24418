// The bench must notice a wrong answer, the first time and when it has seen a right one before.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Expectation } from '../../bench/expectation.ts'
import { AnswerCheck, AnswerFamily } from '../../bench/processes/check-answer.ts'
import type { AllowAnswer, DenyAnswer } from '../../src/check/answer/answer.ts'
import { encodeCheckResponse } from '../../src/check/codec.ts'
import { newGrantKeyLine, parseGrantKeys } from '../../src/keys/grant-keys.ts'
import { grantOf, makeGrantKey, sealed, subjectOf } from '../fakes/grant.ts'

const DECISIONS = ['0b7f6a52-8f1d-4a57-9a0e-3c9d2e1f4b6a', 'c4e1d2b3-5a69-4788-8796-a5b4c3d2e1f0']
const [first = '', second = ''] = DECISIONS

const allow = (id: string, changes: Partial<AllowAnswer> = {}): Buffer =>
  encodeCheckResponse({
    allow: true,
    setHeaders: [['x-remote-user', 'alice']],
    removeHeaders: ['authorization'],
    responseHeaders: [['x-countersign-decision', id]],
    repeatedHeaders: [{ name: 'x-remote-group', values: ['developers', 'team-a'] }],
    ...changes,
  })

const deny = (id: string, changes: Partial<DenyAnswer> = {}): Buffer =>
  encodeCheckResponse({
    allow: false,
    grpcStatus: 16,
    httpStatus: 401,
    headers: [
      ['x-countersign-decision', id],
      ['www-authenticate', 'Basic realm="Kubernetes"'],
    ],
    body: `Decision: ${id}\n`,
    ...changes,
  })

const forAlice: Expectation = {
  outcome: 'allow',
  user: 'alice',
  groups: ['developers', 'team-a'],
}
const forNobody: Expectation = { outcome: 'deny', status: 'Unauthorized' }

const keyring = newGrantKeyLine()
const [grantKey] = parseGrantKeys('the test', keyring)
assert.ok(grantKey !== undefined)

const handleFor = (user: string, ...groups: readonly string[]): string =>
  sealed(
    grantOf({
      subject: subjectOf(['CN', user], ...groups.map((group) => ['O', group] as const)),
    }),
    grantKey,
  )

const forged = sealed(
  grantOf({ subject: subjectOf(['CN', 'alice'], ['O', 'developers'], ['O', 'team-a']) }),
  makeGrantKey(),
)

const certificate = (id: string, changes: Partial<AllowAnswer> = {}): Buffer =>
  allow(id, {
    setHeaders: [],
    repeatedHeaders: [],
    upstreamSecret: handleFor('alice', 'developers', 'team-a'),
    ...changes,
  })

const ofAlice: Expectation = {
  outcome: 'certificate',
  user: 'alice',
  groups: ['developers', 'team-a'],
  keyring,
}

const right = [
  { expectation: forAlice, answer: allow },
  { expectation: ofAlice, answer: certificate },
  { expectation: forNobody, answer: deny },
]

const wrong: readonly {
  readonly name: string
  readonly expectation: Expectation
  readonly before: Buffer
  readonly answer: Buffer
}[] = [
  { name: 'a deny', answer: deny(second) },
  {
    name: 'the header of another user',
    answer: allow(second, { setHeaders: [['x-remote-user', 'malic']] }),
  },
  { name: 'no header with the user', answer: allow(second, { setHeaders: [] }) },
  {
    name: 'two headers with the user',
    answer: allow(second, {
      setHeaders: [
        ['x-remote-user', 'alice'],
        ['x-remote-user', 'alice'],
      ],
    }),
  },
  {
    name: 'another group of the same length',
    answer: allow(second, {
      repeatedHeaders: [{ name: 'x-remote-group', values: ['developers', 'team-b'] }],
    }),
  },
  { name: 'no header with the groups', answer: allow(second, { repeatedHeaders: [] }) },
  { name: 'a truncated answer', answer: allow(second).subarray(0, 100) },
  { name: 'an empty answer', answer: Buffer.alloc(0) },
].map((change) => ({ ...change, expectation: forAlice, before: allow(first) }))

const wrongCertificates: typeof wrong = [
  { name: 'a deny', answer: deny(second) },
  { name: 'headers in place of the certificate handle', answer: allow(second) },
  {
    name: 'headers in addition to the certificate handle',
    answer: certificate(second, { setHeaders: [['x-remote-user', 'alice']] }),
  },
  {
    name: 'the handle of another user',
    answer: certificate(second, { upstreamSecret: handleFor('malic', 'developers', 'team-a') }),
  },
  {
    name: 'the handle of another group',
    answer: certificate(second, { upstreamSecret: handleFor('alice', 'developers', 'team-b') }),
  },
  {
    name: 'a handle that no grant key sealed',
    answer: certificate(second, { upstreamSecret: 'AQAB' }),
  },
  { name: 'a handle by another keyring', answer: certificate(second, { upstreamSecret: forged }) },
].map((change) => ({ ...change, expectation: ofAlice, before: certificate(first) }))

const wrongRefusals: typeof wrong = [
  { name: 'an allow', answer: allow(second) },
  { name: 'another HTTP status', answer: deny(second, { httpStatus: 403 }) },
  {
    name: 'a deny without a challenge',
    answer: deny(second, { headers: [['x-countersign-decision', second]] }),
  },
].map((change) => ({ ...change, expectation: forNobody, before: deny(first) }))

describe('answers of several users', () => {
  const groups = ['developers', 'team-a']
  const forCarol: Expectation = { outcome: 'allow', user: 'carol', groups }
  const answerFor = (id: string, user: string): Buffer =>
    allow(id, { setHeaders: [['x-remote-user', user]] })

  it('takes the right answer of each user by that of another', () => {
    const family = new AnswerFamily()
    new AnswerCheck(forAlice, family).check(answerFor(first, 'alice'))
    new AnswerCheck(forCarol, family).check(answerFor(second, 'carol'))
  })

  it('refuses the answer of another user, which was right there', () => {
    const family = new AnswerFamily()
    new AnswerCheck(forAlice, family).check(answerFor(first, 'alice'))
    assert.throws(() => new AnswerCheck(forCarol, family).check(answerFor(first, 'alice')))
    assert.throws(() => new AnswerCheck(forCarol, family).check(answerFor(second, 'malic')))
  })
})

describe('the check of answers in the benchmark', () => {
  it('takes right answers with another end of the stream', () => {
    const ending = (id: string, user: string, ms: string): Buffer =>
      allow(id, {
        setHeaders: [
          ['x-remote-user', user],
          ['x-envoy-upstream-stream-duration-ms', ms],
        ],
      })
    const check = new AnswerCheck(forAlice)
    check.check(ending(first, 'alice', '3593753'))
    check.check(ending(second, 'alice', '3593001'))
    check.check(ending(second, 'alice', '99'))
    assert.throws(() => check.check(ending(second, 'malic', '3593001')))
  })

  for (const { expectation, answer } of right) {
    it(`accepts the expected ${expectation.outcome}, whatever its decision id`, () => {
      const check = new AnswerCheck(expectation)
      for (const id of DECISIONS) check.check(answer(id))
    })
  }
  for (const { name, expectation, before, answer } of [
    ...wrong,
    ...wrongCertificates,
    ...wrongRefusals,
  ]) {
    it(`refuses ${name} instead of an ${expectation.outcome}`, () => {
      const check = new AnswerCheck(expectation)
      assert.throws(() => check.check(answer))
      check.check(before)
      assert.throws(() => check.check(answer))
    })
  }
})
