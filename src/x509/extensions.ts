// Certificate extensions (RFC 5280 §4.2): values ↔ DER.

import {
  DerReader,
  element,
  malformed,
  readInteger,
  readOnly,
  readTrue,
  sequence,
  TAG,
} from './der.ts'
import { EXTENSIONS, oidElement, readOid } from './oid.ts'

/** An extension as in a certificate. */
export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** The DER inside the OCTET STRING. */
  readonly value: Buffer
}

/** The bits of a key usage, in the order of their numbers (RFC 5280 §4.2.1.3). */
export const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

/** What a key may be used for. */
export type KeyUsage = (typeof KEY_USAGES)[number]

/** A keyUsage extension, critical as RFC 5280 wants it. */
export const keyUsage = (usages: readonly KeyUsage[]): Extension => {
  const bits = usages.map((usage) => KEY_USAGES.indexOf(usage))
  const last = Math.max(...bits)
  const bytes = Buffer.alloc((last >> 3) + 1)
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  // DER drops trailing zero bits of a list of named bits (X.690 §11.2.2).
  const value = element(TAG.bitString, Buffer.of(7 - (last & 7)), bytes)
  return { oid: EXTENSIONS.keyUsage, critical: true, value }
}

/** The usages of a keyUsage extension's value. */
export const decodeKeyUsage = (der: Uint8Array): readonly KeyUsage[] => {
  const content = readOnly(der, TAG.bitString)
  const [unused = 8] = content
  const bytes = content.subarray(1)
  const spare = (bytes.at(-1) ?? 0) & ((1 << unused) - 1)
  if (unused > 7 || bytes.length < 1 || bytes.length > 2 || spare !== 0) {
    throw malformed('a key usage')
  }
  return KEY_USAGES.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
}

/** An extendedKeyUsage extension with these purposes (OIDs). */
export const extendedKeyUsage = (purposes: readonly string[]): Extension => ({
  oid: EXTENSIONS.extendedKeyUsage,
  critical: false,
  value: sequence(...purposes.map(oidElement)),
})

/** The purposes (OIDs) of an extendedKeyUsage extension's value. */
export const decodeExtendedKeyUsage = (der: Uint8Array): readonly string[] => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const purposes: string[] = []
  while (reader.more) purposes.push(readOid(reader.expect(TAG.oid)))
  if (purposes.length === 0) throw malformed('no purpose in an extended key usage')
  return purposes
}

/** A basicConstraints extension that says "not a CA", the only thing that is ever issued. */
export const notAuthority: Extension = {
  oid: EXTENSIONS.basicConstraints,
  critical: true,
  value: sequence(),
}

/** Whether a basicConstraints extension's value says "CA". */
export const decodeIsAuthority = (der: Uint8Array): boolean => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const isAuthority = reader.tag === TAG.boolean && readTrue(reader.expect(TAG.boolean))
  if (reader.more) readInteger(reader.expect(TAG.integer))
  reader.end()
  return isAuthority
}

/** A certificatePolicies extension with these policies (OIDs), without qualifiers. */
export const certificatePolicies = (policies: readonly string[]): Extension => ({
  oid: EXTENSIONS.certificatePolicies,
  critical: false,
  value: sequence(...policies.map((policy) => sequence(oidElement(policy)))),
})

/** The policies (OIDs) of a certificatePolicies extension's value. */
export const decodePolicies = (der: Uint8Array): readonly string[] => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const policies: string[] = []
  while (reader.more) policies.push(readOid(reader.enter(TAG.sequence).expect(TAG.oid)))
  if (policies.length === 0) throw malformed('no policy')
  return policies
}

/** A subjectKeyIdentifier extension. */
export const subjectKeyIdentifier = (identifier: Uint8Array): Extension => ({
  oid: EXTENSIONS.subjectKeyIdentifier,
  critical: false,
  value: element(TAG.octetString, identifier),
})

/** An authorityKeyIdentifier extension with the key identifier alone (RFC 5280 §4.2.1.1). */
export const authorityKeyIdentifier = (identifier: Uint8Array): Extension => ({
  oid: EXTENSIONS.authorityKeyIdentifier,
  critical: false,
  value: sequence(element(0x80, identifier)),
})

const TRUE = element(TAG.boolean, Buffer.of(0xff))

/** One extension, encoded as in the list of a certificate. */
export const encodeExtension = ({ oid, critical, value }: Extension): Buffer =>
  sequence(oidElement(oid), ...(critical ? [TRUE] : []), element(TAG.octetString, value))

/** The extensions of a certificate, each OID at most once (RFC 5280 §4.2). */
export const decodeExtensions = (der: Uint8Array): readonly Extension[] => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const extensions: Extension[] = []
  while (reader.more) extensions.push(decodeExtension(reader.enter(TAG.sequence)))
  if (new Set(extensions.map(({ oid }) => oid)).size !== extensions.length) {
    throw malformed('an extension occurs twice')
  }
  return extensions
}

const decodeExtension = (reader: DerReader): Extension => {
  const oid = readOid(reader.expect(TAG.oid))
  const critical = reader.tag === TAG.boolean && readTrue(reader.expect(TAG.boolean))
  const value = reader.expect(TAG.octetString)
  reader.end()
  return { oid, critical, value }
}
