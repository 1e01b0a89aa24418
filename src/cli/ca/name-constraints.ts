// Name constraints of a CA (RFC 5280 §4.2.1.10): which names it may sign for ↔ DER.

import { context, DerReader, element, readOnly, sequence, TAG } from '../../x509/der.ts'
import { encodeGeneralNames } from '../../x509/general-names.ts'

/** A subtree of names. */
export interface Subtree {
  readonly kind: 'dns' | 'ip' | 'uri' | 'email' | 'other'
  /** A domain, a network as ADDRESS/PREFIX, or the host of a URI. */
  readonly value: string
}

/** Which names a CA may sign for, and which it may not. */
export interface NameConstraints {
  readonly permitted: readonly Subtree[]
  readonly excluded: readonly Subtree[]
}

const TAGS = {
  email: context(1, 'primitive'),
  dns: context(2, 'primitive'),
  uri: context(6, 'primitive'),
  ip: context(7, 'primitive'),
} as const

const PERMITTED = context(0, 'constructed')
const EXCLUDED = context(1, 'constructed')

const EVERY_ADDRESS: readonly Subtree[] = [
  { kind: 'ip', value: '0.0.0.0/0' },
  { kind: 'ip', value: '::/0' },
]

/**
 * The constraints for what is permitted; `undefined` for none. A CA that is limited to domains signs for no IP
 * address, since RFC 5280 leaves kinds of names without a subtree unlimited. Networks cannot be
 * permitted: Envoy refuses every certificate with an IP address below a CA with such a subtree.
 */
export const nameConstraintsFor = (permitted: readonly Subtree[]): NameConstraints | undefined =>
  permitted.length === 0
    ? undefined
    : { permitted, excluded: permitted.some(({ kind }) => kind === 'dns') ? EVERY_ADDRESS : [] }

/** The value of the extension. */
export const encodeNameConstraints = ({ permitted, excluded }: NameConstraints): Buffer =>
  sequence(...encodeSubtrees(PERMITTED, permitted), ...encodeSubtrees(EXCLUDED, excluded))

const encodeSubtrees = (tag: number, subtrees: readonly Subtree[]): readonly Buffer[] =>
  subtrees.length === 0 ? [] : [element(tag, ...subtrees.map(encodeSubtree))]

const encodeSubtree = ({ kind, value }: Subtree): Buffer => {
  if (kind === 'other') throw new TypeError('a subtree of an unknown kind')
  const content = kind === 'ip' ? encodeNetwork(value) : Buffer.from(value, 'latin1')
  return sequence(element(TAGS[kind], content))
}

/** Address and mask, one after the other. */
const encodeNetwork = (network: string): Buffer => {
  const [value = '', prefix] = network.split('/')
  const names = encodeGeneralNames([{ kind: 'ip', value }])
  const address = new DerReader(readOnly(names, TAG.sequence)).expect(TAGS.ip)
  const mask = address.map((_, index) => {
    const ones = Math.min(Math.max(Number(prefix) - index * 8, 0), 8)
    return 0xff & ~(0xff >> ones)
  })
  return Buffer.concat([address.map((byte, index) => byte & (mask[index] ?? 0)), mask])
}

/**
 * The subtrees in the value of the extension.
 *
 * @throws CountersignError `malformed-certificate`
 */
export const decodeNameConstraints = (der: Uint8Array): NameConstraints => {
  const reader = new DerReader(readOnly(der, TAG.sequence))
  const permitted = reader.tag === PERMITTED ? decodeSubtrees(reader.enter(PERMITTED)) : []
  const excluded = reader.tag === EXCLUDED ? decodeSubtrees(reader.enter(EXCLUDED)) : []
  reader.end()
  return { permitted, excluded }
}

const decodeSubtrees = (reader: DerReader): readonly Subtree[] => {
  const subtrees: Subtree[] = []
  while (reader.more) subtrees.push(decodeSubtree(reader.enter(TAG.sequence)))
  return subtrees
}

const decodeSubtree = (reader: DerReader): Subtree => {
  const { tag, content } = reader.next()
  switch (tag) {
    case TAGS.ip:
      return { kind: 'ip', value: networkText(content) }
    case TAGS.dns:
      return { kind: 'dns', value: content.toString('latin1') }
    case TAGS.uri:
      return { kind: 'uri', value: content.toString('latin1') }
    case TAGS.email:
      return { kind: 'email', value: content.toString('latin1') }
    default:
      return { kind: 'other', value: `0x${tag.toString(16)}` }
  }
}

const networkText = (bytes: Buffer): string => {
  const half = bytes.length / 2
  const mask = bytes.subarray(half)
  const prefix = [...mask].map((byte) => byte.toString(2).replaceAll('0', '')).join('').length
  const groups = [...Array(half / 2).keys()].map((at) => bytes.readUInt16BE(at * 2).toString(16))
  const address = half === 4 ? bytes.subarray(0, half).join('.') : groups.join(':')
  return `${half === 4 ? address : new URL(`http://[${address}]/`).hostname.slice(1, -1)}/${prefix}`
}
