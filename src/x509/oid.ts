// Object identifiers: dotted text ↔ DER, and the ones that have a name here.

import { element, malformed, TAG } from './der.ts'

/** Attributes of a distinguished name by their usual short names (RFC 4514 §3, RFC 4519). */
export const ATTRIBUTES = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  organizationIdentifier: '2.5.4.97',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
} as const satisfies Readonly<Record<string, string>>

/** Extensions that Countersign writes or reads (RFC 5280 §4.2.1). */
export const EXTENSIONS = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

/** Purposes of an extended key usage by name (RFC 5280 §4.2.1.12). */
export const PURPOSES = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  smartcardLogon: '1.3.6.1.4.1.311.20.2.2',
} as const

/** The `otherName` that holds a Microsoft user principal name. */
export const UPN = '1.3.6.1.4.1.311.20.2.3'

/** Dotted text with at least three arcs; the second below 40 where the first is 0 or 1 (X.660). */
export const OID = /^(?:[01]\.(?:\d|[1-3]\d)|2\.(?:0|[1-9]\d{0,8}))(?:\.(?:0|[1-9]\d{0,8})){1,30}$/

/** The OID of a named attribute, or the text itself when it is an OID. */
export const attributeOid = (name: string): string | undefined =>
  Object.hasOwn(ATTRIBUTES, name) ? attributes.get(name) : OID.test(name) ? name : undefined

const attributes: ReadonlyMap<string, string> = new Map(Object.entries(ATTRIBUTES))
const attributeNames: ReadonlyMap<string, string> = new Map(
  Object.entries(ATTRIBUTES).map(([name, oid]) => [oid, name]),
)

/** The short name of an attribute, or its OID when it has none. */
export const attributeName = (oid: string): string => attributeNames.get(oid) ?? oid

/** An OBJECT IDENTIFIER. */
export const oidElement = (oid: string): Buffer => known.get(oid) ?? encodeOid(oid)

const encodeOid = (oid: string): Buffer => {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number)
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

const base128 = (arc: number): readonly number[] => {
  const digits = [arc % 0x80]
  for (let rest = Math.floor(arc / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) {
    digits.unshift((rest % 0x80) | 0x80)
  }
  return digits
}

// Nearly every certificate has these; nothing writes into the bytes.
const known: ReadonlyMap<string, Buffer> = new Map(
  [EXTENSIONS, ATTRIBUTES, PURPOSES]
    .flatMap((oids) => Object.values(oids))
    .map((oid) => [oid, encodeOid(oid)]),
)

/** The content of an OBJECT IDENTIFIER → dotted text. */
export const readOid = (content: Buffer): string => {
  const arcs: number[] = []
  let arc = 0
  let fresh = true
  for (const byte of content) {
    if (fresh && byte === 0x80) throw malformed('an object identifier not minimal')
    arc = arc * 0x80 + (byte & 0x7f)
    fresh = (byte & 0x80) === 0
    if (!fresh) continue
    arcs.push(arc)
    arc = 0
  }
  const [first] = arcs
  if (first === undefined || !fresh || arcs.some((value) => !Number.isSafeInteger(value))) {
    throw malformed('an object identifier')
  }
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...arcs.slice(1)].join('.')
}
