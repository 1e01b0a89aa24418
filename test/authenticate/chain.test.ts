// Phase 3: the first applicable authenticator decides, whatever its outcome is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import { Chain } from '../../src/authenticate/chain.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { credentialOf, fakeAuthenticator, type FakeAnswer } from '../fakes/authenticator.ts'
import { requestOf } from '../fakes/envoy.ts'

const FOREVER = new AbortController().signal

const linkTo = (authenticator: Authenticator) => ({
  authenticator,
  mapping: new IdentityMapping(authenticator.name, { allowReserved: [] }),
})

/** A chain of authenticators named a, b, c … with these outcomes. */
const chainOf = (...answers: readonly FakeAnswer[]): Chain =>
  new Chain(
    answers.map((answer, index) => linkTo(fakeAuthenticator('abcdef'.charAt(index), answer))),
  )

const NOT_MINE: Authentication = { outcome: 'not-applicable' }
const PROVEN: Authentication = { outcome: 'authenticated', credential: credentialOf() }
const WRONG: Authentication = { outcome: 'rejected', code: 'credential-wrong' }
const DOWN: Authentication = { outcome: 'unavailable', cause: 'down' }

describe('a chain', () => {
  const CASES: readonly {
    name: string
    input: readonly FakeAnswer[]
    want: { by: string | undefined; outcome: string }
  }[] = [
    {
      name: 'is not applicable when it is empty',
      input: [],
      want: { by: undefined, outcome: 'not-applicable' },
    },
    {
      name: 'is not applicable when no authenticator is applicable',
      input: [NOT_MINE, NOT_MINE],
      want: { by: undefined, outcome: 'not-applicable' },
    },
    {
      name: 'authenticates when the first authenticator does',
      input: [PROVEN, WRONG],
      want: { by: 'a', outcome: 'authenticated' },
    },
    {
      name: 'skips an authenticator that is not applicable',
      input: [NOT_MINE, PROVEN],
      want: { by: 'b', outcome: 'authenticated' },
    },
    {
      name: 'does not try the next authenticator after a rejection',
      input: [NOT_MINE, WRONG, PROVEN],
      want: { by: 'b', outcome: 'rejected' },
    },
    {
      name: 'does not try the next authenticator when one is unavailable',
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

  it('says why none is applicable, for each that has a reason', async () => {
    const because = (reason: string): Authentication => ({
      outcome: 'not-applicable',
      detail: () => reason,
    })
    const chain = chainOf(because('issuer a'), NOT_MINE, because('issuer b'))
    const { authentication } = await chain.authenticate(requestOf(), FOREVER)
    assert.ok(authentication.outcome === 'not-applicable')
    assert.equal(authentication.detail?.(), 'issuer a; issuer b')
  })

  it('is unavailable when an authenticator throws, and does not try the next one', async () => {
    const bug = new TypeError('bug')
    const { link, authentication } = await chainOf(() => Promise.reject(bug), PROVEN).authenticate(
      requestOf(),
      FOREVER,
    )
    assert.equal(link?.authenticator.name, 'a')
    assert.deepEqual(authentication, { outcome: 'unavailable', cause: bug })
  })

  it('is unavailable when an authenticator throws synchronously', async () => {
    const chain = chainOf(() => {
      throw new TypeError('bug')
    }, PROVEN)
    const { authentication } = await chain.authenticate(requestOf(), FOREVER)
    assert.equal(authentication.outcome, 'unavailable')
  })

  it('passes request and signal to the authenticator', async () => {
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
  it('have the order of the authenticators', () => {
    assert.deepEqual(challenging('Bearer', 'Basic').challenges, ['Bearer', 'Basic'])
  })

  it('have no duplicates', () => {
    assert.deepEqual(challenging('Basic', 'Bearer', 'Basic').challenges, ['Basic', 'Bearer'])
  })
})
