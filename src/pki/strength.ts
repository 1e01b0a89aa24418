// Whether keys and signatures are strong enough: lists of what is accepted, so that an unknown one
// is refused.

import type { AsymmetricKeyDetails, KeyObject } from 'node:crypto'
import { context, DerReader, readOnly, TAG } from '../x509/der.ts'
import { readOid } from '../x509/oid.ts'

// NIST SP 800-131A: at least 2048 bits. At most what one verification may cost.
const MIN_MODULUS = 2_048
const MAX_MODULUS = 8_192
const MIN_EXPONENT = 3n // with 1, everything is its own signature
// The usual 65537 and similar ones; with an exponent of 2048 bits a verification takes 30 times as long.
const MAX_EXPONENT = 1n << 33n

// OpenSSL's names of P-256, P-384 and P-521.
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1'])

/** Whether a key is of a kind and size that counts. */
export const isStrongKey = (key: KeyObject | undefined): boolean => {
  const type = key?.asymmetricKeyType ?? 'none'
  const { namedCurve } = key?.asymmetricKeyDetails ?? {}
  if (type === 'ec') return CURVES.has(namedCurve)
  if (type === 'rsa' || type === 'rsa-pss') return isStrongRsa(key?.asymmetricKeyDetails ?? {})
  return type === 'ed25519' || type === 'ed448'
}

const isStrongRsa = ({
  modulusLength = 0,
  publicExponent = 0n,
  hashAlgorithm,
}: AsymmetricKeyDetails): boolean =>
  modulusLength >= MIN_MODULUS &&
  modulusLength <= MAX_MODULUS &&
  publicExponent >= MIN_EXPONENT &&
  publicExponent <= MAX_EXPONENT &&
  // RFC 4055 §1.2: a key may be for one hash alone.
  (hashAlgorithm === undefined || PSS_KEY_HASHES.has(hashAlgorithm))

const PSS_KEY_HASHES: ReadonlySet<string> = new Set(['sha256', 'sha384', 'sha512'])

const RSASSA_PSS = '1.2.840.113549.1.1.10'

// RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3.
const SIGNATURES: ReadonlySet<string> = new Set([
  '1.2.840.113549.1.1.11', // RSA (PKCS #1 v1.5) with SHA-256
  '1.2.840.113549.1.1.12', // … SHA-384
  '1.2.840.113549.1.1.13', // … SHA-512
  '1.2.840.10045.4.3.2', // ECDSA with SHA-256
  '1.2.840.10045.4.3.3', // … SHA-384
  '1.2.840.10045.4.3.4', // … SHA-512
  '1.3.101.112', // Ed25519
  '1.3.101.113', // Ed448
])

const HASHES: ReadonlySet<string> = new Set([
  '2.16.840.1.101.3.4.2.1', // SHA-256
  '2.16.840.1.101.3.4.2.2', // SHA-384
  '2.16.840.1.101.3.4.2.3', // SHA-512
])

/**
 * Whether a signature of that AlgorithmIdentifier counts.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const isStrongSignature = (algorithm: Buffer): boolean => {
  const reader = new DerReader(readOnly(algorithm, TAG.sequence))
  const oid = readOid(reader.expect(TAG.oid))
  return oid === RSASSA_PSS
    ? reader.more && isStrongPss(reader.enter(TAG.sequence))
    : SIGNATURES.has(oid)
}

/** RFC 4055 §3.1. What is left out means SHA-1. */
const isStrongPss = (parameters: DerReader): boolean => {
  const tag = context(0, 'constructed')
  if (parameters.tag !== tag) return false
  const hash = parameters.enter(tag).enter(TAG.sequence)
  return HASHES.has(readOid(hash.expect(TAG.oid)))
}
