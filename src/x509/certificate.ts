// The parts of a certificate (RFC 5280 §4.1), read strictly. Signature and issuer
// are verified elsewhere.

import { context, DerReader, malformed, readInteger, readOnly, readTime, TAG } from './der.ts'
import { decodeExtensions, type Extension } from './extensions.ts'

/** A certificate taken apart: views of its DER. */
export interface CertificateParts {
  /** The INTEGER's content. */
  readonly serialNumber: Buffer
  /** A whole Name, as are the subject. */
  readonly issuer: Buffer
  readonly subject: Buffer
  /** Seconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  /** A whole SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
  readonly extensions: readonly Extension[]
}

/** @throws CountersignError `malformed-certificate` */
export const readCertificate = (der: Uint8Array): CertificateParts => {
  const certificate = new DerReader(readOnly(der, TAG.sequence))
  const tbs = certificate.enter(TAG.sequence)
  certificate.expect(TAG.sequence) // the signature's algorithm
  certificate.expect(TAG.bitString) // the signature
  certificate.end()
  if (!tbs.expect(context(0, 'constructed')).equals(VERSION_3)) throw malformed('not version 3')
  const serialNumber = readInteger(tbs.expect(TAG.integer))
  tbs.expect(TAG.sequence) // the signature's algorithm again
  const issuer = wholeSequence(tbs)
  const validity = tbs.enter(TAG.sequence)
  const notBefore = readTime(validity.next())
  const notAfter = readTime(validity.next())
  validity.end()
  const subject = wholeSequence(tbs)
  const publicKey = wholeSequence(tbs)
  return {
    serialNumber,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKey,
    extensions: readExtensions(tbs),
  }
}

const VERSION_3 = Buffer.of(TAG.integer, 1, 2)

const wholeSequence = (reader: DerReader): Buffer => {
  const { tag, whole } = reader.next()
  if (tag !== TAG.sequence) throw malformed('no SEQUENCE where a name or a key belongs')
  return whole
}

const readExtensions = (tbs: DerReader): readonly Extension[] => {
  // The unique identifiers of issuer and subject have been out of use since 1996.
  if (tbs.tag === context(1, 'primitive')) tbs.next()
  if (tbs.tag === context(2, 'primitive')) tbs.next()
  if (!tbs.more) return []
  const extensions = decodeExtensions(tbs.expect(context(3, 'constructed')))
  tbs.end()
  return extensions
}
