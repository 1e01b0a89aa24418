// JSON that has one reading (RFC 8259 §4, RFC 7493 §2.3). If a name occurs twice, `JSON.parse` takes the last value and
// other readers the first, and the signer of a token need not use the same reader.

import { isJsonObject, type JsonObject } from './json-object.ts'

// No claim of a real token goes deeper than five or six levels; what walks them may recurse.
const MAX_DEPTH = 16

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c

/**
 * Reads an object; `undefined` when the bytes are not UTF-8 or not JSON, the value is not an object,
 * a name occurs twice in one object, or it is nested deeper than 16 levels.
 */
export const readJsonObject = (bytes: Uint8Array): JsonObject | undefined => {
  try {
    const text = utf8.decode(bytes)
    if (bytes.includes(BACKSLASH)) {
      const value = readEscaped(text)
      return isJsonObject(value) ? value : undefined
    }
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && membersOf(value, 1) === colonsIn(bytes) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * The number of members in a parsed value and the values within it: less than its text has where a name occurs twice in
 * one object. NaN, which equals no number, where it is nested too deep or has `__proto__`.
 */
const membersOf = (value: unknown, depth: number): number => {
  const isList = Array.isArray(value)
  if (!isList && !isJsonObject(value)) return 0
  if (depth > MAX_DEPTH) return Number.NaN
  let members = 0
  if (isList) {
    for (const entry of value) members += membersOf(entry, depth + 1)
    return members
  }
  for (const name of Object.keys(value)) {
    if (name === FORBIDDEN) return Number.NaN
    members += 1 + membersOf(value[name], depth + 1)
  }
  return members
}

// Assigning to it would change an object rather than fill it.
const FORBIDDEN = '__proto__'

/** The number of members in a text that is known to be JSON without escapes: the colons outside its strings. */
const colonsIn = (bytes: Uint8Array): number => {
  let colons = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) quoted = !quoted
    else if (byte === COLON && !quoted) colons += 1
  }
  return colons
}

// Every string of a text that is known to be JSON. A string before a colon is a name.
const STRING = /("[^"\\]*(?:\\.[^"\\]*)*")([ \t\r\n]*:)?/g

/**
 * Reads a text with escapes. V8 13 and 14 (Node 24 and 26) take an escaped name for one that they have read before, where
 * that one equals the beginning of its escaped spelling (V8 bug 521080746): after `{"\\":1}`, the name in
 * `{"\u0061":1}` is a backslash. Any caller could make a claim of later tokens disappear. So JSON.parse gets numbers as
 * names here.
 *
 * @throws where it is not JSON, a name occurs twice, or it is nested too deep
 */
const readEscaped = (text: string): unknown => {
  JSON.parse(text) // the expression takes linear time only where each quotation mark has its other one
  const names: string[] = []
  const numbered = text.replaceAll(STRING, (whole, quoted: string, colon?: string) =>
    colon === undefined ? whole : `"n${names.push(String(JSON.parse(quoted))) - 1}"${colon}`,
  )
  return withNames(JSON.parse(numbered), names, 1)
}

const withNames = (value: unknown, names: readonly string[], depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new SyntaxError('nested too deep')
  if (Array.isArray(value)) return value.map((entry) => withNames(entry, names, depth + 1))
  const object: Record<string, unknown> = {}
  for (const [number, inner] of Object.entries(value)) {
    const name = names[Number(number.slice(1))]
    if (name === undefined || name === FORBIDDEN || Object.hasOwn(object, name)) {
      throw new SyntaxError('a name that is ambiguous')
    }
    object[name] = withNames(inner, names, depth + 1)
  }
  return object
}
