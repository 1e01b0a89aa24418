// Tokens that are refused without a TokenReview, since the API server would refuse them.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { outcomeOf } from '../bearer/asking.ts'
import { claimsOf, makeKey, NOW, type IssuerKey } from '../bearer/issuing.ts'
import { start } from './reviewing-tokens.ts'

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

describe('a token that the API server would refuse whatever its signature is', () => {
  const bound = { 'kubernetes.io': { namespace: 'team-a' } }
  const CASES = [
    { name: 'has expired', claims: { exp: NOW - 1 }, want: 'token-expired' },
    {
      name: 'is bound, for another audience',
      claims: { ...bound, aud: ['vault'] },
      want: 'token-audience',
    },
    {
      name: 'is bound, for no audience',
      claims: { ...bound, aud: undefined },
      want: 'token-audience',
    },
  ]
  for (const { name, claims, want } of CASES) {
    it(`is refused without a TokenReview: ${name}`, async () => {
      await using site = await start({ audiences: ['countersign'] })
      assert.equal(await outcomeOf(site.authenticator, await key.token(claimsOf(claims))), want)
      assert.equal(site.scripted.requests.length, 0)
    })
  }

  const ASKED = [
    { name: 'is bound, for one of the audiences', claims: { ...bound, aud: ['x', 'countersign'] } },
    {
      name: 'is bound, and names its audience as a text',
      claims: { ...bound, aud: 'countersign' },
    },
    { name: 'is of another authenticator of the server', claims: { aud: ['oidc-client'] } },
    { name: 'does not end', claims: { exp: undefined } },
  ]
  for (const { name, claims } of ASKED) {
    it(`is reviewed: ${name}`, async () => {
      await using site = await start({ audiences: ['countersign'] })
      const token = await key.token(claimsOf(claims))
      assert.equal(await outcomeOf(site.authenticator, token), 'authenticated')
    })
  }

  it('is reviewed when no audience is configured', async () => {
    await using site = await start()
    const token = await key.token(claimsOf({ ...bound, aud: ['vault'] }))
    assert.equal(await outcomeOf(site.authenticator, token), 'authenticated')
  })
})
