// The key of a DPoP proof: its thumbprint (RFC 7638), and which keys are refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readProofKey, thumbprintOf } from '../../../src/authenticate/bearer/proof-key.ts'
import { encode } from './issuing.ts'
import { makeCaller } from './proving.ts'

const rsa = await makeCaller('RS256')
const ec = await makeCaller('ES256')

describe('the thumbprint of a key', () => {
  it('is that of RFC 7638 §3.1', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'
    const jwk = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' }
    assert.equal(thumbprintOf(jwk), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
  })

  for (const algorithm of ['RS256', 'ES256', 'ES384', 'ES512', 'Ed25519']) {
    it(`is that of jose, for ${algorithm}`, async () => {
      const { jwk, thumbprint } = await makeCaller(algorithm)
      assert.equal(thumbprintOf({ use: 'sig', ...jwk }), thumbprint)
    })
  }

  const NONE: readonly { readonly name: string; readonly jwk: unknown }[] = [
    { name: 'null', jwk: null },
    { name: 'text', jwk: 'x' },
    { name: 'a list', jwk: [ec.jwk] },
    { name: 'an unknown type', jwk: { ...ec.jwk, kty: 'oct' } },
    { name: 'a member that is missing', jwk: { ...ec.jwk, y: undefined } },
    { name: 'a member that is a number', jwk: { ...ec.jwk, x: 1 } },
    { name: 'a member that is empty', jwk: { ...ec.jwk, x: '' } },
    { name: 'a member with padding', jwk: { ...ec.jwk, x: `${ec.jwk.x}=` } },
    { name: 'a member that JSON would escape', jwk: { ...ec.jwk, x: '"' } },
    { name: 'a member that is huge', jwk: { ...rsa.jwk, n: 'A'.repeat(1_401) } },
    { name: 'a member that is private', jwk: ec.privateJwk },
  ]
  for (const { name, jwk } of NONE) {
    it(`does not exist: ${name}`, () => assert.equal(thumbprintOf(jwk), undefined))
  }
})

describe('the key of a proof', () => {
  const read = (e: string): boolean =>
    readProofKey({ kty: 'RSA', n: rsa.jwk.n, e }, 'x') !== undefined

  it('may have a small exponent, and not one that only costs time', () => {
    assert.ok(read('AQAB'))
    assert.ok(read('Aw'))
    assert.ok(!read(encode(Buffer.alloc(256, 0xff))))
    assert.ok(!read(encode(Buffer.alloc(9, 0xff))))
    assert.ok(!read('AQ')) // everything is its own signature
  })
})
