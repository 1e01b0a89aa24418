// A template → a certificate, signed by @peculiar/x509, which is then read back and compared. A
// certificate that differs from its template never leaves this file.

import { createPublicKey } from 'node:crypto'
import { randomSerial } from '../../ca/mint.ts'
import { CountersignError } from '../../runtime/errors.ts'
import type { KeyUsage } from '../../x509/extensions.ts'
import type { Attribute } from '../../x509/name.ts'
import { certificateFault } from './certificate-fault.ts'
import { keyIdentifierOf } from '../../ca/authority-certificate.ts'
import { publicKeyDer, signingKey } from './keys.ts'
import { encodeNameConstraints } from './name-constraints.ts'
import { NAME_CONSTRAINTS } from '../../pki/name-constraints.ts'
import type { AlternativeName, AuthorityTemplate, CertificateIssuer, Template } from './template.ts'
import { x509 } from './x509.ts'

/**
 * The DER of the certificate.
 *
 * @throws CountersignError `authority-unusable` when the certificate differs from the template
 */
export const certify = async (template: Template, issuer: CertificateIssuer): Promise<Buffer> => {
  const serial = randomSerial()
  const { privateKey, algorithm } = signingKey(issuer.key)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString('hex'),
    subject: nameOf(template.subject),
    issuer: new x509.Name(issuer.subject),
    notBefore: new Date(template.notBefore * 1_000),
    notAfter: new Date(template.notAfter * 1_000),
    publicKey: template.publicKey,
    signingKey: privateKey,
    signingAlgorithm: algorithm,
    extensions: extensionsOf(template, issuer),
  })
  const der = Buffer.from(certificate.rawData)
  const issuerKey = publicKeyDer(createPublicKey(issuer.key))
  const fault = await certificateFault(der, { template, issuer, issuerKey, serial })
  if (fault === undefined) return der
  throw new CountersignError(
    'authority-unusable',
    `the certificate was discarded after signing: ${fault} differs from what was requested. This is a bug; please report it`,
  )
}

/** The name with one attribute in each relative distinguished name. */
export const nameOf = (attributes: readonly Attribute[]): x509.Name =>
  // As objects: in plain texts, "#" and quotation marks have a meaning of their own.
  new x509.Name(attributes.map(({ oid, value }) => ({ [oid]: [{ utf8String: value }] })))

/** The extension that holds the names; critical where there is no subject (RFC 5280 §4.2.1.6). */
export const namesExtension = (
  names: readonly AlternativeName[],
  critical = false,
): x509.SubjectAlternativeNameExtension =>
  new x509.SubjectAlternativeNameExtension(
    names.map(({ kind, value }): { type: 'dns' | 'ip' | 'url'; value: string } => ({
      type: kind === 'uri' ? 'url' : kind,
      value,
    })),
    critical,
  )

const extensionsOf = (
  { subject, authority, usages, purposes, names, publicKey }: Template,
  { keyIdentifier }: CertificateIssuer,
): x509.Extension[] => [
  new x509.BasicConstraintsExtension(authority !== undefined, authority?.pathLength, true),
  new x509.KeyUsagesExtension(flagsOf(usages), true),
  ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...purposes])]),
  ...(names.length === 0 ? [] : [namesExtension(names, subject.length === 0)]),
  ...constraintsExtension(authority),
  new x509.SubjectKeyIdentifierExtension(keyIdentifierOf(publicKey).toString('hex')),
  new x509.AuthorityKeyIdentifierExtension(keyIdentifier.toString('hex')),
]

const flagsOf = (usages: readonly KeyUsage[]): x509.KeyUsageFlags =>
  usages.map((usage) => x509.KeyUsageFlags[usage]).reduce((flags, flag) => flags | flag)

// RFC 5280 §4.2.1.10: critical. @peculiar/x509 has no class for it.
const constraintsExtension = (authority: AuthorityTemplate | undefined): x509.Extension[] =>
  authority?.nameConstraints === undefined
    ? []
    : [new x509.Extension(NAME_CONSTRAINTS, true, encodeNameConstraints(authority.nameConstraints))]
