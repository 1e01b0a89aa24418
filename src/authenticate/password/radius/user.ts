// The attributes of an Access-Accept → the user's groups and extra attributes. Attributes of an Access-Reject or
// Access-Challenge are never read, although some servers send them.

import type { VerifiedUser } from '../verifier.ts'
import { ATTRIBUTE, valuesOf, vendorValuesOf, type Packet } from '../../../clients/radius/packet.ts'
import { hasControlCharacter } from '../../../runtime/text.ts'
import type { AttributeSource, RadiusSettings } from './schema.ts'

/** The user of the reply, or `undefined` where its User-Name is invalid. */
export const userOf = (
  accept: Packet,
  typed: string,
  { user: choice, groups: sources }: Pick<RadiusSettings, 'user' | 'groups'>,
): VerifiedUser | undefined => {
  const user = userNameOf(accept, typed, choice)
  if (user === undefined) return undefined
  const groups = sources.flatMap((source) => readSource(accept, source))
  return { user, groups: [...new Set(groups)], extra: {} }
}

const userNameOf = (
  accept: Packet,
  typed: string,
  choice: RadiusSettings['user'],
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

/**
 * All values of a source. Those that are not UTF-8 without control characters are ignored: they cannot be sent in a
 * header.
 */
const readSource = (
  packet: Packet,
  { attribute, pattern, prefix = '' }: AttributeSource,
): readonly string[] =>
  bytesOf(packet, attribute)
    .flatMap((bytes) => readText(bytes) ?? [])
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
  const matches = [...value.matchAll(pattern)]
  return matches.flatMap((match) => match[1] ?? match[0]).filter((found) => found !== '')
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** UTF-8 without control characters, in NFC; `undefined` for everything else. */
const readText = (bytes: Uint8Array): string | undefined => {
  try {
    const text = UTF_8.decode(bytes).normalize('NFC')
    return text === '' || hasControlCharacter(text) ? undefined : text
  } catch {
    return undefined // binary, such as a Class that identifies a session of the server
  }
}

const LENIENT_UTF_8 = new TextDecoder('utf-8')
const CONTROL_BUT_NEWLINE = /[^\P{Cc}\n]/gu

/** The `Reply-Message`s of a packet, for the user; several are separate lines. */
export const messageOf = (packet: Packet): string =>
  valuesOf(packet, ATTRIBUTE['Reply-Message'])
    .map((bytes) => LENIENT_UTF_8.decode(bytes))
    .join('\n')
    .replace(CONTROL_BUT_NEWLINE, '')
    .trim()
