// The parts of a certificate (RFC 5280 §4.1), read strictly. It proves nothing: whether the signature
// holds and who signed is asked elsewhere.

import { context, DerReader, malformed, readOnly, readTime, TAG } from './der.ts'
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
  const version = tbs.enter(context(0, 'constructed'))
  if (version.expect(TAG.integer)[0] !== 2) throw malformed('not version 3')
  const serialNumber = tbs.expect(TAG.integer)
  tbs.expect(TAG.sequence) // the signature's algorithm
  const issuer = tbs.next().whole
  const validity = tbs.enter(TAG.sequence)
  const notBefore = readTime(validity.next())
  const notAfter = readTime(validity.next())
  validity.end()
  const subject = tbs.next().whole
  const publicKey = tbs.next().whole
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

const readExtensions = (tbs: DerReader): readonly Extension[] => {
  // The unique identifiers of issuer and subject, [1] and [2], have been out of use since 1996.
  while (tbs.tag === context(1, 'primitive') || tbs.tag === context(2, 'primitive')) tbs.next()
  if (!tbs.more) return []
  const extensions = decodeExtensions(tbs.expect(context(3, 'constructed')))
  tbs.end()
  return extensions
}
