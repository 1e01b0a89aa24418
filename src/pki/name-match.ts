// Whether a name lies in a subtree, kind by kind (RFC 5280 §4.2.1.10). Pure.

import { context, DerReader, malformed, readOnly, TAG } from '../x509/der.ts'
import { readString } from '../x509/name.ts'
import { readOid } from '../x509/oid.ts'

/** A GeneralName as encoded: its tag and its content. */
export interface TaggedName {
  readonly tag: number
  readonly content: Buffer
}

/** The kinds of name that constraints are understood of (RFC 5280 §4.2.1.6). */
export const NAME_TAGS = {
  email: context(1, 'primitive'),
  dns: context(2, 'primitive'),
  directory: context(4, 'constructed'),
  uri: context(6, 'primitive'),
  ip: context(7, 'primitive'),
} as const

/**
 * Whether a name lies in a subtree of its kind.
 *
 * If that is undetermined, it is `false` of a permitted subtree and `true` of an excluded one, so that
 * either way the name is refused.
 *
 * @throws CountersignError `malformed-certificate` when the subtree is malformed
 */
export const isUnder = (
  { tag, content }: TaggedName,
  subtree: TaggedName,
  list: 'permitted' | 'excluded',
): boolean => {
  const unclear = list === 'excluded'
  const base = subtree.content.toString('latin1').toLowerCase()
  const text = content.toString('latin1')
  switch (tag) {
    case NAME_TAGS.dns:
      return isDnsUnder(text.toLowerCase(), base, list) ?? unclear
    case NAME_TAGS.email:
      return isEmailUnder(text, subtree.content.toString('latin1')) ?? unclear
    case NAME_TAGS.uri:
      return isUriUnder(text, base) ?? unclear
    case NAME_TAGS.ip:
      return isIpUnder(content, subtree.content)
    case NAME_TAGS.directory:
      return isDirectoryUnder(content, subtree.content)
    default: // RFC 5280 §6.1: to be processed, or the certificate refused
      return unclear
  }
}

const HOST = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/

const isDnsUnder = (
  name: string,
  base: string,
  list: 'permitted' | 'excluded',
): boolean | undefined => {
  const isWildcard = name.startsWith('*.')
  const rest = isWildcard ? name.slice(2) : name
  if (!HOST.test(rest)) return undefined
  if (base === '') return true
  if (!HOST.test(base.replace(/^\./, ''))) throw malformed('a name constraint that is not a host')
  if (isHostUnder(name, base) || (!base.startsWith('.') && name === base)) return true
  // `*.example.org` is also every host that is excluded there.
  return (
    list === 'excluded' && isWildcard && base.replace(/^\./, '').replace(/^[^.]+\./, '') === rest
  )
}

/** With a dot in front or without, everything below. */
const isHostUnder = (name: string, base: string): boolean =>
  name.endsWith(base.startsWith('.') ? base : `.${base}`)

const isEmailUnder = (name: string, subtree: string): boolean | undefined => {
  const mailbox = readMailbox(name)
  if (mailbox === undefined) return undefined
  if (subtree.includes('@')) {
    const wanted = readMailbox(subtree)
    if (wanted === undefined) throw malformed('a name constraint that is not a mailbox')
    return mailbox.local === wanted.local && mailbox.host === wanted.host
  }
  return isExactHostUnder(mailbox.host, subtree.toLowerCase())
}

/** Quoted local parts have more than one spelling, and are not understood. */
const readMailbox = (
  text: string,
): { readonly local: string; readonly host: string } | undefined => {
  const [, local, host = ''] = /^([!#-'*+\-./0-9=?A-Z^-~]+)@([^@]+)$/.exec(text) ?? []
  const lower = host.toLowerCase()
  return local !== undefined && HOST.test(lower) ? { local, host: lower } : undefined
}

/** Unlike for DNS names: without a dot in front the one host, with it those below (RFC 5280). */
const isExactHostUnder = (host: string, base: string): boolean => {
  if (base === '') return true
  if (!HOST.test(base.replace(/^\./, ''))) throw malformed('a name constraint that is not a host')
  return base.startsWith('.') ? host.endsWith(base) : host === base
}

/** For URIs with a host name; a URI without one cannot satisfy a constraint (RFC 5280 §4.2.1.10). */
const isUriUnder = (name: string, base: string): boolean | undefined => {
  // `https://good.example.org:x@bad.example/` has two readings, as an attacker would want.
  const [, host = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@:]+)(?::\d*)?(?:[/?#]|$)/i.exec(name) ?? []
  const lower = host.toLowerCase()
  if (!HOST.test(lower) || /^[\d.]+$/.test(lower)) return undefined
  return isExactHostUnder(lower, base)
}

const isIpUnder = (address: Buffer, range: Buffer): boolean => {
  if (range.length !== 8 && range.length !== 32)
    throw malformed('a name constraint that is not an address range')
  const half = range.length / 2
  const mask = range.subarray(half)
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  // RFC 4632 §3.1: ones, then zeros.
  if (bits.includes('01')) throw malformed('a name constraint that is not an address range')
  return (
    address.length === half &&
    address.every((byte, index) => (((range[index] ?? 0) ^ byte) & (mask[index] ?? 0)) === 0)
  )
}

/** Whether a name begins with all parts of the subtree's name. */
const isDirectoryUnder = (name: Buffer, subtree: Buffer): boolean => {
  const relatives = readRelatives(name)
  return readRelatives(subtree).every((relative, index) => relatives[index] === relative)
}

/** The relative distinguished names, in a spelling that is equal for equal ones (RFC 5280 §7.1). */
const readRelatives = (name: Buffer): readonly string[] => {
  const reader = new DerReader(readOnly(name, TAG.sequence))
  const relatives: string[] = []
  while (reader.more) {
    const set = reader.enter(TAG.set)
    const attributes: string[] = []
    while (set.more) {
      const attribute = set.enter(TAG.sequence)
      const oid = readOid(attribute.expect(TAG.oid))
      attributes.push(JSON.stringify([oid, folded(readString(attribute.next()))]))
      attribute.end()
    }
    relatives.push(attributes.toSorted().join())
  }
  return relatives
}

const folded = (text: string): string =>
  text.normalize('NFKC').toLowerCase().trim().replaceAll(/\s+/g, ' ')
