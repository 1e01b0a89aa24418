// URLs of OCSP responders and CRLs in certificates (RFC 5280 §4.2.2.1, §4.2.1.13), and
// which of them may be used. An attacker who chooses one could make this process call a server that
// only it can reach (server-side request forgery); so nothing but public addresses, unless the
// configuration lists the host.

import { lookup as lookUp, type LookupAddress } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { context, DerReader, readOnly, TAG } from '../x509/der.ts'
import type { Extension } from '../x509/extensions.ts'
import { readOid } from '../x509/oid.ts'
import { valueOf } from './issued.ts'

const AUTHORITY_INFORMATION_ACCESS = '1.3.6.1.5.5.7.1.1'
const OCSP = '1.3.6.1.5.5.7.48.1'
const CRL_DISTRIBUTION_POINTS = '2.5.29.31'
const URI = context(6, 'primitive')

/**
 * The URLs of OCSP responders in a certificate, as written.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const ocspLocations = (extensions: readonly Extension[]): readonly string[] => {
  const value = valueOf(extensions, AUTHORITY_INFORMATION_ACCESS)
  if (value === undefined) return []
  const list = new DerReader(readOnly(value, TAG.sequence))
  const found: string[] = []
  while (list.more) {
    const description = list.enter(TAG.sequence)
    const method = readOid(description.expect(TAG.oid))
    const { tag, content } = description.next()
    description.end()
    if (method === OCSP && tag === URI) found.push(content.toString('latin1'))
  }
  return found
}

/**
 * The whole GeneralNames of a certificate's CRL distribution points; without points for some
 * reasons only, or of other issuers, which are not supported.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const distributionPoints = (extensions: readonly Extension[]): readonly Buffer[] => {
  const value = valueOf(extensions, CRL_DISTRIBUTION_POINTS)
  if (value === undefined) return []
  const list = new DerReader(readOnly(value, TAG.sequence))
  const found: Buffer[] = []
  while (list.more) {
    const point = list.enter(TAG.sequence)
    if (point.tag !== context(0, 'constructed')) continue
    const name = point.enter(context(0, 'constructed'))
    if (!point.more) found.push(...fullNames(name))
  }
  return found
}

/** The GeneralNames of a DistributionPointName; none where it is relative to an issuer's name. */
export const fullNames = (name: DerReader): readonly Buffer[] => {
  if (name.tag !== context(0, 'constructed')) return []
  const names = name.enter(context(0, 'constructed'))
  const found: Buffer[] = []
  while (names.more) found.push(names.next().whole)
  return found
}

/** The text of a GeneralName that is a URI. */
export const uriOf = (generalName: Buffer): string | undefined => {
  const { tag, content } = new DerReader(generalName).next()
  return tag === URI ? content.toString('latin1') : undefined
}

/** Which URLs of certificates may be used. */
export interface LocationPolicy {
  /**
   * Hosts, as written in URLs. If there are any, URLs of other hosts are not used; these may have any
   * address. Empty: every host with public addresses.
   */
  readonly hosts: readonly string[]
}

// Everything that is not unicast to the public (IANA special-purpose registries, RFC 6890).
const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv4')
}
// Of IPv6 only 2000::/3 is public, and of that not what reaches IPv4 or is for documents.
const PUBLIC6 = new BlockList()
PUBLIC6.addSubnet('2000::', 3, 'ipv6')
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6')
}

/** Whether the address is public, rather than this machine or its network. */
export const isPublic = (address: string): boolean => {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (PRIVATE.check(address, family)) return false
  return family === 'ipv4' || PUBLIC6.check(address, family)
}

/**
 * A URL of a certificate, if the policy allows it; otherwise `undefined`. Its name may still lead to
 * a private address: {@link publicLookup} looks at what it resolves to.
 */
export const permitted = (text: string, { hosts }: LocationPolicy): URL | undefined => {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  if (url.username !== '' || url.password !== '' || text.includes('@')) return undefined
  if (hosts.length > 0) return hosts.includes(url.hostname) ? url : undefined
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  return isIP(host) === 0 || isPublic(host) ? url : undefined
}

/**
 * Name resolution that finds public addresses only: for the connection itself, so that no name can
 * resolve to one address when it is judged and to another when it is used.
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '', 0)
    const found = addresses.filter(({ address }) => isPublic(address))
    const [first] = found
    if (first === undefined) {
      return callback(new Error(`${hostname} has no public address`), '', 0)
    }
    if (options.all === true) return callback(null, [...found] satisfies LookupAddress[])
    callback(null, first.address, first.family)
  })
}
