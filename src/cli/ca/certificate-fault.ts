// Verifies a certificate before it is written: does it contain what was requested, and does its signature
// hold? Three readers answer: the strict one of `x509/`, OpenSSL, and @peculiar/x509.

import { createPublicKey } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { readChainCertificate, type ChainCertificate } from '../../pki/chain-certificate.ts'
import { keyIdentifierOf } from '../../ca/authority-certificate.ts'
import {
  authorityKeyIdentifier,
  subjectKeyIdentifier,
  type Extension,
} from '../../x509/extensions.ts'
import { decodeGeneralNames } from '../../x509/general-names.ts'
import { encodeName } from '../../x509/name.ts'
import { EXTENSIONS } from '../../x509/oid.ts'
import { encodeNameConstraints } from './name-constraints.ts'
import { NAME_CONSTRAINTS } from '../../pki/name-constraints.ts'
import type { CertificateIssuer, Template } from './template.ts'
import { x509 } from './x509.ts'

/** What was requested. */
export interface Requested {
  readonly template: Template
  readonly issuer: CertificateIssuer
  /** DER of the issuer's SubjectPublicKeyInfo. */
  readonly issuerKey: Buffer
  readonly serial: Buffer
}

/** What of the certificate is wrong; `undefined` when nothing is. Never rejects. */
export const certificateFault = async (
  der: Buffer,
  requested: Requested,
): Promise<string | undefined> => {
  try {
    const certificate = readChainCertificate(der)
    return (
      contentFault(certificate, requested) ??
      extensionFault(certificate, requested) ??
      signatureFault(certificate, requested) ??
      (await libraryFault(der, requested))
    )
  } catch {
    return 'its encoding'
  }
}

/** As the reader of `x509/` sees it, which takes one encoding of each value and no other. */
const contentFault = (
  { parts, constraints, usages, purposes }: ChainCertificate,
  { template, issuer, serial }: Requested,
): string | undefined => {
  const { authority } = template
  const pathLength = authority === undefined ? Number.POSITIVE_INFINITY : authority.pathLength
  if (!parts.serialNumber.equals(serial)) return 'its serial number'
  if (!parts.issuer.equals(issuer.subject)) return 'its issuer'
  if (!parts.subject.equals(encodeName(template.subject))) return 'its subject'
  if (!parts.publicKey.equals(template.publicKey)) return 'its public key'
  if (parts.notBefore !== template.notBefore) return 'its notBefore'
  if (parts.notAfter !== template.notAfter) return 'its notAfter'
  if (constraints.isAuthority !== (authority !== undefined)) return 'its basicConstraints'
  if (constraints.pathLength !== pathLength) return 'its path length'
  if (!isDeepStrictEqual(new Set(usages), new Set(template.usages))) return 'its keyUsage'
  if (!isDeepStrictEqual(purposes ?? [], template.purposes)) return 'its extendedKeyUsage'
  return undefined
}

const extensionFault = (
  { parts: { extensions } }: ChainCertificate,
  { template: { subject, names, authority, publicKey, purposes }, issuer }: Requested,
): string | undefined => {
  const extensionOf = (oid: string): Extension | undefined =>
    extensions.find((extension) => extension.oid === oid)
  const found = extensionOf(EXTENSIONS.subjectAltName)
  const decoded = found === undefined ? [] : decodeGeneralNames(found.value)
  if (!isDeepStrictEqual(decoded, names)) return 'its subjectAltName'
  const limits = extensionOf(NAME_CONSTRAINTS)
  const wanted = authority?.nameConstraints && encodeNameConstraints(authority.nameConstraints)
  if (!isDeepStrictEqual(limits?.value, wanted)) return 'its nameConstraints'
  const identifiers = [
    subjectKeyIdentifier(keyIdentifierOf(publicKey)),
    authorityKeyIdentifier(issuer.keyIdentifier),
  ]
  for (const identifier of identifiers) {
    if (!isDeepStrictEqual(extensionOf(identifier.oid), identifier)) return 'its key identifiers'
  }
  const optional = [purposes.length > 0, names.length > 0, wanted !== undefined]
  // basicConstraints, keyUsage, and the two identifiers.
  if (extensions.length !== 4 + optional.filter(Boolean).length) return 'its list of extensions'
  const critical = extensions.filter((extension) => extension.critical).map(({ oid }) => oid)
  const wantedCritical = [
    EXTENSIONS.basicConstraints,
    EXTENSIONS.keyUsage,
    ...(subject.length === 0 ? [EXTENSIONS.subjectAltName] : []),
    ...(wanted === undefined ? [] : [NAME_CONSTRAINTS]),
  ]
  return isDeepStrictEqual(critical, wantedCritical) ? undefined : 'its critical extensions'
}

/** As OpenSSL sees it. */
const signatureFault = (
  { x509: certificate, isSelfIssued }: ChainCertificate,
  { template, issuerKey }: Requested,
): string | undefined => {
  const key = createPublicKey({ key: issuerKey, format: 'der', type: 'spki' })
  if (!certificate.verify(key)) return 'its signature'
  if (certificate.ca !== (template.authority !== undefined)) return 'its basicConstraints'
  return isSelfIssued && !certificate.checkIssued(certificate) ? 'its issuer' : undefined
}

const libraryFault = async (
  der: Buffer,
  { template, issuerKey, serial }: Requested,
): Promise<string | undefined> => {
  const certificate = new x509.X509Certificate(der)
  const isSigned = await certificate.verify({
    publicKey: new x509.PublicKey(issuerKey),
    signatureOnly: true,
  })
  if (!isSigned) return 'its signature'
  if (certificate.serialNumber !== serial.toString('hex')) return 'its serial number'
  if (certificate.notAfter.getTime() !== template.notAfter * 1_000) return 'its notAfter'
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? []
  const same = names.map(({ type, value }) => ({ kind: type === 'url' ? 'uri' : type, value }))
  return isDeepStrictEqual(same, template.names) ? undefined : 'its subjectAltName'
}
