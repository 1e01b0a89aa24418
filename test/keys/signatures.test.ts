// How signatures are verified: their length, their encoding, and on which thread.

import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { isSignedBy, signatureBy, type Algorithm } from '../../src/keys/algorithm.ts'

interface Signer {
  readonly algorithm: Algorithm
  /** Bytes of a signature. */
  readonly length: number
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const ec = (algorithm: Algorithm, namedCurve: string, length: number): Signer => ({
  algorithm,
  length,
  ...generateKeyPairSync('ec', { namedCurve }),
})

const ES256 = ec('ES256', 'P-256', 64)
const SIGNERS = [ES256, ec('ES384', 'P-384', 96), ec('ES512', 'P-521', 132)]
const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const ED = generateKeyPairSync('ed25519')
const SIGNED = Buffer.from('header.claims')

/** A signature whose part (0: R, 1: S) begins with this byte; every 256th does, or sooner. */
const beginningWith = (
  { algorithm, privateKey, length }: Signer,
  part: 0 | 1,
  isWanted: (first: number) => boolean,
): Buffer => {
  for (let attempt = 0; attempt < 20_000; attempt += 1) {
    const signature = signatureBy(algorithm, privateKey, SIGNED)
    if (isWanted(signature[(part * length) / 2] ?? 0)) return signature
  }
  throw new Error('there is no such signature')
}

describe('an ECDSA signature', () => {
  for (const signer of SIGNERS) {
    const { algorithm, publicKey, privateKey, length } = signer
    const verified = async (signature: Buffer): Promise<boolean> =>
      await isSignedBy(algorithm, publicKey, SIGNED, signature)

    for (const part of [0, 1] as const) {
      const name = part === 0 ? 'R' : 'S'
      it(`${algorithm}: is verified where ${name} begins with a byte of zero`, async () => {
        assert.ok(await verified(beginningWith(signer, part, (first) => first === 0)))
      })
      it(`${algorithm}: is verified where ${name} begins with another byte`, async () => {
        assert.ok(await verified(beginningWith(signer, part, (first) => first !== 0)))
      })
    }

    it(`${algorithm}: is not one with a byte too many or too few`, async () => {
      const signature = signatureBy(algorithm, privateKey, SIGNED)
      assert.equal(signature.length, length)
      const zero = Buffer.alloc(1)
      for (const other of [
        Buffer.concat([zero, signature]),
        Buffer.concat([signature, zero]),
        signature.subarray(1),
        signature.subarray(0, -1),
        Buffer.alloc(0),
      ]) {
        assert.equal(await verified(other), false)
      }
    })

    it(`${algorithm}: is not one in DER`, async () => {
      assert.equal(await verified(sign(`sha${algorithm.slice(2)}`, SIGNED, privateKey)), false)
    })

    it(`${algorithm}: is not one of zeros, ones, or the halves exchanged`, async () => {
      const signature = signatureBy(algorithm, privateKey, SIGNED)
      const [r, s] = [signature.subarray(0, length / 2), signature.subarray(length / 2)]
      const zeros = Buffer.alloc(length / 2)
      for (const other of [
        Buffer.concat([zeros, zeros]),
        Buffer.concat([r, zeros]),
        Buffer.concat([zeros, s]),
        Buffer.concat([s, r]),
        Buffer.alloc(length, 0xff),
        Buffer.alloc(length, 0x01),
      ]) {
        assert.equal(await verified(other), false)
      }
    })

    it(`${algorithm}: hostile: one flipped bit is enough`, async () => {
      const signature = signatureBy(algorithm, privateKey, SIGNED)
      for (let bit = 0; bit < length * 8; bit += 7) {
        const other = Buffer.from(signature)
        other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.equal(await verified(other), false, `bit ${bit}`)
      }
    })
  }

  it('has the length of its algorithm, not of another', async () => {
    for (const { algorithm, publicKey } of SIGNERS) {
      for (const other of SIGNERS.filter((one) => one.algorithm !== algorithm)) {
        const signature = signatureBy(other.algorithm, other.privateKey, SIGNED)
        assert.equal(await isSignedBy(algorithm, publicKey, SIGNED, signature), false)
      }
    }
  })
})

describe('the thread that verifies', () => {
  const CASES = [
    ...SIGNERS.map((signer) => ({ ...signer, waits: signer.algorithm !== 'ES256' })),
    ...(['RS256', 'RS512', 'PS256', 'PS512'] as const).map((algorithm) => ({
      algorithm,
      ...RSA,
      waits: false,
    })),
    { algorithm: 'EdDSA' as const, ...ED, waits: false },
  ]
  for (const { algorithm, publicKey, privateKey, waits } of CASES) {
    it(`${algorithm}: ${waits ? 'is one of the pool' : 'is this one, without a promise'}`, async () => {
      const signature = signatureBy(algorithm, privateKey, SIGNED)
      const right = isSignedBy(algorithm, publicKey, SIGNED, signature)
      const wrong = isSignedBy(algorithm, publicKey, Buffer.from('other'), signature)
      assert.deepEqual([right instanceof Promise, wrong instanceof Promise], [waits, waits])
      assert.deepEqual([await right, await wrong], [true, false])
    })
  }
})
