// What an Access-Accept says of the user: its attributes become groups and further facts. Attributes
// of an Access-Reject or Access-Challenge are never read here; some servers send them there too.

import type { PasswordFacts } from '../verifier.ts'
import { ATTRIBUTE, valuesOf, vendorValuesOf, type Packet } from '../../../clients/radius/packet.ts'
import { hasControlCharacter } from '../../../runtime/text.ts'

/** The name of a standard attribute. */
type AttributeName = keyof typeof ATTRIBUTE

/** A vendor's attribute (RFC 2865 §5.26). */
interface VendorAttribute {
  /** The vendor's SMI enterprise number: 9 for Cisco, 311 for Microsoft. */
  readonly vendor: number
  /** 1 to 255. */
  readonly type: number
}

/** Where values come from. */
export interface AttributeSource {
  /** By name, by number (1 to 255), or a vendor's. */
  readonly attribute: AttributeName | number | VendorAttribute
  /** How the bytes are read; default: `text` (UTF-8). `integer` takes four bytes. */
  readonly as?: 'text' | 'integer' | undefined
  /**
   * Which values count: those in which it is found. The value is its first group, if it has one,
   * else what it matched; with the flag `g` there is one for each match. Absent: all, whole.
   */
  readonly pattern?: RegExp | undefined
  /** Put in front of every value. Default: nothing. */
  readonly prefix?: string | undefined
}

/** How an Access-Accept becomes facts. */
export interface FactsOptions {
  /**
   * The user's name: `as-typed`, `lower-case` (of what was typed), or `from-reply` (the `User-Name`
   * of the Access-Accept; as typed where it has none). Where the server ignores case, `as-typed` has
   * as many names for one user as there are ways to write it, and a rule knows only one of them.
   */
  readonly user: 'as-typed' | 'lower-case' | 'from-reply'
  /** A stable identifier, the first value. */
  readonly uid?: AttributeSource | undefined
  /** Every value of each, in this order, once. */
  readonly groups: readonly AttributeSource[]
  readonly extra: Readonly<Record<string, AttributeSource>>
}

/** The facts, or `undefined` where the reply's name for the user cannot be used. */
export const factsOf = (
  accept: Packet,
  typed: string,
  options: FactsOptions,
): PasswordFacts | undefined => {
  const user = userOf(accept, typed, options.user)
  if (user === undefined) return undefined
  const uid = options.uid === undefined ? undefined : readSource(accept, options.uid)[0]
  const groups = options.groups.flatMap((source) => readSource(accept, source))
  const extra = Object.entries(options.extra)
    .map(([name, source]) => [name, readSource(accept, source)] as const)
    .filter(([, values]) => values.length > 0)
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    groups: [...new Set(groups)],
    extra: Object.fromEntries(extra),
  }
}

const userOf = (
  accept: Packet,
  typed: string,
  choice: FactsOptions['user'],
): string | undefined => {
  switch (choice) {
    case 'as-typed':
      return typed
    case 'lower-case':
      return typed.toLowerCase()
    case 'from-reply': {
      const [name] = valuesOf(accept, ATTRIBUTE['User-Name'])
      return name === undefined ? typed : readText(name)
    }
  }
}

/** All values of a source. Those that are no clean text are left out: they cannot be a header. */
const readSource = (
  packet: Packet,
  { attribute, as = 'text', pattern, prefix = '' }: AttributeSource,
): readonly string[] =>
  bytesOf(packet, attribute)
    .flatMap((bytes) => (as === 'integer' ? readInteger(bytes) : readText(bytes)) ?? [])
    .flatMap((value) => extract(value, pattern))
    .map((value) => prefix + value)

const bytesOf = (
  packet: Packet,
  attribute: AttributeSource['attribute'],
): readonly Uint8Array[] => {
  if (typeof attribute === 'object') {
    return vendorValuesOf(packet, attribute.vendor, attribute.type)
  }
  return valuesOf(packet, typeof attribute === 'number' ? attribute : ATTRIBUTE[attribute])
}

const extract = (value: string, pattern: RegExp | undefined): readonly string[] => {
  if (pattern === undefined) return [value]
  const matches = pattern.global ? [...value.matchAll(pattern)] : [value.match(pattern)]
  return matches.flatMap((match) => match?.[1] ?? match?.[0] ?? []).filter((found) => found !== '')
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** UTF-8 without control characters, in NFC; `undefined` for everything else. */
const readText = (bytes: Uint8Array): string | undefined => {
  try {
    const text = UTF_8.decode(bytes).normalize('NFC')
    return text === '' || hasControlCharacter(text) ? undefined : text
  } catch {
    return undefined // binary, such as the Class by which a server recognises its sessions
  }
}

const readInteger = (bytes: Uint8Array): string | undefined =>
  bytes.length === 4 ? String(Buffer.from(bytes).readUInt32BE()) : undefined

const LENIENT_UTF_8 = new TextDecoder('utf-8')
const CONTROL_BUT_NEWLINE = /[^\P{Cc}\n]/gu

/** The `Reply-Message`s of a packet, for people; several are shown one under the other. */
export const messageOf = (packet: Packet): string =>
  valuesOf(packet, ATTRIBUTE['Reply-Message'])
    .map((bytes) => LENIENT_UTF_8.decode(bytes))
    .join('\n')
    .replace(CONTROL_BUT_NEWLINE, '')
    .trim()
