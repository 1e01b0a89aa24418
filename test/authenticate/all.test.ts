// Several credentials at once: all are proven, or nobody is.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allOf } from '../../src/authenticate/all.ts'
import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import type { ChainLink } from '../../src/authenticate/chain.ts'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { factsOf, fakeAuthenticator, type FakeAnswer } from '../fakes/authenticator.ts'
import { requestOf } from '../fakes/envoy.ts'

const FOREVER = new AbortController().signal

const linkTo = (authenticator: Authenticator): ChainLink => ({
  authenticator,
  mapping: new IdentityMapping(authenticator.name, { allowReserved: [] }),
})

const linksOf = (answers: readonly FakeAnswer[]): readonly ChainLink[] =>
  answers.map((answer, index) => linkTo(fakeAuthenticator('abcdef'.charAt(index), answer)))

const ask = async (answers: readonly FakeAnswer[], sameUser = false): Promise<Authentication> =>
  await allOf(linksOf(answers), sameUser).authenticator.authenticate(requestOf(), FOREVER)

const proving = (facts: Partial<ProvenCredential>): Authentication => ({
  outcome: 'authenticated',
  facts: factsOf(facts),
})
const NOT_MINE: Authentication = { outcome: 'not-applicable' }
const WRONG: Authentication = { outcome: 'rejected', code: 'credential-wrong' }
const DOWN: Authentication = { outcome: 'unavailable', cause: 'down' }
const ALICE = proving({ user: 'alice' })
const DEVICE = proving({ user: 'laptop-7' })

describe('all of several', () => {
  const CASES: readonly {
    name: string
    input: readonly FakeAnswer[]
    want: Authentication['outcome']
  }[] = [
    { name: 'is proven when each is', input: [ALICE, DEVICE], want: 'authenticated' },
    { name: 'is not there without the second', input: [ALICE, NOT_MINE], want: 'not-applicable' },
    { name: 'is not there without the first', input: [NOT_MINE, ALICE], want: 'not-applicable' },
    { name: 'is refused when the second is', input: [ALICE, WRONG], want: 'rejected' },
    { name: 'is refused when the first is', input: [WRONG, NOT_MINE], want: 'rejected' },
    { name: 'waits for nobody who is down', input: [ALICE, DOWN], want: 'unavailable' },
    {
      name: 'refuses a reserved name of any of them',
      input: [ALICE, proving({ user: 'system:admin' })],
      want: 'rejected',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => assert.equal((await ask(input)).outcome, want))
  }

  it('names whom the first proves', async () => {
    const authentication = await ask([ALICE, DEVICE])
    assert.ok(authentication.outcome === 'authenticated')
    assert.equal(authentication.facts.user, 'alice')
  })

  it('has a credential that tells any change of either', async () => {
    const credentialOf = async (...credentials: readonly string[]) => {
      const authentication = await ask(credentials.map((credential) => proving({ credential })))
      assert.ok(authentication.outcome === 'authenticated')
      return authentication.facts.credential
    }
    assert.equal(await credentialOf('x', 'y'), 'x+y')
    assert.notEqual(await credentialOf('x', 'y'), await credentialOf('x', 'z'))
  })

  const EXPIRIES: readonly { input: readonly (number | undefined)[]; want: number | undefined }[] =
    [
      { input: [5, 3], want: 3 },
      { input: [3, 5], want: 3 },
      { input: [undefined, 5], want: 5 },
      { input: [undefined, undefined], want: undefined },
    ]
  for (const { input, want } of EXPIRIES) {
    it(`ends with the first that ends: ${input.join(', ')}`, async () => {
      const authentication = await ask(input.map((expires) => proving({ expires })))
      assert.ok(authentication.outcome === 'authenticated')
      assert.equal(authentication.facts.expires, want)
    })
  }

  it('bounds a request by the shortest limit of any of them', async () => {
    const limits = [undefined, 900_000, 2_000].map((requestLimit) => proving({ requestLimit }))
    const authentication = await ask(limits)
    assert.ok(authentication.outcome === 'authenticated')
    assert.equal(authentication.facts.requestLimit, 2_000)
  })

  it('makes the same object of the same facts, and another of others', async () => {
    const facts = factsOf({ user: 'alice' })
    let device = factsOf({ user: 'laptop-7' })
    const { authenticator } = allOf(
      linksOf([
        () => Promise.resolve({ outcome: 'authenticated', facts }),
        () => Promise.resolve({ outcome: 'authenticated', facts: device }),
      ]),
      false,
    )
    const combined = async () => {
      const authentication = await authenticator.authenticate(requestOf(), FOREVER)
      assert.ok(authentication.outcome === 'authenticated')
      return authentication.facts
    }
    const first = await combined()
    assert.equal(await combined(), first)
    device = factsOf({ user: 'laptop-7', expires: 7 })
    assert.equal((await combined()).expires, 7)
  })

  it('can be told to take one user only', async () => {
    assert.equal((await ask([ALICE, DEVICE], false)).outcome, 'authenticated')
    assert.equal((await ask([ALICE, ALICE], true)).outcome, 'authenticated')
    const authentication = await ask([ALICE, DEVICE], true)
    assert.deepEqual(authentication, {
      outcome: 'rejected',
      code: 'credential-conflict',
      user: 'alice, laptop-7',
    })
  })

  it('invites to all of them', () => {
    const { authenticator } = allOf(linksOf([ALICE, DEVICE]), false)
    assert.deepEqual(authenticator.challenges, ['Fake realm="a"', 'Fake realm="b"'])
    assert.equal(authenticator.name, 'a+b')
  })
})
