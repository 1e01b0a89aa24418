// A password at the login page: the challenge for a second factor, which attempts count, and what is never cached.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoginStep, PasswordQuestion } from '../../../src/authenticate/authenticator.ts'
import { basicAuthenticator } from '../../../src/authenticate/password/authenticator.ts'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { basic, requestOf } from '../../fakes/envoy.ts'
import { FakeVerifier } from '../../fakes/password-verifier.ts'
import { GuardedSite, HOME, MINUTE } from './guarding.ts'

const FOREVER = new AbortController().signal
const VERIFIED = {
  outcome: 'verified',
  user: { user: 'alice', groups: ['otp'], extra: {} },
} as const

const challenged = (message: string, state: string) =>
  ({ outcome: 'challenged', challenge: { message, state: Buffer.from(state) } }) as const

const setUp = (generation = 'g1', site = new GuardedSite()) => {
  site.verifier.challenges.set('alice', challenged('Code?', 's1'))
  site.verifier.answers.set('123456', VERIFIED)
  const authenticator = basicAuthenticator({
    name: 'staff',
    realm: 'Test',
    verifiers: [new FakeVerifier(), site.verifier],
    cacheTtl: 10 * MINUTE,
    generation,
    cache: new CredentialCache(site.clock),
    guard: site.guard,
    distinguishesUnknownUsers: true,
    clock: site.clock,
  })
  const { login } = authenticator
  assert.ok(login)
  const requestFor = (user: string, password: string, sourceAddress = HOME) =>
    requestOf({ headers: [['authorization', basic(user, password)]], sourceAddress })
  const begin = async (user: string, password: string): Promise<LoginStep> =>
    await login.begin(requestFor(user, password), FOREVER)
  const question = async (): Promise<PasswordQuestion> => {
    const step = await begin('alice', 'right')
    assert.ok(step.outcome === 'asked', step.outcome)
    return step.question
  }
  const answer = async (challenge: PasswordQuestion, text: string, source = HOME) =>
    await login.answer(challenge, text, source)
  const byBasic = async (user: string, password: string): Promise<string> => {
    const result = await authenticator.authenticate(requestFor(user, password), FOREVER)
    return result.outcome === 'rejected' ? result.code : result.outcome
  }
  return { site, begin, question, answer, byBasic }
}

const codeOf = (step: LoginStep): string => (step.outcome === 'rejected' ? step.code : step.outcome)

describe('a password at the login page', () => {
  it('is enough without a second factor, and has the same rejections as Basic', async () => {
    const { begin } = setUp()
    assert.equal(codeOf(await begin('bob', 'right')), 'authenticated')
    assert.equal(codeOf(await begin('bob', 'wrong')), 'credential-wrong')
    assert.equal(codeOf(await begin('zoe', 'wrong')), 'user-unknown')
    assert.equal(codeOf(await begin('alice', 'wrong')), 'credential-wrong')
  })

  it('leads to a question, whose answer is sent to the verifier of the question with its state', async () => {
    const { question, answer, site } = setUp()
    const challenge = await question()
    assert.equal(challenge.message, 'Code?')
    assert.equal(challenge.echo, false)
    const step = await answer(challenge, '123456')
    assert.ok(step.outcome === 'authenticated')
    assert.deepEqual(step.credential.groups, ['otp'])
    assert.equal(step.credential.digest, challenge.credential)
    assert.deepEqual(site.verifier.answered, [{ answer: '123456', state: 's1' }])
  })

  it('may lead to several questions, one after another', async () => {
    const { question, answer, site } = setUp()
    site.verifier.answers.set('4711', challenged('And the code?', 's2'))
    const step = await answer(await question(), '4711')
    assert.ok(step.outcome === 'asked')
    assert.deepEqual([step.question.message, step.question.count], ['And the code?', 2])
    assert.equal(codeOf(await answer(step.question, '123456')), 'authenticated')
    assert.equal(site.verifier.answered.at(-1)?.state, 's2')
  })

  it('hostile: is not enough alone once it was accepted with the answer', async () => {
    const { question, answer, byBasic, begin } = setUp()
    assert.equal(codeOf(await answer(await question(), '123456')), 'authenticated')
    assert.equal(await byBasic('alice', 'right'), 'second-factor-required')
    assert.equal(codeOf(await begin('alice', 'right')), 'asked')
  })

  it('leads to a question although Basic has refused it a moment ago for the second factor', async () => {
    const { byBasic, begin } = setUp()
    assert.equal(await byBasic('alice', 'right'), 'second-factor-required')
    assert.equal(codeOf(await begin('alice', 'right')), 'asked')
  })

  it('hostile: with wrong answers fails like a wrong password, with the same lock-out', async () => {
    const { question, answer, site, byBasic } = setUp()
    const challenge = await question()
    const codes: string[] = []
    for (let guess = 0; guess < 5; guess += 1) {
      codes.push(codeOf(await answer(challenge, `${guess}`)))
    }
    // The question was one failure, so that five are spent after four answers.
    assert.deepEqual(codes, [...Array(4).fill('credential-wrong'), 'too-many-attempts'])
    assert.equal(site.verifier.answered.length, 4)
    assert.equal(await byBasic('alice', 'right'), 'too-many-attempts')
  })

  it('hostile: spends an attempt for each question, so that passwords cannot be tested for free', async () => {
    const { begin } = setUp()
    const codes: string[] = []
    for (let attempt = 0; attempt < 6; attempt += 1) {
      codes.push(codeOf(await begin('alice', 'right')))
    }
    assert.deepEqual(codes, [...Array(5).fill('asked'), 'too-many-attempts'])
  })

  it('spends no attempts with right answers, however often', async () => {
    const { question, answer, site } = setUp()
    for (let login = 0; login < 60; login += 1) {
      assert.equal(codeOf(await answer(await question(), '123456')), 'authenticated')
    }
    assert.deepEqual(site.lockOuts, [])
  })

  it('accepts an answer that was wrong for an earlier question', async () => {
    const { question, answer, site } = setUp()
    const first = await question()
    site.verifier.answers.delete('123456')
    assert.equal(codeOf(await answer(first, '123456')), 'credential-wrong')
    site.verifier.challenges.set('alice', challenged('Code?', 's2'))
    site.verifier.answers.set('123456', VERIFIED)
    assert.equal(codeOf(await answer(await question(), '123456')), 'authenticated')
  })

  it('leads to a stale question when the configuration of the verifiers changes', async () => {
    const { question, site } = setUp()
    const challenge = await question()
    const later = setUp('g2', site)
    assert.equal((await later.answer(challenge, '123456')).outcome, 'stale')
    assert.deepEqual(site.verifier.answered, [])
  })

  it('hostile: with an empty answer or control characters is not sent to the verifier', async () => {
    const { question, answer, site } = setUp()
    const challenge = await question()
    for (const text of ['', '123456\0', '1\n2']) {
      assert.equal(codeOf(await answer(challenge, text)), 'credential-malformed')
    }
    assert.deepEqual(site.verifier.answered, [])
  })

  it('is unavailable when the verifier of the question is down', async () => {
    const { question, answer, site } = setUp()
    const challenge = await question()
    site.verifier.down = new Error('no route to host')
    assert.equal(codeOf(await answer(challenge, '123456')), 'unavailable')
  })
})
