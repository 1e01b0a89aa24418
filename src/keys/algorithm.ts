// The signatures that tokens may have (RFC 7518 §3.1, RFC 8037, RFC 9864): asymmetric ones only, so
// that a verifier of tokens cannot make one. `none` and HS* cannot even be configured.

import { constants, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { MaybePromise } from '../runtime/maybe-promise.ts'

/** Signature algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864): public-key ones only. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

const RS = { type: 'rsa' } as const // RSASSA-PKCS1-v1_5, which is what OpenSSL takes without more
const PS = {
  type: 'rsa',
  options: {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST, // RFC 7518 §3.5
  },
} as const
const ES = { type: 'ec' } as const // RFC 7518 §3.4: each algorithm has its one curve
const ED = { type: 'ed25519', hash: null } as const

interface Method {
  readonly type: 'rsa' | 'ec' | 'ed25519'
  readonly hash: string | null
  readonly curve?: string
  /** Bytes of R and of S, which JOSE concatenates (RFC 7518 §3.4) and other formats encode in DER. */
  readonly scalar?: number
  readonly options?: { readonly padding: number; readonly saltLength: number }
  /** Verified on libuv's thread pool: OpenSSL needs a millisecond, which would block the event loop. */
  readonly slow?: boolean
}

const METHODS = {
  RS256: { ...RS, hash: 'sha256' },
  RS384: { ...RS, hash: 'sha384' },
  RS512: { ...RS, hash: 'sha512' },
  PS256: { ...PS, hash: 'sha256' },
  PS384: { ...PS, hash: 'sha384' },
  PS512: { ...PS, hash: 'sha512' },
  ES256: { ...ES, hash: 'sha256', curve: 'prime256v1', scalar: 32 },
  ES384: { ...ES, hash: 'sha384', curve: 'secp384r1', scalar: 48, slow: true },
  ES512: { ...ES, hash: 'sha512', curve: 'secp521r1', scalar: 66, slow: true },
  EdDSA: ED,
  Ed25519: ED,
} as const satisfies Readonly<Record<Algorithm, Method>>

/** The name of a signature algorithm, as in `alg`. */
export type Algorithm = (typeof SIGNATURE_ALGORITHMS)[number]

/** Whether a text names an algorithm that is known here. */
export const isAlgorithm = (text: unknown): text is Algorithm =>
  typeof text === 'string' && Object.hasOwn(METHODS, text)

/** Whether a key is one for the algorithm (RFC 8725 §3.1: never let the token choose for the key). */
export const suits = (algorithm: Algorithm, key: KeyObject): boolean => {
  const { type, curve }: Method = METHODS[algorithm]
  return (
    key.asymmetricKeyType === type &&
    (curve === undefined || key.asymmetricKeyDetails?.namedCurve === curve)
  )
}

/** The name that two names of one algorithm share (RFC 9864 §2.2). */
export const canonicalAlgorithm = (name: unknown): unknown => (name === 'Ed25519' ? 'EdDSA' : name)

const verifyOnPool = promisify(verify)

/**
 * Whether the signature is of these bytes and by this key, which must suit the algorithm. A promise only where OpenSSL
 * needs a millisecond.
 */
export const isSignedBy = (
  algorithm: Algorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): MaybePromise<boolean> => {
  const { type, hash, options, scalar, slow = false }: Method = METHODS[algorithm]
  if (scalar !== undefined && signature.length !== 2 * scalar) return false
  // Options cost as much as the RSA verification itself, also `dsaEncoding`, which would make DER unnecessary.
  const input = options === undefined ? key : { key, ...options }
  const bytes = scalar === undefined ? signature : inDer(signature, scalar)
  try {
    return slow || (type === 'rsa' && isCostly(key))
      ? verifyOnPool(hash, signed, input, bytes).catch(isFalse)
      : verify(hash, signed, input, bytes)
  } catch {
    return false // OpenSSL refuses some shapes of a wrong signature rather than compare them
  }
}

const isFalse = (): boolean => false

// RSA costs the square of the modulus times the length of the exponent: less than 0.1 ms with these, and ten
// times as much with 8,192 bits and an exponent of 64, which a key set or a DPoP proof may have.
const PLAIN_MODULUS = 4_096
const PLAIN_EXPONENT = 65_537n

const isCostly = ({ asymmetricKeyDetails }: KeyObject): boolean => {
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {}
  return modulusLength > PLAIN_MODULUS || publicExponent > PLAIN_EXPONENT
}

// X.690 §8.3, §8.9, §10.1.
const SEQUENCE = 0x30
const INTEGER = 0x02
const LONG_LENGTH = 0x81 // its length follows in one byte; two scalars of 66 bytes need it
const LONGEST_SHORT_LENGTH = 0x7f

/** R and S as OpenSSL reads them. x509/der.ts makes an array and a buffer for each element, and takes ten times as long. */
const inDer = (signature: Buffer, scalar: number): Buffer => {
  const r = firstByte(signature, 0, scalar)
  const s = firstByte(signature, scalar, 2 * scalar)
  const rLength = scalar - r + padding(signature, r)
  const sLength = 2 * scalar - s + padding(signature, s)
  const length = 2 + rLength + 2 + sLength
  const isLong = length > LONGEST_SHORT_LENGTH
  const der = Buffer.allocUnsafe((isLong ? 3 : 2) + length)
  let at = 0
  der[at++] = SEQUENCE
  if (isLong) der[at++] = LONG_LENGTH
  der[at++] = length
  at = writeInteger(der, at, rLength, signature.subarray(r, scalar))
  writeInteger(der, at, sLength, signature.subarray(s))
  return der
}

/** Where a non-negative number begins without the zeros before it. Zero itself is one byte. */
const firstByte = (bytes: Buffer, start: number, end: number): number => {
  let first = start
  while (first < end - 1 && bytes[first] === 0) first += 1
  return first
}

/** One byte of zero before a number whose first bit would be read as its sign. */
const padding = (bytes: Buffer, first: number): number => ((bytes[first] ?? 0) & 0x80) >> 7

const writeInteger = (der: Buffer, start: number, length: number, bytes: Buffer): number => {
  der[start] = INTEGER
  der[start + 1] = length
  der[start + 2] = 0
  const end = start + 2 + length
  der.set(bytes, end - bytes.length)
  return end
}

/** A signature by this key, which must suit the algorithm. */
export const signatureBy = (algorithm: Algorithm, key: KeyObject, signed: Buffer): Buffer => {
  const { hash, options }: Method = METHODS[algorithm]
  return sign(hash, signed, { key, ...options, dsaEncoding: 'ieee-p1363' })
}
