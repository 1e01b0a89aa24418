// Which keys and signatures count.

import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { isStrongKey, isStrongSignature } from '../../src/pki/strength.ts'
import { context, element, sequence } from '../../src/x509/der.ts'
import { oidElement } from '../../src/x509/oid.ts'

/** A key of so many bits; no prime numbers in it. */
const rsa = (bits: number, exponent: bigint): KeyObject => {
  const hex = exponent.toString(16)
  const e = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString(
    'base64url',
  )
  const n = Buffer.alloc(bits / 8, 0xff).toString('base64url')
  return createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
}

describe('a key', () => {
  const CASES: readonly {
    readonly name: string
    readonly key: () => KeyObject | undefined
    readonly want: boolean
  }[] = [
    { name: 'that cannot be read', key: () => undefined, want: false },
    { name: 'RSA of 2047 bits and fewer', key: () => rsa(2_040, 65_537n), want: false },
    { name: 'RSA of 2048 bits', key: () => rsa(2_048, 65_537n), want: true },
    { name: 'RSA of 8192 bits', key: () => rsa(8_192, 65_537n), want: true },
    { name: 'RSA of more (hostile)', key: () => rsa(16_384, 65_537n), want: false },
    { name: 'RSA with the exponent 1 (hostile)', key: () => rsa(2_048, 1n), want: false },
    { name: 'RSA with the exponent 3', key: () => rsa(2_048, 3n), want: true },
    {
      name: 'RSA with a long exponent (hostile)',
      key: () => rsa(2_048, (1n << 40n) + 1n),
      want: false,
    },
    {
      name: 'RSA-PSS for SHA-256',
      key: () =>
        generateKeyPairSync('rsa-pss', { modulusLength: 2_048, hashAlgorithm: 'sha256' }).publicKey,
      want: true,
    },
    {
      name: 'RSA-PSS for SHA-1',
      key: () =>
        generateKeyPairSync('rsa-pss', { modulusLength: 2_048, hashAlgorithm: 'sha1' }).publicKey,
      want: false,
    },
    {
      name: 'P-224',
      key: () => generateKeyPairSync('ec', { namedCurve: 'P-224' }).publicKey,
      want: false,
    },
    { name: 'X25519', key: () => generateKeyPairSync('x25519').publicKey, want: false },
  ]
  for (const { name, key, want } of CASES) {
    it(`is ${want ? 'accepted' : 'refused'}: ${name}`, () => {
      assert.equal(isStrongKey(key()), want)
    })
  }
})

describe('a signature', () => {
  const PSS = '1.2.840.113549.1.1.10'
  const pss = (hash: string): Buffer =>
    sequence(
      oidElement(PSS),
      sequence(element(context(0, 'constructed'), sequence(oidElement(hash)))),
    )
  const CASES = [
    { name: 'RSA-PSS with SHA-256', algorithm: pss('2.16.840.1.101.3.4.2.1'), want: true },
    { name: 'RSA-PSS with SHA-1 by name', algorithm: pss('1.3.14.3.2.26'), want: false },
    { name: 'RSA-PSS with SHA-224', algorithm: pss('2.16.840.1.101.3.4.2.4'), want: false },
    {
      name: 'RSA-PSS with nothing said',
      algorithm: sequence(oidElement(PSS), sequence()),
      want: false,
    },
    { name: 'RSA-PSS without parameters', algorithm: sequence(oidElement(PSS)), want: false },
    { name: 'RSA with MD2', algorithm: sequence(oidElement('1.2.840.113549.1.1.2')), want: false },
    {
      name: 'RSA with SHA-224',
      algorithm: sequence(oidElement('1.2.840.113549.1.1.14')),
      want: false,
    },
    {
      name: 'DSA with SHA-256',
      algorithm: sequence(oidElement('2.16.840.1.101.3.4.3.2')),
      want: false,
    },
    { name: 'Ed25519', algorithm: sequence(oidElement('1.3.101.112')), want: true },
  ]
  for (const { name, algorithm, want } of CASES) {
    it(`is ${want ? 'accepted' : 'refused'}: ${name}`, () => {
      assert.equal(isStrongSignature(algorithm), want)
    })
  }
})
