// A certificate of a path: read strictly, and once, since anchors and configured
// intermediates are used for every caller. It is not verified yet.

import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { readCertificate, type CertificateParts } from '../x509/certificate.ts'
import { DerReader, malformed, readInteger, readOnly, readTrue, TAG } from '../x509/der.ts'
import { decodeExtendedKeyUsage, decodeKeyUsage, type KeyUsage } from '../x509/extensions.ts'
import { EXTENSIONS } from '../x509/oid.ts'

/** The content of a basicConstraints extension (RFC 5280 §4.2.1.9). */
interface BasicConstraints {
  readonly isAuthority: boolean
  /** How many certificates of CAs may follow it towards the leaf, self-issued ones not counted. */
  readonly pathLength: number
}

/** A certificate, and what of it matters to a path. */
export interface ChainCertificate {
  readonly der: Buffer
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string
  readonly parts: CertificateParts
  /** OpenSSL's reading of it, which verifies the issuer's signature. */
  readonly x509: X509Certificate
  /** `undefined` for a key of a kind that OpenSSL doesn't know. */
  readonly key: KeyObject | undefined
  /** DER of the AlgorithmIdentifier of its signature. */
  readonly signatureAlgorithm: Buffer
  readonly constraints: BasicConstraints
  /** `undefined` where it doesn't say. */
  readonly usages: readonly KeyUsage[] | undefined
  /** Purposes of its extended key usage, OIDs; `undefined` where it doesn't say. */
  readonly purposes: readonly string[] | undefined
  /** Issuer and subject are the same (RFC 5280 §3.2). */
  readonly isSelfIssued: boolean
}

// A smart card's certificate with a photograph has some 10 KB; Envoy takes headers of 60 KB.
const LONGEST_CERTIFICATE = 32_768

/**
 * Reads a certificate.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const readChainCertificate = (der: Buffer): ChainCertificate => {
  if (der.length > LONGEST_CERTIFICATE) throw malformed(`more than ${LONGEST_CERTIFICATE} bytes`)
  const parts = readCertificate(der)
  const x509 = opensslReading(der)
  const { extensions } = parts
  const valueOf = (wanted: string): Buffer | undefined =>
    extensions.find(({ oid }) => oid === wanted)?.value
  const constraints = valueOf(EXTENSIONS.basicConstraints)
  const usages = valueOf(EXTENSIONS.keyUsage)
  const purposes = valueOf(EXTENSIONS.extendedKeyUsage)
  return {
    der,
    fingerprint: createHash('sha256').update(der).digest('hex'),
    parts,
    x509,
    key: keyOf(x509),
    signatureAlgorithm: signatureAlgorithmOf(der),
    constraints: constraints === undefined ? NO_AUTHORITY : readBasicConstraints(constraints),
    usages: usages && decodeKeyUsage(usages),
    purposes: purposes && decodeExtendedKeyUsage(purposes),
    isSelfIssued: parts.issuer.equals(parts.subject),
  }
}

/** Whether this is what everything throws that cannot read a certificate. */
export const isMalformed = (cause: unknown): boolean =>
  cause instanceof CountersignError && cause.code === 'malformed-certificate'

const NO_AUTHORITY: BasicConstraints = { isAuthority: false, pathLength: 0 }

const readBasicConstraints = (der: Buffer): BasicConstraints => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const isAuthority = reader.tag === TAG.boolean && readTrue(reader.expect(TAG.boolean))
  const pathLength = reader.more ? readLength(reader.expect(TAG.integer)) : Number.POSITIVE_INFINITY
  reader.end()
  return { isAuthority, pathLength }
}

const readLength = (content: Buffer): number => {
  const [first = 0] = readInteger(content)
  if (first >= 0x80) throw malformed('a path length below zero')
  // More than a byte of it is more than any path here has.
  return content.length > 1 ? Number.POSITIVE_INFINITY : first
}

const signatureAlgorithmOf = (der: Buffer): Buffer => {
  const certificate = new DerReader(readOnly(der, TAG.sequence))
  certificate.next() // what is signed
  return certificate.next().whole
}

const opensslReading = (der: Buffer): X509Certificate => {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw malformed(`OpenSSL cannot read it: ${describeError(cause)}`)
  }
}

const keyOf = (x509: X509Certificate): KeyObject | undefined => {
  try {
    return x509.publicKey
  } catch {
    return undefined
  }
}
