// Tokens that only an authorization server can verify, during a flood of invalid ones: valid tokens that it has not
// introspected before are accepted all the same. Over real HTTPS.
//
// Alone: the server limits the requests of a second by the clock.
// Slow: it floods a server for seconds.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { Answer } from '../../servers/token-server.ts'
import { outcomeOf } from './asking.ts'
import { ACTIVE, startIntrospection, type Introspection } from '../introspection/introspecting.ts'

const STRANGER = '198.51.100.1'
const INACTIVE: Answer = { body: { active: false } }

/** The answer for tokens that begin with `good`, and the answer for other tokens. */
const goodOr =
  (others: (token: string) => Answer) =>
  (request: { readonly form: Readonly<Record<string, string>> }): Answer => {
    const { token = '' } = request.form
    return token.startsWith('good') ? { body: ACTIVE } : others(token)
  }

/** Presents valid tokens, each once, each from an address of its own, at an interval in milliseconds. */
const showGood = async ({ authenticator }: Introspection, count: number, apart: number) => {
  const outcomes: Promise<string>[] = []
  for (let index = 0; index < count; index += 1) {
    outcomes.push(
      outcomeOf(authenticator, `good-${index}`, { sourceAddress: `203.0.113.${index}` }),
    )
    await pause(apart)
  }
  return await Promise.all(outcomes)
}

/** Presents invalid tokens, 1,000 a second from one address, until it is aborted. */
const flood = async ({ authenticator }: Introspection, end: AbortSignal) => {
  const presented: Promise<string>[] = []
  for (let round = 0; !end.aborted; round += 1) {
    for (let index = 0; index < 20; index += 1) {
      presented.push(outcomeOf(authenticator, `bad-${round}-${index}`, { sourceAddress: STRANGER }))
    }
    await pause(20)
  }
  return await Promise.all(presented)
}

describe('a flood of tokens from one address', () => {
  const whileFlooded = async (site: Introspection) => {
    const end = new AbortController()
    const flooding = flood(site, end.signal)
    const good = await showGood(site, 40, 50)
    end.abort()
    return { good, bad: await flooding }
  }

  it('does not keep good tokens from a server that answers 429 above 50 questions a second', async () => {
    await using site = await startIntrospection({}, {}, systemClock)
    let [left, at] = [50, performance.now()]
    site.scripted.answer = (request) => {
      const now = performance.now()
      left = Math.min(50, left + ((now - at) / 1_000) * 50)
      at = now
      if (left < 1) return { status: 429, headers: { 'retry-after': '1' } }
      left -= 1
      return goodOr(() => INACTIVE)(request)
    }
    const { good } = await whileFlooded(site)
    assert.deepEqual([...new Set(good)], ['authenticated'])
  })

  it('does not keep good tokens from a server that takes 150 ms for each answer', async () => {
    await using site = await startIntrospection({}, {}, systemClock)
    site.scripted.answer = (request) => ({ ...goodOr(() => INACTIVE)(request), after: pause(150) })
    const { good } = await whileFlooded(site)
    assert.deepEqual([...new Set(good)], ['authenticated'])
    const request = site.scripted.requests.length
    assert.ok(request < 600, `${request} questions`)
  })
})

describe('one token that never yields an answer', () => {
  const ODD: readonly {
    readonly name: string
    readonly answer: Answer
    /** How often one question is sent. Default: once. */
    readonly sent?: number
  }[] = [
    { name: 'the server never answers', answer: { write: () => undefined } },
    { name: 'the answer is too long', answer: { body: { ...ACTIVE, groups: 'x'.repeat(90_000) } } },
    {
      name: 'a firewall in front of the server answers 403',
      answer: { status: 403, body: '<html>' },
    },
    { name: 'the answer has a content coding', answer: { headers: { 'content-encoding': 'br' } } },
    { name: 'the server fails', answer: { status: 503 } },
    {
      name: 'the connection breaks',
      answer: { write: (response) => void response.destroy() },
      sent: 2, // again where the connection had been kept, which the server may have closed
    },
  ]
  for (const { name, answer, sent = 1 } of ODD) {
    it(`does not keep good tokens from the server: ${name}`, async () => {
      const began = performance.now()
      await using site = await startIntrospection({}, { timeout: 2_000 }, systemClock)
      site.scripted.answer = goodOr(() => answer)
      const end = new AbortController()
      const { promise: triedOften, resolve } = Promise.withResolvers<void>()
      const retrying = (async () => {
        for (let tries = 1; !end.signal.aborted; tries += 1) {
          await outcomeOf(site.authenticator, 'odd', { sourceAddress: STRANGER })
          if (tries === 20) resolve()
          await pause(20)
        }
      })()
      // Before the first good one: what counts failures in a row would have counted enough.
      await triedOften
      const good = await showGood(site, 10, 50)
      end.abort()
      await retrying
      assert.deepEqual([...new Set(good)], ['authenticated'])
      const odd = site.scripted.requests.filter(({ form }) => form['token'] === 'odd').length
      // Its failure is remembered for a second, then for two, then for four.
      const seconds = (performance.now() - began) / 1_000
      const most = sent * (1 + Math.floor(Math.log2(1 + seconds)))
      assert.ok(odd <= most, `${odd} questions about one token, ${most} would be right`)
    })
  }
})
