// Phase 3: the first applicable authenticator decides, whatever it decides.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import { Chain } from '../../src/authenticate/chain.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { factsOf, fakeAuthenticator, type FakeAnswer } from '../fakes/authenticator.ts'
import { requestOf } from '../fakes/envoy.ts'

const FOREVER = new AbortController().signal

const linkTo = (authenticator: Authenticator) => ({
  authenticator,
  mapping: new IdentityMapping(authenticator.name, { allowReserved: [] }),
})

/** A chain of authenticators named a, b, c … with these answers. */
const chainOf = (...answers: readonly FakeAnswer[]): Chain =>
  new Chain(
    answers.map((answer, index) => linkTo(fakeAuthenticator('abcdef'.charAt(index), answer))),
  )

const NOT_MINE: Authentication = { outcome: 'not-applicable' }
const PROVEN: Authentication = { outcome: 'authenticated', facts: factsOf() }
const WRONG: Authentication = { outcome: 'rejected', code: 'credential-wrong' }
const DOWN: Authentication = { outcome: 'unavailable', cause: 'down' }

describe('a chain', () => {
  const CASES: readonly {
    name: string
    input: readonly FakeAnswer[]
    want: { by: string | undefined; outcome: string }
  }[] = [
    { name: 'of nobody', input: [], want: { by: undefined, outcome: 'not-applicable' } },
    {
      name: 'in which nobody is applicable',
      input: [NOT_MINE, NOT_MINE],
      want: { by: undefined, outcome: 'not-applicable' },
    },
    {
      name: 'in which the first proves',
      input: [PROVEN, WRONG],
      want: { by: 'a', outcome: 'authenticated' },
    },
    {
      name: 'passes over who is not applicable',
      input: [NOT_MINE, PROVEN],
      want: { by: 'b', outcome: 'authenticated' },
    },
    {
      name: 'does not retry what was rejected',
      input: [NOT_MINE, WRONG, PROVEN],
      want: { by: 'b', outcome: 'rejected' },
    },
    {
      name: 'does not go on when one could not find out',
      input: [DOWN, PROVEN],
      want: { by: 'a', outcome: 'unavailable' },
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      const { link, authentication } = await chainOf(...input).authenticate(requestOf(), FOREVER)
      assert.deepEqual({ by: link?.authenticator.name, outcome: authentication.outcome }, want)
    })
  }

  it('takes a throw for "could not find out", and does not go on', async () => {
    const bug = new TypeError('bug')
    const { link, authentication } = await chainOf(() => Promise.reject(bug), PROVEN).authenticate(
      requestOf(),
      FOREVER,
    )
    assert.equal(link?.authenticator.name, 'a')
    assert.deepEqual(authentication, { outcome: 'unavailable', cause: bug })
  })

  it('takes a synchronous throw for the same', async () => {
    const chain = chainOf(() => {
      throw new TypeError('bug')
    }, PROVEN)
    const { authentication } = await chain.authenticate(requestOf(), FOREVER)
    assert.equal(authentication.outcome, 'unavailable')
  })

  it('hands on the request and the signal', async () => {
    const request = requestOf()
    const chain = chainOf(async (got, signal) =>
      got === request && signal === FOREVER ? PROVEN : WRONG,
    )
    const { authentication } = await chain.authenticate(request, FOREVER)
    assert.equal(authentication.outcome, 'authenticated')
  })
})

const challenging = (...challenges: readonly string[]): Chain =>
  new Chain(challenges.map((challenge) => linkTo(fakeAuthenticator('a', NOT_MINE, challenge))))

describe('the challenges of a chain', () => {
  it('come in order', () => {
    assert.deepEqual(challenging('Bearer', 'Basic').challenges, ['Bearer', 'Basic'])
  })

  it('come once each', () => {
    assert.deepEqual(challenging('Basic', 'Bearer', 'Basic').challenges, ['Basic', 'Bearer'])
  })
})
