// A grant, a serial number and a key → a certificate. Nothing is judged here: that was before, and
// what comes out is checked afterwards.

import { randomBytes } from 'node:crypto'
import type { Grant } from '../grant/grant.ts'
import { bitString, context, element, sequence, time, unsigned } from '../x509/der.ts'
import {
  authorityKeyIdentifier,
  encodeExtension,
  subjectKeyIdentifier,
} from '../x509/extensions.ts'
import { keyIdentifierOf } from './authority-certificate.ts'
import type { CertificateAuthority } from './certificate-authority.ts'

// RFC 5280 §4.1.2.2: positive, at most 20 octets. 158 bits are random.
const SERIAL_BYTES = 20

/** A serial number that no other certificate has. */
export const randomSerial = (): Buffer => {
  const bytes = randomBytes(SERIAL_BYTES)
  // The first bit is the sign; the second is set so that the length never varies.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

/** The parts of one certificate. */
export interface Minting {
  readonly grant: Grant
  readonly authority: CertificateAuthority
  readonly serial: Buffer
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
}

// Version 3 is written as 2.
const VERSION = element(context(0, 'constructed'), unsigned(Buffer.of(2)))

/** The DER of the certificate; rejects when the CA does not sign. */
export const mint = async (minting: Minting): Promise<Buffer> => {
  const { authority } = minting
  const tbs = encodeTbs(minting)
  const signature = await authority.sign(tbs)
  return sequence(tbs, authority.signatureAlgorithm, bitString(signature))
}

/** RFC 5280 §4.1: the TBSCertificate. */
const encodeTbs = ({ grant, authority, serial, publicKey }: Minting): Buffer => {
  const extensions = [
    ...grant.extensions,
    authorityKeyIdentifier(authority.certificate.keyIdentifier),
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
  ]
  return sequence(
    VERSION,
    unsigned(serial),
    authority.signatureAlgorithm,
    authority.certificate.subject,
    sequence(time(grant.notBefore), time(grant.notAfter)),
    grant.subject,
    publicKey,
    element(context(3, 'constructed'), sequence(...extensions.map(encodeExtension))),
  )
}
