// The signatures that tokens may have (RFC 7518 §3.1, RFC 8037, RFC 9864): public-key ones only, so
// that nobody who can verify a token could have made it. `none` and HS* cannot even be written.

import { constants, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

const RS = { type: 'rsa' } as const // RSASSA-PKCS1-v1_5, which is what OpenSSL takes without more
const PS = {
  type: 'rsa',
  options: {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST, // RFC 7518 §3.5
  },
} as const
// RFC 7518 §3.4: R and S side by side, not DER, and each algorithm has its one curve.
const ES = { type: 'ec', options: { dsaEncoding: 'ieee-p1363' } } as const
const ED = { type: 'ed25519', hash: null } as const

interface Method {
  readonly type: 'rsa' | 'ec' | 'ed25519'
  readonly hash: string | null
  readonly curve?: string
  readonly options?: {
    readonly padding?: number
    readonly saltLength?: number
    readonly dsaEncoding?: 'ieee-p1363'
  }
  /** Verified on libuv's thread pool: OpenSSL needs a millisecond for it, and others wait. */
  readonly slow?: boolean
}

const METHODS = {
  RS256: { ...RS, hash: 'sha256' },
  RS384: { ...RS, hash: 'sha384' },
  RS512: { ...RS, hash: 'sha512' },
  PS256: { ...PS, hash: 'sha256' },
  PS384: { ...PS, hash: 'sha384' },
  PS512: { ...PS, hash: 'sha512' },
  ES256: { ...ES, hash: 'sha256', curve: 'prime256v1' },
  ES384: { ...ES, hash: 'sha384', curve: 'secp384r1', slow: true },
  ES512: { ...ES, hash: 'sha512', curve: 'secp521r1', slow: true },
  EdDSA: ED,
  Ed25519: ED,
} as const satisfies Readonly<Record<string, Method>>

/** The name of a signature algorithm, as it stands in `alg`. */
export type Algorithm = keyof typeof METHODS

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

/** Whether the signature is of these bytes and by this key, which must suit the algorithm. */
export const isSignedBy = async (
  algorithm: Algorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): Promise<boolean> => {
  const { hash, options, slow = false }: Method = METHODS[algorithm]
  // Options cost as much as the RSA verification itself, so there are none where none are needed.
  const input = options === undefined ? key : { key, ...options }
  try {
    return slow
      ? await verifyOnPool(hash, signed, input, signature)
      : verify(hash, signed, input, signature)
  } catch {
    return false // OpenSSL refuses some shapes of a wrong signature rather than compare them
  }
}
