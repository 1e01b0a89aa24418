// Tokens of Countersign's issuer after a sign-out, and after the end of their login.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { endedTokenCheck } from '../../../src/authenticate/session/token-status.ts'
import { bearerWith, show } from './asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { claimsOf, keySetOf, makeKey, NOW, type IssuerKey } from './issuing.ts'

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

const BEGUN = NOW - 60

type LastOf = (user: string) => Promise<number>
type Status = 'active' | 'ended'

const asking = (lastOf: LastOf, grant: (id: string) => Promise<Status> = neverRequested) =>
  bearerWith(keySetOf(key), {
    isTokenEnded: endedTokenCheck({ grant, revocationMarks: { lastOf }, cacheTtl: 0 }),
  })

const neverRequested = async (): Promise<never> => {
  throw new Error('asked')
}

/** The outcome for a token that was issued at `iat`. */
const presented = async (lastOf: LastOf, iat: number | undefined = BEGUN) =>
  await show(asking(lastOf), await key.token(claimsOf({ iat })))

describe("a token of Countersign's issuer", () => {
  it('is accepted when its user was not signed out after it was issued', async () => {
    const users: string[] = []
    const earlier = async (user: string): Promise<number> => {
      users.push(user)
      return BEGUN * 1_000 - 1
    }
    assert.equal(codeOf(await presented(earlier)), 'authenticated')
    assert.deepEqual(users, ['alice'])
  })

  for (const [name, ended] of [
    ['within the same second', BEGUN * 1_000 + 999],
    ['since', BEGUN * 1_000 + 1_000],
  ] as const) {
    it(`is refused when its user was signed out ${name}`, async () => {
      const result = await presented(async () => ended)
      assert.equal(codeOf(result), 'token-inactive')
      assert.match(JSON.stringify(result), /invalid_token/)
    })
  }

  it('is checked for a sign-out each time, although its verification is cached', async () => {
    let ended = 0
    const authenticator = asking(async () => ended)
    const token = await key.token(claimsOf({ iat: BEGUN }))
    assert.equal(codeOf(await show(authenticator, token)), 'authenticated')
    ended = NOW * 1_000
    assert.equal(codeOf(await show(authenticator, token)), 'token-inactive')
  })

  it('without iat counts as issued before any sign-out', async () => {
    const authenticator = asking(async () => 1)
    const { iat: _, ...claims } = claimsOf()
    assert.equal(codeOf(await show(authenticator, await key.token(claims))), 'token-inactive')
  })

  it('is unavailable when sign-outs cannot be read', async () => {
    const down = async (): Promise<never> => {
      throw new Error('down')
    }
    assert.equal((await presented(down)).outcome, 'unavailable')
  })
})

describe("a token of Countersign's issuer that names its grant", () => {
  for (const [status, want] of [
    ['active', 'authenticated'],
    ['ended', 'token-inactive'],
  ] as const) {
    it(`is ${want} where the login of the grant ${status}`, async () => {
      const requests: string[] = []
      const authenticator = asking(neverRequested, async (id) => {
        requests.push(id)
        return status
      })
      const token = await key.token(claimsOf({ grant_id: 'grant-1' }))
      assert.equal(codeOf(await show(authenticator, token)), want)
      assert.deepEqual(requests, ['grant-1'])
    })
  }

  it('is unavailable when the status of its login cannot be read', async () => {
    const token = await key.token(claimsOf({ grant_id: 'grant-1' }))
    assert.equal((await show(asking(neverRequested, neverRequested), token)).outcome, 'unavailable')
  })
})
