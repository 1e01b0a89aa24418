// The fields of a certificate, in a form for expressions. The certificate was
// verified before.

import type { CertificateParts } from '../x509/certificate.ts'
import { decodeExtendedKeyUsage, decodePolicies, type Extension } from '../x509/extensions.ts'
import { decodeGeneralNames, type NameKind } from '../x509/general-names.ts'
import { decodeName, formatName } from '../x509/name.ts'
import { attributeName, EXTENSIONS } from '../x509/oid.ts'

/** A certificate's content; every name in the order of the certificate. */
export interface CertificateFields {
  /** Attributes by short name or OID, all values of each. */
  readonly subject: Readonly<Record<string, readonly string[]>>
  /** RFC 4514. */
  readonly subjectName: string
  readonly issuerName: string
  readonly dns: readonly string[]
  readonly uris: readonly string[]
  readonly emails: readonly string[]
  readonly ips: readonly string[]
  readonly upns: readonly string[]
  /** Lower-case hexadecimal. */
  readonly serial: string
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string
  /** Extended key usages, OIDs. */
  readonly purposes: readonly string[]
  /** Certificate policies, OIDs. */
  readonly policies: readonly string[]
  /** Every extension's value by OID: DER in base64. */
  readonly extensions: Readonly<Record<string, string>>
}

/** What expressions see of callers without one. */
export const NO_CERTIFICATE: CertificateFields = Object.freeze({
  subject: {},
  subjectName: '',
  issuerName: '',
  dns: [],
  uris: [],
  emails: [],
  ips: [],
  upns: [],
  serial: '',
  fingerprint: '',
  purposes: [],
  policies: [],
  extensions: {},
})

/**
 * Reads the fields of a certificate that expressions may use.
 *
 * @throws CountersignError `malformed-certificate` when a name in it cannot be read
 */
export const certificateFields = (
  parts: CertificateParts,
  fingerprint: string,
): CertificateFields => {
  const attributes = decodeName(parts.subject)
  const byType = Map.groupBy(attributes, ({ oid }) => attributeName(oid))
  const names = alternativesOf(parts.extensions)
  const namesOf = (kind: NameKind): readonly string[] =>
    names.filter((name) => name.kind === kind).map(({ value }) => value)
  return {
    subject: Object.fromEntries(
      [...byType].map(([type, list]) => [type, list.map(({ value }) => value)]),
    ),
    subjectName: formatName(attributes),
    issuerName: formatName(decodeName(parts.issuer)),
    dns: namesOf('dns'),
    uris: namesOf('uri'),
    emails: namesOf('email'),
    ips: namesOf('ip'),
    upns: namesOf('upn'),
    serial: parts.serialNumber.toString('hex').replace(/^00(?=..)/, ''),
    fingerprint,
    purposes: valueOf(parts.extensions, EXTENSIONS.extendedKeyUsage, decodeExtendedKeyUsage) ?? [],
    policies: valueOf(parts.extensions, EXTENSIONS.certificatePolicies, decodePolicies) ?? [],
    extensions: Object.fromEntries(
      parts.extensions.map(({ oid, value }) => [oid, value.toString('base64')]),
    ),
  }
}

const alternativesOf = (extensions: readonly Extension[]) =>
  valueOf(extensions, EXTENSIONS.subjectAltName, decodeGeneralNames) ?? []

const valueOf = <T>(
  extensions: readonly Extension[],
  wanted: string,
  decode: (value: Buffer) => T,
): T | undefined => {
  const found = extensions.find(({ oid }) => oid === wanted)
  return found && decode(found.value)
}
