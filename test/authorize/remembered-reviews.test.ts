// What is remembered of an API server's answers, for how long, and who waits for which question.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RememberedReviews } from '../../src/authorize/remembered-reviews.ts'
import type { JsonObject } from '../../src/runtime/json-object.ts'
import { FakeClock } from '../fakes/clock.ts'
import { questionOf } from '../fakes/question.ts'

const FOREVER = new AbortController().signal

const answer = (status: Readonly<Record<string, unknown>>): JsonObject => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  status,
})
const YES = answer({ allowed: true })
const NO = answer({ allowed: false })

const setUp = (remember = 10_000) => {
  const clock = new FakeClock()
  const requests: string[] = []
  const server = {
    requests,
    generation: 1,
    answer: (): JsonObject | Promise<JsonObject> => YES,
  }
  const reviews = new RememberedReviews({
    async ask(_asker, review, read) {
      requests.push(review)
      return read(await server.answer())
    },
    keyOf: (review) => `${server.generation} ${review}`,
    remember,
    clock,
  })
  const review = async (path = '/', signal = FOREVER): Promise<boolean | string> => {
    const got = await reviews.review(questionOf({ request: { path } }), signal)
    if (got.outcome === 'reviewed') return got.allowed
    return got.cause instanceof Error ? got.cause.message : 'no error'
  }
  return { clock, server, review, cached: () => reviews.cached }
}

describe('the answer to an access review', () => {
  it('is remembered for its time, whether it allows or denies', async () => {
    const { clock, server, review, cached } = setUp()
    assert.equal(await review('/yes'), true)
    server.answer = () => NO
    assert.equal(await review('/no'), false)
    assert.equal(cached(), 2)
    server.answer = () => YES
    clock.advance(9_999)
    assert.equal(await review('/yes'), true)
    assert.equal(await review('/no'), false)
    assert.equal(server.requests.length, 2)
    clock.advance(1)
    server.answer = () => NO
    assert.equal(await review('/yes'), false)
    assert.equal(server.requests.length, 3)
  })

  it('has the age of its request', async () => {
    const { clock, server, review } = setUp()
    server.answer = () => {
      clock.advance(4_000)
      return YES
    }
    assert.equal(await review(), true)
    clock.advance(5_999)
    assert.equal(await review(), true)
    assert.equal(server.requests.length, 1)
    clock.advance(1)
    await review()
    assert.equal(server.requests.length, 2)
  })

  it('is not remembered where `remember` is 0', async () => {
    const { server, review } = setUp(0)
    assert.equal(await review(), true)
    server.answer = () => NO
    assert.equal(await review(), false)
    assert.equal(server.requests.length, 2)
  })

  it('is not used for another request', async () => {
    const { server, review } = setUp()
    const { promise, resolve } = Promise.withResolvers<JsonObject>()
    server.answer = () => promise
    const early = review()
    server.generation = 2
    server.answer = () => NO
    assert.equal(await review(), false) // it did not join the question of before
    resolve(YES)
    assert.equal(await early, true)
    assert.equal(await review(), false)
    assert.equal(server.requests.length, 2)
  })

  it('hostile: of ten thousand users evicts the oldest, and the number of entries is bounded', async () => {
    const { server, review } = setUp()
    await review('/first')
    await review('/second')
    for (let count = 0; count < 9_999; count += 1) {
      if (count === 5_000) await review('/first')
      await review(`/${count}`)
    }
    const before = server.requests.length
    await review('/first')
    assert.equal(server.requests.length, before)
    await review('/second')
    assert.equal(server.requests.length, before + 1)
  })
})

describe('a failure of an access review', () => {
  const CASES = [
    { name: 'no answer', answer: () => Promise.reject(new Error('down')), want: /^down$/ },
    {
      name: 'an unexpected status',
      answer: () => answer({ allowed: 'yes' }),
      want: /^the API server answered nonsense: "allowed" is not a boolean$/,
    },
    {
      name: 'a malformed answer',
      answer: () => answer({ allowed: false, evaluationError: 'webhook\n"down"' }),
      want: /^the API server could not decide: "webhook\\n\\"down\\""$/,
    },
  ]
  for (const { name, answer: failing, want } of CASES) {
    it(`is not remembered, and allows nothing: ${name}`, async () => {
      const { server, review } = setUp()
      server.answer = failing
      for (let count = 1; count < 3; count += 1) {
        assert.match(String(await review()), want)
        assert.equal(server.requests.length, count)
      }
      server.answer = () => YES
      assert.equal(await review(), true)
    })
  }

  it('hostile: of a review that is too long to be sent', async () => {
    const { server, review } = setUp()
    assert.match(String(await review(`/${'x'.repeat(66_000)}`)), /too long to be sent/)
    assert.equal(server.requests.length, 0)
  })
})

describe('equal access reviews', () => {
  it('equal access reviews that arrive together are sent once, different ones separately', async () => {
    const { server, review } = setUp(0)
    const { promise, resolve } = Promise.withResolvers<JsonObject>()
    server.answer = () => promise
    const all = Array.from({ length: 100 }, (_, count) => review(`/${count % 2}`))
    resolve(YES)
    assert.deepEqual(new Set(await Promise.all(all)), new Set([true]))
    assert.equal(server.requests.length, 2)
  })

  it('fail together, and the next review is sent again', async () => {
    const { server, review } = setUp()
    const { promise, reject } = Promise.withResolvers<JsonObject>()
    server.answer = () => promise
    const all = [review(), review()]
    reject(new Error('down'))
    assert.deepEqual(await Promise.all(all), ['down', 'down'])
    server.answer = () => YES
    assert.equal(await review(), true)
    assert.equal(server.requests.length, 2)
  })

  it('continue for the remaining requests when one client leaves', async () => {
    const { server, review } = setUp()
    const { promise, resolve } = Promise.withResolvers<JsonObject>()
    server.answer = () => promise
    const leaving = new AbortController()
    const [first, second] = [review('/', leaving.signal), review()]
    leaving.abort(new Error('gone'))
    assert.equal(await first, 'gone')
    resolve(YES)
    assert.equal(await second, true)
    assert.equal(await review('/', leaving.signal), true) // cached, for every client
    assert.equal(await review('/other', leaving.signal), 'gone')
    assert.equal(server.requests.length, 1)
  })
})
