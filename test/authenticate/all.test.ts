// Several credentials demanded together: the request is authenticated only if every one of them is proven.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allOf } from '../../src/authenticate/all.ts'
import type { Authentication, Authenticator } from '../../src/authenticate/authenticator.ts'
import type { ChainLink } from '../../src/authenticate/chain.ts'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { credentialOf, fakeAuthenticator, type FakeAnswer } from '../fakes/authenticator.ts'
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

const proving = (credential: Partial<ProvenCredential>): Authentication => ({
  outcome: 'authenticated',
  credential: credentialOf(credential),
})
const NOT_MINE: Authentication = { outcome: 'not-applicable' }
const WRONG: Authentication = { outcome: 'rejected', code: 'credential-wrong' }
const DOWN: Authentication = { outcome: 'unavailable', cause: 'down' }
const ALICE = proving({ user: 'alice' })
const DEVICE = proving({ user: 'laptop-7' })

describe('an authenticator that demands several credentials', () => {
  const CASES: readonly {
    name: string
    input: readonly FakeAnswer[]
    want: Authentication['outcome']
  }[] = [
    {
      name: 'authenticates when every credential is proven',
      input: [ALICE, DEVICE],
      want: 'authenticated',
    },
    {
      name: 'is not applicable when the second credential is absent',
      input: [ALICE, NOT_MINE],
      want: 'not-applicable',
    },
    {
      name: 'is not applicable when the first credential is absent',
      input: [NOT_MINE, ALICE],
      want: 'not-applicable',
    },
    {
      name: 'rejects when the second credential is rejected',
      input: [ALICE, WRONG],
      want: 'rejected',
    },
    {
      name: 'rejects when the first credential is rejected and the second is absent',
      input: [WRONG, NOT_MINE],
      want: 'rejected',
    },
    {
      name: 'is unavailable when the second credential cannot be verified',
      input: [ALICE, DOWN],
      want: 'unavailable',
    },
    {
      name: 'rejects a reserved user name of any of the credentials',
      input: [ALICE, proving({ user: 'system:admin' })],
      want: 'rejected',
    },
  ]
  for (const { name, input, want } of CASES) {
    it(name, async () => assert.equal((await ask(input)).outcome, want))
  }

  it('takes the user of the first credential', async () => {
    const authentication = await ask([ALICE, DEVICE])
    assert.ok(authentication.outcome === 'authenticated')
    assert.equal(authentication.credential.user, 'alice')
  })

  it('has a fingerprint that changes with each credential', async () => {
    const digestOf = async (...digests: readonly string[]) => {
      const authentication = await ask(digests.map((digest) => proving({ digest })))
      assert.ok(authentication.outcome === 'authenticated')
      return authentication.credential.digest
    }
    assert.equal(await digestOf('x', 'y'), 'x+y')
    assert.notEqual(await digestOf('x', 'y'), await digestOf('x', 'z'))
  })

  const EXPIRIES: readonly { input: readonly (number | undefined)[]; want: number | undefined }[] =
    [
      { input: [5, 3], want: 3 },
      { input: [3, 5], want: 3 },
      { input: [undefined, 5], want: 5 },
      { input: [undefined, undefined], want: undefined },
    ]
  for (const { input, want } of EXPIRIES) {
    it(`expires with the credential that expires first: ${input.join(', ')}`, async () => {
      const authentication = await ask(input.map((expires) => proving({ expires })))
      assert.ok(authentication.outcome === 'authenticated')
      assert.equal(authentication.credential.expires, want)
    })
  }

  it('takes the shortest request limit of the credentials', async () => {
    const limits = [undefined, 900_000, 2_000].map((requestLimit) => proving({ requestLimit }))
    const authentication = await ask(limits)
    assert.ok(authentication.outcome === 'authenticated')
    assert.equal(authentication.credential.requestLimit, 2_000)
  })

  it('yields the same object for the same credentials, and another object for changed credentials', async () => {
    const credential = credentialOf({ user: 'alice' })
    let device = credentialOf({ user: 'laptop-7' })
    const { authenticator } = allOf(
      linksOf([
        () => Promise.resolve({ outcome: 'authenticated', credential }),
        () => Promise.resolve({ outcome: 'authenticated', credential: device }),
      ]),
      false,
    )
    const combined = async () => {
      const authentication = await authenticator.authenticate(requestOf(), FOREVER)
      assert.ok(authentication.outcome === 'authenticated')
      return authentication.credential
    }
    const first = await combined()
    assert.equal(await combined(), first)
    device = credentialOf({ user: 'laptop-7', expires: 7 })
    assert.equal((await combined()).expires, 7)
  })

  it('rejects credentials of two users when both must name one user', async () => {
    assert.equal((await ask([ALICE, DEVICE], false)).outcome, 'authenticated')
    assert.equal((await ask([ALICE, ALICE], true)).outcome, 'authenticated')
    const authentication = await ask([ALICE, DEVICE], true)
    assert.deepEqual(authentication, {
      outcome: 'rejected',
      code: 'credential-conflict',
      user: 'alice, laptop-7',
    })
  })

  it('has the challenges of all authenticators', () => {
    const { authenticator } = allOf(linksOf([ALICE, DEVICE]), false)
    assert.deepEqual(authenticator.challenges, ['Fake realm="a"', 'Fake realm="b"'])
    assert.equal(authenticator.name, 'a+b')
  })
})
