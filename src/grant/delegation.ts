// Delegation, as F5's C3D has it: the proven client certificate, copied field by field into the one that
// the upstream will see. Pure. An authenticator validated the certificate; this only reads it.

import type { CertificateConfig, TemplateConfig } from './schema.ts'
import type { Identity } from '../identity/identity.ts'
import { readCertificate, type CertificateParts } from '../x509/certificate.ts'
import { decodeGeneralNames } from '../x509/general-names.ts'
import { decodeName } from '../x509/name.ts'
import { EXTENSIONS } from '../x509/oid.ts'
import type { Contents, Fields, Template } from './template.ts'

/** What delegation does with each field. */
export type DelegationConfig = NonNullable<CertificateConfig['delegate']>

/**
 * Reads the proven client certificate.
 *
 * @param der the certificate (RFC 5280 §4.1)
 * @returns `undefined` when it cannot be decoded; its names are decoded by {@link namesOf}, where they are copied
 */
export const readProven = (der: Buffer): CertificateParts | undefined =>
  orUndefined(() => readCertificate(der))

/** The template of what delegation overrides: the expressions of what it copies are left out. */
export const overriding = (
  config: CertificateConfig,
  fields: DelegationConfig,
): TemplateConfig => ({
  ...config,
  subject: fields.subject === 'override' ? config.subject : {},
  subjectAltName: fields.subjectAltName === 'override' ? config.subjectAltName : {},
})

/**
 * The fields of the certificate to be minted: copied byte for byte, dropped, or overridden by the
 * template's. `undefined` when the template cannot be applied to the identity.
 */
export const delegate = (
  proven: CertificateParts,
  config: DelegationConfig,
  template: Template,
  identity: Identity,
): Fields | undefined => {
  const own = template.apply(identity)
  if (own === undefined) return undefined
  const byOid = new Map(proven.extensions.map((extension) => [extension.oid, extension]))
  const pick = (name: keyof typeof EXTENSION_OF) => {
    const mode = config[name]
    if (mode === 'override') return own[name]
    return mode === 'copy' ? byOid.get(EXTENSION_OF[name]) : undefined
  }
  const overridden = new Set(own.others.map(({ oid }) => oid))
  return {
    subject: config.subject === 'copy' ? proven.subject : own.subject,
    subjectAltName: pick('subjectAltName'),
    keyUsage: pick('keyUsage'),
    extendedKeyUsage: pick('extendedKeyUsage'),
    basicConstraints: pick('basicConstraints'),
    policies: pick('policies'),
    others: [
      ...config.extensions
        .filter((oid) => !overridden.has(oid))
        .flatMap((oid) => byOid.get(oid) ?? []),
      ...own.others,
    ],
  }
}

/**
 * Every name in a certificate that an upstream could take for a user or a group.
 *
 * An alternative name of an unknown kind is left to the signer, which refuses it.
 *
 * @returns `undefined` when the subject or the alternative names cannot be decoded
 */
export const namesOf = ({ subject, extensions }: Contents): readonly string[] | undefined =>
  orUndefined(() => [
    ...decodeName(subject).map(({ value }) => value),
    ...extensions
      .filter(({ oid }) => oid === EXTENSIONS.subjectAltName)
      .flatMap(({ value }) => decodeGeneralNames(value).map((name) => name.value)),
  ])

const orUndefined = <T>(decode: () => T): T | undefined => {
  try {
    return decode()
  } catch {
    return undefined
  }
}

const EXTENSION_OF = {
  subjectAltName: EXTENSIONS.subjectAltName,
  keyUsage: EXTENSIONS.keyUsage,
  extendedKeyUsage: EXTENSIONS.extendedKeyUsage,
  basicConstraints: EXTENSIONS.basicConstraints,
  policies: EXTENSIONS.certificatePolicies,
} as const
