// Encodes the few header blocks that a server sends, once for all connections: with the static table and
// literals alone they depend on no state.

import { STATIC_TABLE } from './static-table.ts'

/**
 * RFC 7541 §6.3: the dynamic table of this encoder is empty and remains so. At the beginning of the
 * first block of a connection it says that once, and for every change that the peer may make to
 * SETTINGS_HEADER_TABLE_SIZE (§4.2).
 */
export const NO_DYNAMIC_TABLE = 0x20

/** §5.1: an integer after the marks in the high bits of its first octet. */
const integer = (marks: number, prefix: number, value: number): readonly number[] => {
  const most = (1 << prefix) - 1
  if (value < most) return [marks | value]
  const octets = [marks | most]
  let rest = value - most
  for (; rest >= 0x80; rest >>>= 7) octets.push((rest & 0x7f) | 0x80)
  return [...octets, rest]
}

const string = (text: string): readonly number[] => {
  const octets = Buffer.from(text, 'latin1')
  return [...integer(0, 7, octets.length), ...octets] // §5.2, not Huffman-coded
}

const encodeField = (name: string, value: string): readonly number[] => {
  const whole = STATIC_TABLE.findIndex((entry) => entry.name === name && entry.value === value)
  if (whole !== -1) return integer(0x80, 7, whole + 1) // §6.1
  const index = STATIC_TABLE.findIndex((entry) => entry.name === name) + 1
  return [...integer(0, 4, index), ...(index === 0 ? string(name) : []), ...string(value)] // §6.2.2
}

/** A header block. Names are in lower case; characters are octets of latin1. */
export const encodeFields = (fields: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(Object.entries(fields).flatMap(([name, value]) => encodeField(name, value)))
