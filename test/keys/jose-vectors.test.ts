// Keys and tokens as the RFCs print them, through Countersign's code that names, signs with and reads them.

import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { calculateJwkThumbprint, CompactSign } from 'jose'
import { isSignedBy, type Algorithm } from '../../src/keys/algorithm.ts'
import { readKeys } from '../../src/authenticate/bearer/keys.ts'
import { readToken } from '../../src/authenticate/bearer/token.ts'
import { checkToken } from '../../src/authenticate/bearer/verify-token.ts'
import { complaintAboutKey, publicJwkOf, thumbprintOf } from '../../src/keys/public-key.ts'
import {
  EXAMPLE_CLAIMS,
  RFC_7515_A_2,
  RFC_7515_A_3,
  RFC_7517_A_1,
  RFC_7519_3_1,
  RFC_7519_6_1,
  RFC_7638_3_1,
  RFC_8037_A,
} from '../fixtures/jose-vectors.ts'

describe('the kid of a signing key', () => {
  const CASES = [
    { name: 'RFC 7638 §3.1', ...RFC_7638_3_1 },
    { name: 'RFC 8037 A.3', ...RFC_8037_A },
  ]
  for (const { name, jwk, thumbprint } of CASES) {
    it(`is the thumbprint of ${name}`, () => assert.equal(thumbprintOf(jwk), thumbprint))
  }

  it('is the thumbprint by jose, for every type', async () => {
    for (const key of [RFC_7515_A_2, RFC_7515_A_3, RFC_8037_A]) {
      const jwk = publicJwkOf(key.privateKey)
      assert.ok(jwk !== undefined)
      assert.equal(thumbprintOf(jwk), await calculateJwkThumbprint(jwk))
    }
  })
})

// SignJWT makes JSON of the claims and hands it to CompactSign, which takes bytes: the payloads of the RFCs
// have line feeds in them, or are not JSON.
const signed = async (alg: string, payload: string, key: KeyObject): Promise<string> =>
  await new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg }).sign(key)

const verified = async (algorithm: Algorithm, token: string, key: KeyObject): Promise<boolean> => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const text = Buffer.from(`${header}.${payload}`)
  return await isSignedBy(algorithm, createPublicKey(key), text, bytes)
}

describe('a JWS signature', () => {
  it('of Ed25519 is that of RFC 8037 A.4', async () => {
    const { payload, privateKey, token } = RFC_8037_A
    assert.equal(await signed('EdDSA', payload, privateKey), token)
    assert.ok(await verified('EdDSA', token, privateKey)) // A.5
  })

  it('of RS256 is that of RFC 7515 A.2', async () => {
    const { privateKey, token } = RFC_7515_A_2
    assert.equal(await signed('RS256', EXAMPLE_CLAIMS, privateKey), token)
    assert.ok(await verified('RS256', token, privateKey))
  })

  it('of ES256 is random, and verifies the example of RFC 7515 A.3', async () => {
    const { privateKey, token } = RFC_7515_A_3
    assert.ok(await verified('ES256', token, privateKey))
    const ours = await signed('ES256', EXAMPLE_CLAIMS, privateKey)
    assert.equal(ours.slice(0, ours.lastIndexOf('.')), token.slice(0, token.lastIndexOf('.')))
    assert.ok(await verified('ES256', ours, privateKey))
  })

  it('does not verify other bytes', async () => {
    const [header, , signature] = RFC_7515_A_2.token.split('.')
    const payload = Buffer.from('{"iss":"joe"}').toString('base64url')
    const forged = `${header}.${payload}.${signature}`
    assert.ok(!(await verified('RS256', forged, RFC_7515_A_2.privateKey)))
  })
})

describe('a token that Countersign refuses', () => {
  const rules = {
    issuer: 'joe',
    audiences: ['x'],
    kind: 'any',
    algorithms: ['ES256', 'RS256', 'EdDSA'],
    skew: 0,
  } as const

  it('has no signature (RFC 7519 §6.1)', () => {
    assert.equal(readToken(RFC_7519_6_1).outcome, 'malformed')
  })

  const ALGORITHMS = [
    {
      name: 'has the algorithm none, and a signature',
      token: `${RFC_7519_6_1}AAAA`,
      found: 'none',
    },
    {
      name: 'is signed with a shared secret (RFC 7519 §3.1)',
      token: RFC_7519_3_1,
      found: 'HS256',
    },
  ]
  for (const { name, token, found } of ALGORITHMS) {
    it(name, () => {
      const reading = readToken(token)
      assert.equal(reading.outcome, 'token')
      const judgement = checkToken(reading.token, rules, 0)
      assert.deepEqual(judgement, {
        outcome: 'rejected',
        code: 'token-algorithm',
        detail: `algorithm: required one of "ES256", "RS256", "EdDSA", found "${found}"`,
      })
    })
  }
})

describe('the key set of RFC 7517 A.1', () => {
  it('yields the key that is for signatures', () => {
    const reading = readKeys({ ...RFC_7517_A_1 })
    assert.equal(reading?.keys.size, 1)
    assert.deepEqual(reading.ignored, ['key 0 is not for signatures'])
    const [key] = reading.keys.candidates('2011-04-29', 'RS256')
    assert.deepEqual(key?.key.export({ format: 'jwk' }), { ...RFC_7638_3_1.jwk })
  })

  it('has keys that an issuer could use', () => {
    const [{ use: _use, kid: _kid, ...ec }, { alg, kid: _, ...rsa }] = RFC_7517_A_1.keys
    assert.equal(complaintAboutKey('ES256', ec), undefined)
    assert.equal(complaintAboutKey(alg, rsa), undefined)
    assert.equal(readKeys({ keys: [ec] })?.keys.size, 1)
  })
})
