// Tokens of our own issuer after a sign-out.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { AskSignOut } from '../../src/authenticate/session/sign-outs.ts'
import { bearerWith, codeOf, show } from './token/asking.ts'
import { claimsOf, keySetOf, makeKey, NOW, type IssuerKey } from './token/issuing.ts'

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

const BEGUN = NOW - 60

/** What becomes of a token of a minute ago, and then of one without `iat`. */
const shown = async (askSignOut: AskSignOut, iat: number | undefined = BEGUN) => {
  const authenticator = bearerWith(keySetOf(key), { askSignOut })
  return await show(authenticator, await key.token(claimsOf({ iat })))
}

describe('a token of our own issuer', () => {
  it('is good where nobody was signed out since it was made', async () => {
    const users: string[] = []
    const earlier = async (user: string): Promise<number> => {
      users.push(user)
      return BEGUN * 1_000 - 1
    }
    assert.equal(codeOf(await shown(earlier)), 'authenticated')
    assert.deepEqual(users, ['alice'])
  })

  for (const [name, ended] of [
    ['within the same second', BEGUN * 1_000 + 999],
    ['since', BEGUN * 1_000 + 1_000],
  ] as const) {
    it(`is refused where everything of its user was ended ${name}`, async () => {
      const result = await shown(async () => ended)
      assert.equal(codeOf(result), 'token-inactive')
      assert.match(JSON.stringify(result), /invalid_token/)
    })
  }

  it('is asked about each time, although its proof is remembered', async () => {
    let ended = 0
    const authenticator = bearerWith(keySetOf(key), { askSignOut: async () => ended })
    const token = await key.token(claimsOf({ iat: BEGUN }))
    assert.equal(codeOf(await show(authenticator, token)), 'authenticated')
    ended = NOW * 1_000
    assert.equal(codeOf(await show(authenticator, token)), 'token-inactive')
  })

  it('that does not say when it was made is from before any sign-out', async () => {
    const authenticator = bearerWith(keySetOf(key), { askSignOut: async () => 1 })
    const { iat: _, ...claims } = claimsOf()
    assert.equal(codeOf(await show(authenticator, await key.token(claims))), 'token-inactive')
  })

  it('is neither good nor bad where it cannot be known', async () => {
    const down = async (): Promise<never> => {
      throw new Error('down')
    }
    assert.equal((await shown(down)).outcome, 'unavailable')
  })
})
