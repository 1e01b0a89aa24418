// Bearer tokens: which are accepted, and the credential that they yield.

import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import type { Condition } from '../../../src/expression/cel.ts'
import { requestOf } from '../../fakes/envoy.ts'
import { bearerWith, conditionOf, outcomeOf, show } from './asking.ts'
import { codeOf } from '../../fakes/authenticator.ts'
import { claimsOf, ISSUER, keySetOf, makeKey, NOW, type IssuerKey } from './issuing.ts'

let key: IssuerKey
before(async () => {
  key = await makeKey()
})

describe('a good token', () => {
  for (const algorithm of ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA']) {
    it(`of ${algorithm} is accepted, and not with another's signature`, async () => {
      const [ours, theirs] = [await makeKey(algorithm), await makeKey(algorithm)]
      const authenticator = bearerWith(keySetOf(ours))
      assert.equal(await outcomeOf(authenticator, await ours.token()), 'authenticated')
      assert.equal(await outcomeOf(authenticator, await theirs.token()), 'token-signature')
    })
  }

  it('by the newer name of EdDSA is accepted', async () => {
    const ed = await makeKey('EdDSA')
    const authenticator = bearerWith(keySetOf(ed), { algorithms: ['Ed25519'] })
    const token = await ed.token(claimsOf(), { alg: 'Ed25519' })
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    assert.equal(await outcomeOf(authenticator, await ed.token()), 'token-algorithm')
  })

  it('yields the credential', async () => {
    const claims = claimsOf({ groups: ['dev'], email: 'alice@example.org' })
    const result = await show(bearerWith(keySetOf(key)), await key.token(claims))
    assert.equal(result.outcome, 'authenticated')
    const { digest, ...credential } = result.credential
    assert.match(digest, /^[\w-]{16}$/)
    assert.deepEqual(credential, {
      method: 'bearer',
      user: `${ISSUER}#alice`,
      groups: [],
      extra: {},
      expires: (NOW + 300) * 1_000,
      claims,
      presented: { proven: true, iss: ISSUER, aud: ['kubernetes'] },
    })
  })

  it('without a kid is accepted when exactly one key fits', async () => {
    const token = await key.token(claimsOf(), { kid: undefined })
    const others = [await makeKey('RS256', 'k2'), await makeKey('ES384', 'k3')]
    assert.equal(await outcomeOf(bearerWith(keySetOf(...others, key)), token), 'authenticated')
    const twin = await makeKey('ES256', 'k4')
    assert.equal(await outcomeOf(bearerWith(keySetOf(key, twin)), token), 'token-key-unknown')
  })

  it('that is cached is refused next to another one in the subprotocol of a WebSocket', async () => {
    const [token, other] = [await key.token(), Buffer.from(await key.token()).toString('base64url')]
    const authenticator = bearerWith(keySetOf(key))
    assert.equal(await outcomeOf(authenticator, token), 'authenticated')
    const protocols = `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${other}`
    const headers = [
      ['upgrade', 'websocket'],
      ['sec-websocket-protocol', protocols],
    ] as const
    assert.equal(await outcomeOf(authenticator, token, { headers }), 'credential-malformed')
  })

  it('in the subprotocol of a WebSocket is accepted', async () => {
    const token = Buffer.from(await key.token()).toString('base64url')
    const protocols = `v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.${token}`
    const request = requestOf({
      headers: [
        ['upgrade', 'WebSocket'],
        ['sec-websocket-protocol', protocols],
      ],
    })
    const { signal } = new AbortController()
    const result = await bearerWith(keySetOf(key)).authenticate(request, signal)
    assert.equal(codeOf(result), 'authenticated')
  })
})

describe('a token that is not for this authenticator', () => {
  const CASES = [
    { name: 'an opaque one', token: () => 'abcdef' },
    { name: 'one of another issuer', token: () => key.token(claimsOf({ iss: 'https://other' })) },
    { name: 'one of no issuer', token: () => key.token(claimsOf({ iss: undefined })) },
    {
      name: 'the issuer with a slash appended',
      token: () => key.token(claimsOf({ iss: `${ISSUER}/` })),
    },
    {
      name: 'the issuer in another case',
      token: () => key.token(claimsOf({ iss: ISSUER.toUpperCase() })),
    },
    { name: 'the issuer as a list', token: () => key.token(claimsOf({ iss: [ISSUER] })) },
  ]
  for (const { name, token } of CASES) {
    it(`is not applicable: ${name}`, async () => {
      assert.equal(await outcomeOf(bearerWith(keySetOf(key)), await token()), 'not-applicable')
    })
  }

  it('is not applicable without an Authorization header, and with another scheme', async () => {
    const { signal } = new AbortController()
    for (const headers of [[], [['authorization', 'Basic YTpi']]] as const) {
      const result = await bearerWith(keySetOf(key)).authenticate(requestOf({ headers }), signal)
      assert.deepEqual(result, { outcome: 'not-applicable' })
    }
  })
})

describe('the challenge of a bearer authenticator', () => {
  it('names the realm and no error', () => {
    assert.deepEqual(bearerWith(keySetOf(key)).challenges, ['Bearer realm="Kubernetes"'])
  })
})

describe('a condition on claims', () => {
  const CASES = [
    { claims: { email_verified: true }, want: 'authenticated' },
    { claims: { email_verified: false }, want: 'token-claims' },
    { claims: { email_verified: 'true' }, want: 'token-claims' },
    { claims: {}, want: 'token-claims' },
  ]
  for (const { claims, want } of CASES) {
    it(`decides about ${JSON.stringify(claims)}: ${want}`, async () => {
      const require = conditionOf('claims.email_verified == true')
      const authenticator = bearerWith(keySetOf(key), { require })
      assert.equal(await outcomeOf(authenticator, await key.token(claimsOf(claims))), want)
    })
  }

  it('is not evaluated for a token whose signature is wrong', async () => {
    let evaluations = 0
    const require: Condition = {
      source: 'x',
      evaluate: () => (evaluations += 1) > 0,
      explain: () => '',
    }
    const forged = await (await makeKey()).token()
    await show(bearerWith(keySetOf(key), { require }), forged)
    assert.equal(evaluations, 0)
  })
})

describe('a rejected token', () => {
  it('is audited with its user', async () => {
    const authenticator = bearerWith(keySetOf(key))
    const challenge = 'Bearer realm="Kubernetes", error="invalid_token"'
    assert.deepEqual(await show(authenticator, await key.token(claimsOf({ exp: 1 }))), {
      outcome: 'rejected',
      code: 'token-expired',
      detail:
        'expired 1970-01-01T00:00:01Z, 1767225599 s behind the clock of this machine (skew: 0 s)',
      user: `${ISSUER}#alice`,
      presented: { proven: false, iss: ISSUER, aud: ['kubernetes'] },
      challenge,
    })
    assert.deepEqual(await show(authenticator, await (await makeKey()).token()), {
      outcome: 'rejected',
      code: 'token-signature',
      user: `${ISSUER}#alice`,
      presented: { proven: false, iss: ISSUER, aud: ['kubernetes'] },
      challenge,
    })
  })
})
