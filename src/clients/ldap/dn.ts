// Distinguished names in their string form (RFC 4514): escaped, taken apart, compared. Directories
// write one name in several ways (`\,` and `\2C`), so names are never compared as text.

/** An attribute of a relative distinguished name; the type in lower case, the value unescaped. */
interface NamePart {
  readonly type: string
  readonly value: string
}

/** A value, escaped for a DN. */
export const escapeDnValue = (value: string): string =>
  value
    .replaceAll(/["+,;<>=\\]/g, (special) => `\\${special}`)
    .replaceAll(/\p{Cc}/gu, hexEscape)
    .replace(/^[ #]/, (first) => `\\${first}`)
    // Not where the space is escaped already, being the first too.
    .replace(/(?<!^\\) $/, '\\ ')

const hexEscape = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')

/** Names in directories have some hundred characters, and fewer than ten relative names. */
const LONGEST = 4_096
const MOST_COMMAS = 64

/**
 * Whether taking the name apart would take long. No directory has such names: each relative name takes
 * about 2 µs, and a server chooses how many there are.
 */
export const isTooLong = (text: string): boolean =>
  text.length > LONGEST || text.split(',', MOST_COMMAS + 2).length > MOST_COMMAS + 1

/** Each relative distinguished name, the entry's own first; `undefined` if the text is not a DN. */
export const parseDn = (text: string): readonly (readonly NamePart[])[] | undefined => {
  if (text.trim() === '') return []
  const names: NamePart[][] = []
  for (const part of splitUnescaped(text, ',')) {
    const attributes: NamePart[] = []
    for (const attribute of splitUnescaped(part, '+')) {
      const match = /^\s*([A-Za-z][\w-]*|\d+(?:\.\d+)*)\s*=(.*)$/s.exec(attribute)
      const value = match === null ? undefined : unescapeValue(match[2] ?? '')
      if (value === undefined) return undefined
      attributes.push({ type: match?.[1]?.toLowerCase() ?? '', value })
    }
    names.push(attributes)
  }
  return names
}

const splitUnescaped = (text: string, separator: ',' | '+'): readonly string[] => {
  const parts: string[] = []
  let start = 0
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === separator) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

const ESCAPE = /\\([0-9A-Fa-f]{2})|\\([ "#+,;<=>\\])|([^\\"]+)/gy

const unescapeValue = (escaped: string): string | undefined => {
  const text = withoutLastSpaces(escaped.replace(/^ +/, ''))
  const bytes: Buffer[] = []
  let read = 0
  // Bytes first and text last: one character can be several escapes.
  for (const [whole, hex, special, plain] of text.matchAll(ESCAPE)) {
    read += whole.length
    bytes.push(hex === undefined ? Buffer.from(special ?? plain ?? '') : Buffer.from(hex, 'hex'))
  }
  return read === text.length ? Buffer.concat(bytes).toString() : undefined
}

/** Without the spaces at the end, except an escaped one. A regular expression takes quadratic time. */
const withoutLastSpaces = (text: string): string => {
  let end = text.length
  while (text[end - 1] === ' ') end -= 1
  return text.slice(0, text[end - 1] === '\\' ? end + 1 : end)
}

/** The value of the first attribute of a DN: `cn=ops,ou=groups` → `ops`. */
export const firstValueOf = (dn: string): string | undefined => parseDn(dn)?.[0]?.[0]?.value

/** Equal for two spellings of one DN, letter case included. */
export const dnKey = (dn: string): string => {
  const names = parseDn(dn)
  return names === undefined ? dn : names.map(partKey).join(',')
}

/** Whether a DN is the other one, or lies under it. */
export const isUnder = (dn: string, base: string): boolean => {
  const [names, above] = [parseDn(dn), parseDn(base)]
  if (names === undefined || above === undefined || names.length < above.length) return false
  const tail = names.slice(names.length - above.length)
  return tail.every((part, index) => partKey(part) === partKey(above[index] ?? []))
}

const partKey = (part: readonly NamePart[]): string =>
  JSON.stringify(
    part
      .map(({ type, value }) => [type, value.normalize('NFKC').toLowerCase()].join('='))
      .toSorted(),
  )
