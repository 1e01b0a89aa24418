// What an Access-Accept says of the user: its attributes become groups and further facts. Attributes
// of an Access-Reject or Access-Challenge are never read here; some servers send them there too.

import type { PasswordFacts } from '../verifier.ts'
import { ATTRIBUTE, valuesOf, vendorValuesOf, type Packet } from '../../../clients/radius/packet.ts'
import { hasControlCharacter } from '../../../runtime/text.ts'
import type { AttributeSource, RadiusSettings } from './schema.ts'

/** The facts, or `undefined` where the reply's name for the user cannot be used. */
export const factsOf = (
  accept: Packet,
  typed: string,
  { user: choice, groups: sources }: Pick<RadiusSettings, 'user' | 'groups'>,
): PasswordFacts | undefined => {
  const user = userOf(accept, typed, choice)
  if (user === undefined) return undefined
  const groups = sources.flatMap((source) => readSource(accept, source))
  return { user, groups: [...new Set(groups)], extra: {} }
}

const userOf = (
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

/** All values of a source. Those that are no clean text are left out: they cannot be a header. */
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
    return undefined // binary, such as the Class by which a server recognises its sessions
  }
}

const LENIENT_UTF_8 = new TextDecoder('utf-8')
const CONTROL_BUT_NEWLINE = /[^\P{Cc}\n]/gu

/** The `Reply-Message`s of a packet, for people; several are shown one under the other. */
export const messageOf = (packet: Packet): string =>
  valuesOf(packet, ATTRIBUTE['Reply-Message'])
    .map((bytes) => LENIENT_UTF_8.decode(bytes))
    .join('\n')
    .replace(CONTROL_BUT_NEWLINE, '')
    .trim()
