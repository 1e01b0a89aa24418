// The public halves that are published: what is none, what is too weak, and which private key belongs
// to one.

import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import type { SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { newSigningKey } from '../../src/keys/new-signing-key.ts'
import {
  complaintAboutKey,
  isPair,
  publicJwkOf,
  publicJwkSchema,
  thumbprintOf,
  type PublicJwk,
} from '../../src/keys/public-key.ts'
import { RFC_7515_A_2, RFC_7638_3_1 } from '../fixtures/jose-vectors.ts'

const jwkOf = (key: KeyObject): PublicJwk => {
  const jwk = publicJwkOf(key)
  assert.ok(jwk !== undefined)
  return jwk
}

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const ED = generateKeyPairSync('ed25519').privateKey
const [ec, ed, rsa] = [jwkOf(EC), jwkOf(ED), RFC_7638_3_1.jwk]
assert.ok(ec.kty === 'EC' && ed.kty === 'OKP')
const rsaOf = (modulusLength: number, publicExponent = 0x1_0001): PublicJwk =>
  jwkOf(generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey)

describe('a public key in a JWK', () => {
  const CASES: readonly {
    readonly name: string
    readonly algorithm: SigningAlgorithm
    readonly input: PublicJwk
    readonly want: RegExp | undefined
  }[] = [
    { name: 'of P-256', algorithm: 'ES256', input: ec, want: undefined },
    { name: 'of Ed25519', algorithm: 'EdDSA', input: ed, want: undefined },
    { name: 'of RSA', algorithm: 'RS256', input: rsa, want: undefined },
    {
      name: 'of RSA with a small exponent',
      algorithm: 'RS256',
      input: rsaOf(2_048, 3),
      want: undefined,
    },
    { name: 'of kty oct', algorithm: 'ES256', input: rsa, want: /^is not a key for ES256$/ },
    { name: 'of an unknown kty', algorithm: 'RS256', input: ed, want: /^is not a key for RS256$/ },
    {
      name: 'of another curve',
      algorithm: 'ES256',
      input: jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey),
      want: /^is not a key for ES256$/,
    },
    {
      name: 'of Ed448',
      algorithm: 'EdDSA',
      input: jwkOf(generateKeyPairSync('ed448').privateKey),
      want: /^is not a key for EdDSA$/,
    },
    {
      name: 'of 1024 bits',
      algorithm: 'RS256',
      input: rsaOf(1_024),
      want: /^has 1024 bits, where 2048/,
    },
    {
      name: 'of 16384 bits',
      algorithm: 'RS256',
      input: { ...rsa, n: Buffer.alloc(2_048, 0xff).toString('base64url') },
      want: /^has 16384 bits/,
    },
    {
      name: 'with exponent 1',
      algorithm: 'RS256',
      input: { ...rsa, e: 'AQ' },
      want: /^has the exponent 1$/,
    },
    {
      name: 'off the curve',
      algorithm: 'ES256',
      input: { ...ec, y: ec.x },
      want: /^is not a public key$/,
    },
    {
      name: 'of an unknown curve',
      algorithm: 'ES256',
      input: { ...ec, crv: 'P-1' },
      want: /^is not a public key$/,
    },
    {
      name: 'with an empty coordinate',
      algorithm: 'EdDSA',
      input: { ...ed, x: '' },
      want: /^is not a public key$/,
    },
    {
      name: 'with padding',
      algorithm: 'EdDSA',
      input: { ...ed, x: `${ed.x}=` },
      want: /unusual way$/,
    },
    {
      name: 'with a leading zero',
      algorithm: 'RS256',
      input: { ...rsa, e: 'AAEAAQ' },
      want: /unusual way$/,
    },
    {
      name: 'in base64 instead of base64url',
      algorithm: 'RS256',
      input: { ...rsa, n: rsa.n.replaceAll('-', '+').replaceAll('_', '/') },
      want: /unusual way$/,
    },
  ]
  for (const { name, algorithm, input, want } of CASES) {
    it(`${name} is ${want === undefined ? 'accepted' : 'refused'}`, () => {
      const complaint = complaintAboutKey(algorithm, input)
      if (want === undefined) assert.equal(complaint, undefined)
      else assert.match(complaint ?? '', want)
    })
  }

  it('is refused with private members', () => {
    const whole = EC.export({ format: 'jwk' })
    assert.ok(!publicJwkSchema.safeParse(whole).success)
    assert.deepEqual(Object.keys(ec).toSorted(), ['crv', 'kty', 'x', 'y'])
  })
})

describe('a private key', () => {
  it('belongs to its own public key only', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    assert.ok(isPair(EC, ec))
    assert.ok(isPair(ED, ed))
    assert.ok(isPair(RFC_7515_A_2.privateKey, jwkOf(RFC_7515_A_2.privateKey)))
    assert.ok(!isPair(other, ec))
    assert.ok(!isPair(ED, ec))
    assert.ok(!isPair(EC, ed))
    assert.ok(!isPair(RFC_7515_A_2.privateKey, rsa))
    assert.ok(!isPair(EC, { ...ec, y: ec.x }))
  })

  it('does not belong to a public key that it merely contains', () => {
    // SEC 1 lets the file of a private key hold its public one (RFC 5915 §3), and readers do not compare.
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const der = EC.export({ type: 'pkcs8', format: 'der' })
    const point = other.publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
    const key = Buffer.concat([der.subarray(0, -65), point])
    const crossed = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    const claimed = jwkOf(crossed)
    assert.deepEqual(claimed, jwkOf(other.privateKey))
    assert.ok(!isPair(crossed, claimed))
  })

  it('does not belong to any where its numbers do not match', () => {
    const jwk = RFC_7515_A_2.privateKey.export({ format: 'jwk' })
    const { dp = '', dq = '', qi = '' } = jwk
    for (const wrong of [{ d: dp, dp: dq }, { qi: `${qi}AAAA` }]) {
      const broken = createPrivateKey({ key: { ...jwk, ...wrong }, format: 'jwk' })
      assert.deepEqual(jwkOf(broken), jwkOf(RFC_7515_A_2.privateKey))
      assert.ok(!isPair(broken, jwkOf(broken)))
    }
  })
})

describe('a new signing key', () => {
  for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
    it(`of ${algorithm} is valid, and its kid is its thumbprint`, async () => {
      const { kid, jwk, privateKey, ...rest } = await newSigningKey(algorithm)
      assert.deepEqual(rest, { algorithm })
      assert.equal(complaintAboutKey(algorithm, jwk), undefined)
      assert.ok(isPair(privateKey, jwk))
      assert.equal(kid, thumbprintOf(jwk))
    })
  }

  it('has a kid that is not an option of a command', async () => {
    const keys = await Promise.all(Array.from({ length: 300 }, () => newSigningKey('EdDSA')))
    assert.deepEqual(
      keys.filter(({ kid }) => kid.startsWith('-')),
      [],
    )
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, 300)
  })

  it('of RSA has 2048 bits', async () => {
    const { privateKey } = await newSigningKey('RS256')
    assert.equal(privateKey.asymmetricKeyDetails?.modulusLength, 2_048)
  })
})
