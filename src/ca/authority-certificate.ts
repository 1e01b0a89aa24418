// The certificate of a CA, read once: what every certificate that it issues must repeat, byte for
// byte where verifiers compare bytes.

import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import { CountersignError, describeError } from '../runtime/errors.ts'
import { readCertificate, type CertificateParts } from '../x509/certificate.ts'
import { DerReader, readOnly, TAG } from '../x509/der.ts'
import { decodeIsAuthority, decodeKeyUsage } from '../x509/extensions.ts'
import { EXTENSIONS } from '../x509/oid.ts'
import { decodePem, encodePem } from '../x509/pem.ts'

/** A CA's certificate, fit to issue by. */
export interface AuthorityCertificate {
  /** OpenSSL's reading of it. */
  readonly x509: X509Certificate
  /** DER of its subject, the issuer of what it signs. Go compares the two byte for byte. */
  readonly subject: Buffer
  /** The authorityKeyIdentifier of its certificates. */
  readonly keyIdentifier: Buffer
  /** Seconds since the epoch; nothing that it signs may outlive it. */
  readonly notAfter: number
  /** The key that its signatures hold under. */
  readonly publicKey: KeyObject
  /** SHA-256 of its DER, hexadecimal. */
  readonly fingerprint: string
}

/** A CA's certificate, and what verifiers need to have to get from it to a root. */
export interface AuthorityChain {
  readonly certificate: AuthorityCertificate
  /** PEM of all that are not self-signed, the CA's own first. */
  readonly chain: string
}

// Clocks differ, and a CA may have been made just now, elsewhere.
const SKEW_MS = 60_000

// RFC 7093 §2, method 1: the leftmost 160 bits of a SHA-256.
const IDENTIFIER_BYTES = 20

/** A key identifier for a SubjectPublicKeyInfo. */
export const keyIdentifierOf = (spki: Uint8Array): Buffer => {
  const reader = new DerReader(readOnly(spki, TAG.sequence))
  reader.expect(TAG.sequence)
  // Of the BIT STRING without its count of unused bits.
  const key = reader.expect(TAG.bitString).subarray(1)
  return createHash('sha256').update(key).digest().subarray(0, IDENTIFIER_BYTES)
}

/**
 * Reads the PEM of a CA: its certificate, then each certificate that signed the one before.
 *
 * @param now milliseconds since the epoch
 * @throws CountersignError `authority-unusable`
 */
export const readAuthorityChain = (pem: string, now: number): AuthorityChain => {
  const ders = decodePem('CERTIFICATE', pem)
  const links = ders.map((der, index) => readLink(der, `certificate ${index + 1} of the file`, now))
  const [first] = links
  if (first === undefined) throw unusable('the file holds no certificate in PEM')
  for (const [index, { x509 }] of links.entries()) {
    const next = links[index + 1]?.x509
    if (next !== undefined && !(x509.checkIssued(next) && x509.verify(next.publicKey))) {
      throw unusable(
        `certificate ${index + 2} of the file did not sign certificate ${index + 1}: the CA’s own comes first, then the one that signed it, and so on`,
      )
    }
  }
  const sent = links.filter(({ parts }) => !parts.issuer.equals(parts.subject))
  return {
    certificate: authorityCertificate(first),
    chain: sent.map(({ x509 }) => encodePem('CERTIFICATE', x509.raw)).join(''),
  }
}

interface Link {
  readonly x509: X509Certificate
  readonly parts: CertificateParts
}

const readLink = (der: Buffer, which: string, now: number): Link => {
  let link: Link
  try {
    link = { x509: new X509Certificate(der), parts: readCertificate(der) }
    requireAuthority(link.parts)
  } catch (cause) {
    throw unusable(`${which} cannot be used: ${describeError(cause)}`)
  }
  const { notBefore, notAfter } = link.parts
  if (notAfter * 1_000 <= now) throw unusable(`${which} expired at ${isoTime(notAfter)}`)
  if (notBefore * 1_000 > now + SKEW_MS)
    throw unusable(`${which} is not valid before ${isoTime(notBefore)}`)
  return link
}

const isoTime = (seconds: number): string => new Date(seconds * 1_000).toISOString()

/** RFC 5280 §6.1.4 (k) and (n). */
const requireAuthority = (parts: CertificateParts): void => {
  const constraints = valueOf(parts, EXTENSIONS.basicConstraints)
  if (constraints === undefined || !decodeIsAuthority(constraints)) {
    throw unusable('it is not the certificate of a CA (basicConstraints without CA:TRUE)')
  }
  const usage = valueOf(parts, EXTENSIONS.keyUsage)
  if (usage !== undefined && !decodeKeyUsage(usage).includes('keyCertSign')) {
    throw unusable('its key may not sign certificates (keyUsage without keyCertSign)')
  }
}

const authorityCertificate = ({ x509, parts }: Link): AuthorityCertificate => {
  const identifier = valueOf(parts, EXTENSIONS.subjectKeyIdentifier)
  return {
    x509,
    subject: parts.subject,
    keyIdentifier:
      identifier === undefined
        ? keyIdentifierOf(parts.publicKey)
        : readOnly(identifier, TAG.octetString),
    notAfter: parts.notAfter,
    publicKey: x509.publicKey,
    fingerprint: createHash('sha256').update(x509.raw).digest('hex'),
  }
}

const valueOf = ({ extensions }: CertificateParts, oid: string): Buffer | undefined =>
  extensions.find((extension) => extension.oid === oid)?.value

/** The error for a CA that cannot be issued by. */
export const unusable = (message: string): CountersignError =>
  new CountersignError('authority-unusable', message)
