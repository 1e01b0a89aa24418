// The public half of a signing key, as a JWK: which ones are accepted, and its name. A key that is refused
// here is never published.

import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { SigningAlgorithm } from './mint-schema.ts'

/**
 * The public members of a key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2). Strict: a private member among them
 * would be published.
 */
export const publicJwkSchema = z.discriminatedUnion('kty', [
  z.strictObject({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string() }),
  z.strictObject({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.string(), x: z.string() }),
])

/** A public key. */
export type PublicJwk = z.output<typeof publicJwkSchema>

/** The public half of a key; `undefined` for a key of another type than minted tokens have. */
export const publicJwkOf = (key: KeyObject): PublicJwk | undefined => {
  try {
    const publicKey = key.type === 'private' ? createPublicKey(key) : key
    const exported = publicKey.export({ format: 'jwk' })
    return publicJwkSchema.safeParse(exported).data
  } catch {
    return undefined // types without a JWK, such as RSA-PSS
  }
}

/** The SHA-256 thumbprint (RFC 7638 §3): the members that make the key, in the order of their names. */
export const thumbprintOf = (jwk: PublicJwk): string =>
  createHash('sha256')
    .update(JSON.stringify(membersOf(jwk)))
    .digest('base64url')

// RFC 7638 §3.2, RFC 8037 §2.
const membersOf = (jwk: PublicJwk): PublicJwk => {
  switch (jwk.kty) {
    case 'EC':
      return { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
    case 'RSA':
      return { e: jwk.e, kty: jwk.kty, n: jwk.n }
    case 'OKP':
      return { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
  }
}

/** Why a key does not suit the algorithm, as the end of a sentence; `undefined` when it does. */
export const complaintAboutKey = (
  algorithm: SigningAlgorithm,
  jwk: PublicJwk,
): string | undefined => {
  const key = importKey(jwk)
  if (key === undefined) return 'is not a public key'
  // Padding, leading zeros and the like: other libraries read such a key differently, or refuse it.
  if (!isDeepStrictEqual(publicJwkOf(key), { ...jwk })) return 'is spelt in an unusual way'
  return suits(algorithm, key) ? weaknessOf(key) : `is not a key for ${algorithm}`
}

const importKey = (jwk: PublicJwk): KeyObject | undefined => {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

const suits = (algorithm: SigningAlgorithm, key: KeyObject): boolean => {
  switch (algorithm) {
    case 'ES256': // RFC 7518 §3.4
      return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    case 'RS256':
      return key.asymmetricKeyType === 'rsa'
    case 'EdDSA': // RFC 8037 §3.1; Ed448 is read by few
      return key.asymmetricKeyType === 'ed25519'
  }
}

// RFC 7518 §3.3: at least 2048 bits. The maximum bounds the cost of a verification, for upstreams too.
const MIN_MODULUS = 2_048
const MAX_MODULUS = 8_192
const MIN_EXPONENT = 3n // with 1, everything is its own signature

const weaknessOf = ({ asymmetricKeyDetails }: KeyObject): string | undefined => {
  const { modulusLength, publicExponent } = asymmetricKeyDetails ?? {}
  if (modulusLength !== undefined && (modulusLength < MIN_MODULUS || modulusLength > MAX_MODULUS)) {
    return `has ${modulusLength} bits, where ${MIN_MODULUS} to ${MAX_MODULUS} belong`
  }
  if (publicExponent !== undefined && publicExponent < MIN_EXPONENT) {
    return `has the exponent ${publicExponent}`
  }
  return undefined
}

const PROBE = Buffer.from('countersign')

/**
 * Whether a private key is the other half of a public one: whether what it signs can be verified. Its
 * own public part proves little: a file may hold that of another key.
 */
export const isPair = (privateKey: KeyObject, jwk: PublicJwk): boolean => {
  const publicKey = importKey(jwk)
  if (publicKey === undefined) return false
  const hash = jwk.kty === 'OKP' ? null : 'sha256'
  try {
    return verify(hash, PROBE, publicKey, sign(hash, PROBE, privateKey))
  } catch {
    return false // a key of another type, or one that OpenSSL itself finds to be at fault
  }
}
