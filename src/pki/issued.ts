// A certificate and its issuer: the subject of an OCSP request, and of a look-up in CRLs.

import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { readCertificate, type CertificateParts } from '../x509/certificate.ts'
import { DerReader, malformed, readOnly, TAG } from '../x509/der.ts'
import { decodeKeyUsage, type Extension } from '../x509/extensions.ts'
import { EXTENSIONS } from '../x509/oid.ts'

/** A certificate issuer, which also says which of them are revoked. */
export interface Issuer {
  /** A whole Name. */
  readonly name: Buffer
  readonly key: KeyObject
  /** The content of the key's BIT STRING, which OCSP hashes (RFC 6960 §4.1.1). */
  readonly keyBytes: Buffer
  /** Identifies the name and the key. */
  readonly id: string
  /** RFC 5280 §4.2.1.3: whether the key may sign CRLs. */
  readonly signsCrls: boolean
}

/** A certificate to check, and its issuer. */
export interface Issued {
  readonly certificate: CertificateParts
  readonly issuer: Issuer
}

/**
 * Reads a certificate as an issuer.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const readIssuer = (der: Uint8Array): Issuer => {
  const { subject, publicKey, extensions } = readCertificate(der)
  const usage = valueOf(extensions, EXTENSIONS.keyUsage)
  return {
    name: subject,
    key: readKey(publicKey),
    keyBytes: keyBytesOf(publicKey),
    id: createHash('sha256').update(subject).update(publicKey).digest('base64url'),
    signsCrls: usage === undefined || decodeKeyUsage(usage).includes('cRLSign'),
  }
}

/** @throws CountersignError `malformed-certificate` when OpenSSL does not know such a key */
export const readKey = (publicKey: Buffer): KeyObject => {
  try {
    return createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  } catch {
    throw malformed('a public key that cannot be read')
  }
}

/** The bits of a SubjectPublicKeyInfo's key, without the count of unused ones. */
export const keyBytesOf = (publicKey: Buffer): Buffer => {
  const reader = new DerReader(readOnly(publicKey, TAG.sequence))
  reader.expect(TAG.sequence)
  const bits = reader.expect(TAG.bitString)
  reader.end()
  return bits.subarray(1)
}

/** The value of an extension; `undefined` where there is none. */
export const valueOf = (extensions: readonly Extension[], wanted: string): Buffer | undefined =>
  extensions.find(({ oid }) => oid === wanted)?.value

/** A serial number without leading zeros, in lower-case hexadecimal. */
export const serialText = (content: Buffer): string =>
  content.toString('hex').replace(/^00(?=..)/, '')
