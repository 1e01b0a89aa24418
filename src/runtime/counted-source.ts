// Which addresses are counted as one source: those that one caller can choose among.

import { isIP } from 'node:net'

/** How many bits of an IPv6 address are one source, where nothing else is configured (RFC 6177: a site has at least a /64). */
export const IPV6_PREFIX = 64

const GROUPS = 8
const GROUP_BITS = 16

/**
 * The network that counts as one source: an IPv4 address is one, an IPv6 address the prefix of so many
 * bits, since the owner of one address of a /64 has all of them (RFC 6177, RFC 8981). An IPv4 address
 * in IPv6 notation is the IPv4 address (RFC 4291 §2.5.5.2). A text that is not an address stays as it is.
 */
export const countedSource = (address: string, prefix: number = IPV6_PREFIX): string => {
  const family = isIP(address)
  if (family !== 6) return address
  const groups = groupsOf(address)
  const [high = 0, low = 0] = groups.slice(GROUPS - 2)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff
  if (mapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  const kept = groups.map((group, index) => {
    const bits = Math.min(GROUP_BITS, Math.max(0, prefix - index * GROUP_BITS))
    return group & (0xff_ff << (GROUP_BITS - bits)) & 0xff_ff
  })
  return `${kept.map((group) => group.toString(16)).join(':')}/${prefix}`
}

/** The eight groups of an IPv6 address that `isIP` accepts. */
const groupsOf = (address: string): readonly number[] => {
  const [plain = ''] = address.split('%')
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(plain)
  const text = dotted === null ? plain : hexadecimal(dotted)
  const [head = '', tail] = text.split('::')
  const left = readGroups(head)
  const right = readGroups(tail ?? '')
  return [...left, ...Array<number>(GROUPS - left.length - right.length).fill(0), ...right]
}

const readGroups = (text: string): readonly number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))

const hexadecimal = ([, head = '', ...octets]: RegExpExecArray): string => {
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number)
  return `${head}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}
