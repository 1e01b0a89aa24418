// What a bearer authenticator answers: which way in there is, and what was wrong with a token, by the
// codes of RFC 6750 §3.1 and RFC 9449 §7.1 and not a word more.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HeaderLines } from '../../fakes/envoy.ts'
import { answerTo, authenticatorWith, bound, caller, key, unbound } from './holding.ts'
import { claimsOf, ISSUER } from './issuing.ts'
import { presentedWith } from './proving.ts'

describe('the challenges', () => {
  const ALGS = 'algs="ES256 EdDSA"'
  const BEARER = 'Bearer realm="Kubernetes"'
  const DPOP = `DPoP realm="Kubernetes", ${ALGS}`
  const options = { algorithms: ['ES256', 'EdDSA'] } as const

  it('name both ways in, or the one that is left', () => {
    assert.deepEqual(authenticatorWith(options).challenges, [BEARER, DPOP])
    assert.deepEqual(authenticatorWith({ ...options, require: true }).challenges, [DPOP])
  })

  const CASES: readonly {
    readonly name: string
    readonly headers: () => HeaderLines | Promise<HeaderLines>
    readonly require?: boolean
    readonly want: string | undefined
  }[] = [
    {
      name: 'a bound token as a bearer token',
      headers: () => [['authorization', `Bearer ${bound}`]],
      want: `${BEARER}, error="invalid_token"`,
    },
    {
      name: 'a token that is bound to nothing, with a proof',
      headers: async () => presentedWith(unbound, await caller.proof(unbound)),
      want: `${DPOP}, error="invalid_token"`,
    },
    {
      name: 'a proof that is wrong',
      headers: () => presentedWith(bound, 'x'),
      want: `${DPOP}, error="invalid_dpop_proof"`,
    },
    {
      name: 'a proof that is missing',
      headers: () => [['authorization', `DPoP ${bound}`]],
      want: `${DPOP}, error="invalid_dpop_proof"`,
    },
    {
      name: 'a token that has ended, without a word about its end',
      headers: async () => [['authorization', `Bearer ${await key.token(claimsOf({ exp: 1 }))}`]],
      want: `${BEARER}, error="invalid_token"`,
    },
    {
      name: 'a malformed token',
      headers: () => [['authorization', 'DPoP a,b']],
      want: `${DPOP}, error="invalid_token"`,
    },
    {
      name: 'a plain token where it has to be bound',
      headers: () => [['authorization', `Bearer ${unbound}`]],
      require: true,
      want: `${DPOP}, error="invalid_token"`,
    },
    { name: 'no token', headers: () => [['dpop', 'x']], want: undefined },
  ]
  for (const { name, headers, require = false, want } of CASES) {
    it(`after ${name}: ${want ?? 'as before'}`, async () => {
      const result = await answerTo(authenticatorWith({ ...options, require }), await headers())
      assert.equal(result.outcome === 'rejected' ? result.challenge : undefined, want)
    })
  }

  it('are the same for a replayed proof as for a wrong one', async () => {
    const authenticator = authenticatorWith(options)
    const headers = presentedWith(bound, await caller.proof(bound))
    await answerTo(authenticator, headers)
    assert.deepEqual(await answerTo(authenticator, headers), {
      outcome: 'rejected',
      code: 'proof-replayed',
      user: `${ISSUER}#alice`,
      presented: { proven: true, iss: ISSUER, aud: ['kubernetes'] },
      challenge: `${DPOP}, error="invalid_dpop_proof"`,
    })
  })
})
