// The last look at a certificate before it leaves: is it what was granted, to the byte, and does the
// signature hold? Asked of OpenSSL and of the reader, not of the code that wrote it.

import { X509Certificate, type KeyObject } from 'node:crypto'
import { readCertificate } from '../x509/certificate.ts'
import { authorityKeyIdentifier, type Extension } from '../x509/extensions.ts'
import { EXTENSIONS } from '../x509/oid.ts'
import type { Minting } from './mint.ts'

/** What is wrong with a minted certificate; `undefined` when nothing is. Never throws. */
export const issuedFault = (
  certificate: Buffer,
  minting: Minting,
  privateKey: KeyObject,
): string | undefined => {
  try {
    return signatureFault(certificate, minting, privateKey) ?? contentFault(certificate, minting)
  } catch {
    return 'it cannot be read'
  }
}

/** As OpenSSL sees it. */
const signatureFault = (
  certificate: Buffer,
  { grant, authority, serial }: Minting,
  privateKey: KeyObject,
): string | undefined => {
  const { x509, publicKey } = authority.certificate
  const issued = new X509Certificate(certificate)
  if (!issued.checkIssued(x509)) return 'it is not of the CA by name and key identifier'
  if (!issued.verify(publicKey)) return 'its signature does not hold'
  if (!issued.checkPrivateKey(privateKey)) return 'its key is another'
  if (issued.ca) return 'it is a CA'
  if (issued.serialNumber !== serial.toString('hex').toUpperCase()) return 'its serial number'
  if (issued.validFromDate.getTime() !== grant.notBefore * 1_000) return 'its notBefore'
  if (issued.validToDate.getTime() !== grant.notAfter * 1_000) return 'its notAfter'
  return undefined
}

/** As our own reader sees it, which takes one encoding of each value and no other. */
const contentFault = (
  certificate: Buffer,
  { grant, authority, publicKey }: Minting,
): string | undefined => {
  const parts = readCertificate(certificate)
  if (!parts.issuer.equals(authority.certificate.subject)) return 'its issuer'
  if (!parts.subject.equals(grant.subject)) return 'its subject'
  if (!parts.publicKey.equals(publicKey)) return 'its public key'
  const granted = parts.extensions.slice(0, grant.extensions.length)
  if (!grant.extensions.every((wanted, index) => isSame(wanted, granted[index]))) {
    return 'its extensions'
  }
  const [authorityKey, subjectKey, ...more] = parts.extensions.slice(grant.extensions.length)
  const wanted = authorityKeyIdentifier(authority.certificate.keyIdentifier)
  if (!isSame(wanted, authorityKey) || subjectKey?.oid !== EXTENSIONS.subjectKeyIdentifier) {
    return 'its key identifiers'
  }
  return more.length === 0 ? undefined : 'an extension that was not requested'
}

const isSame = (wanted: Extension, found: Extension | undefined): boolean =>
  found !== undefined &&
  found.oid === wanted.oid &&
  found.critical === wanted.critical &&
  found.value.equals(wanted.value)
