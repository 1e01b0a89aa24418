// Subject alternative names (RFC 5280 §4.2.1.6): names as text ↔ DER.

import { isIP, isIPv4 } from 'node:net'
import { context, DerReader, element, malformed, readOnly, sequence, TAG } from './der.ts'
import { isAscii, readString } from './name.ts'
import { oidElement, readOid, UPN } from './oid.ts'

/** The kinds of name that Countersign writes, in the order in which it writes them. */
export const NAME_KINDS = ['dns', 'uri', 'email', 'ip', 'upn'] as const

/** A kind of alternative name; `upn` is Microsoft's user principal name. */
export type NameKind = (typeof NAME_KINDS)[number]

/** One alternative name. */
export interface GeneralName {
  /** `other`: one that Countersign does not write, with its tag or OID as the value. */
  readonly kind: NameKind | 'other'
  readonly value: string
}

const TAGS = {
  email: context(1, 'primitive'),
  dns: context(2, 'primitive'),
  uri: context(6, 'primitive'),
  ip: context(7, 'primitive'),
  upn: context(0, 'constructed'),
} as const satisfies Readonly<Record<NameKind, number>>

const DNS =
  /^(?=.{1,253}$)(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

/** Why a value cannot be a name of its kind; `undefined` when it can. */
export const nameFault = (kind: NameKind, value: string): string | undefined => {
  switch (kind) {
    case 'dns':
      return DNS.test(value) ? undefined : 'not a DNS name'
    case 'uri':
      return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(value) && URL.canParse(value)
        ? undefined
        : 'not a URI'
    case 'email':
      return /^[!-?A-~]+@[!-?A-~]+$/.test(value) ? undefined : 'not a mailbox'
    case 'ip':
      // RFC 4007 §11: a zone ("fe80::1%eth0") means something on one machine only.
      return isIP(value) === 0 || value.includes('%') ? 'not an IP address' : undefined
    case 'upn':
      return /^\P{Cc}+$/u.test(value) && value.isWellFormed() ? undefined : 'not a principal name'
  }
}

/** The value of a subjectAltName extension. */
export const encodeGeneralNames = (
  names: readonly { readonly kind: NameKind; readonly value: string }[],
): Buffer => sequence(...names.map(({ kind, value }) => encodeGeneralName(kind, value)))

const encodeGeneralName = (kind: NameKind, value: string): Buffer => {
  switch (kind) {
    case 'ip':
      return element(TAGS.ip, addressBytes(value))
    case 'upn':
      return element(
        TAGS.upn,
        oidElement(UPN),
        element(context(0, 'constructed'), element(TAG.utf8String, Buffer.from(value, 'utf8'))),
      )
    case 'dns':
    case 'uri':
    case 'email':
      return element(TAGS[kind], Buffer.from(value, 'latin1'))
  }
}

/**
 * Every name of a subjectAltName extension's value.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const decodeGeneralNames = (der: Uint8Array): readonly GeneralName[] => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  if (!reader.more) throw malformed('no alternative name')
  const names: GeneralName[] = []
  while (reader.more) names.push(decodeGeneralName(reader))
  return names
}

const decodeGeneralName = (reader: DerReader): GeneralName => {
  const { tag, content } = reader.next()
  switch (tag) {
    case TAGS.dns:
      return { kind: 'dns', value: ascii(content) }
    case TAGS.uri:
      return { kind: 'uri', value: ascii(content) }
    case TAGS.email:
      return { kind: 'email', value: ascii(content) }
    case TAGS.ip:
      return { kind: 'ip', value: formatIp(content) }
    case TAGS.upn:
      return decodeOtherName(content)
    default:
      return { kind: 'other', value: `0x${tag.toString(16)}` }
  }
}

const decodeOtherName = (content: Buffer): GeneralName => {
  const reader = new DerReader(content)
  const oid = readOid(reader.expect(TAG.oid))
  const value = reader.enter(context(0, 'constructed'))
  reader.end()
  if (oid !== UPN) return { kind: 'other', value: oid }
  const text = readString(value.next())
  value.end()
  return { kind: 'upn', value: text }
}

const ascii = (content: Buffer): string => {
  const text = content.toString('latin1')
  if (!isAscii(text)) throw malformed('an alternative name that is not ASCII')
  return text
}

const addressBytes = (address: string): Buffer => {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes every IPv6 address in one form: hexadecimal, "::" at most once.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

const formatIp = (bytes: Buffer): string => {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw malformed('an IP address of neither 4 nor 16 bytes')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
