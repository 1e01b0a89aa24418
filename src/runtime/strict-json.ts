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

/**
 * `JSON.parse` without V8's fault: for texts of a known writer whose names come from elsewhere, such as records with the
 * claims of a token. A name that occurs twice has its last value.
 *
 * V8 13 and 14 (Node 24 and 26) take an escaped name for one that they have read before, where that one equals the beginning
 * of its escaped spelling (V8 bug 521080746): after `{"\\":1}`, the name in `{"\u0061":1}` is a backslash. Any caller could
 * make a claim of later tokens disappear. So JSON.parse gets numbers as names here.
 *
 * @throws SyntaxError where it is not JSON, or has escapes and is nested deeper than 256 levels
 */
export const parseJson = (text: string): ReturnType<typeof JSON.parse> => {
  if (!text.includes('\\')) return JSON.parse(text)
  const { numbered, names } = withoutNames(text)
  return withNames(JSON.parse(numbered), { names, maxDepth: MAX_OWN_DEPTH, isStrict: false }, 1)
}

// What walks the values may recurse.
const MAX_OWN_DEPTH = 256

const readEscaped = (text: string): unknown => {
  const { numbered, names } = withoutNames(text)
  return withNames(JSON.parse(numbered), { names, maxDepth: MAX_DEPTH, isStrict: true }, 1)
}

const COLON_FOLLOWS = /[ \t\r\n]*:/y

/** The text with `n0`, `n1`, … in place of names. What is not JSON remains so. */
const withoutNames = (
  text: string,
): { readonly numbered: string; readonly names: readonly string[] } => {
  const names: string[] = []
  let numbered = ''
  let copied = 0
  for (let start = text.indexOf('"'); start !== -1;) {
    const end = stringEnd(text, start)
    if (end === undefined) throw new SyntaxError('a string without an end')
    COLON_FOLLOWS.lastIndex = end
    if (COLON_FOLLOWS.test(text)) {
      numbered += `${text.slice(copied, start)}"n${names.length}"`
      names.push(String(JSON.parse(text.slice(start, end))))
      copied = end
    }
    start = text.indexOf('"', end)
  }
  return { numbered: numbered + text.slice(copied), names }
}

/**
 * The index behind the string of JSON that begins at `start`: behind the first quote with an even number of backslashes
 * before it. `undefined` where there is none. No regular expression: V8's keeps a way back for each repetition, and overflows
 * its stack in a string of millions of characters or escapes.
 */
export const stringEnd = (json: string, start: number): number | undefined => {
  let quote = start
  let backslashes: number
  do {
    quote = json.indexOf('"', quote + 1)
    if (quote === -1) return undefined
    backslashes = 0
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1
  } while (backslashes % 2 === 1)
  return quote + 1
}

interface Naming {
  readonly names: readonly string[]
  readonly maxDepth: number
  /** Whether a name twice, and the name of the prototype, are refused. */
  readonly isStrict: boolean
}

const withNames = (value: unknown, naming: Naming, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (depth > naming.maxDepth) throw new SyntaxError('nested too deep')
  if (Array.isArray(value)) return value.map((entry) => withNames(entry, naming, depth + 1))
  const object: Record<string, unknown> = {}
  for (const [number, inner] of Object.entries(value)) {
    const name = naming.names[Number(number.slice(1))]
    if (name === undefined) throw new SyntaxError('a name that is not one')
    if (naming.isStrict && (name === FORBIDDEN || Object.hasOwn(object, name))) {
      throw new SyntaxError('a name that is ambiguous')
    }
    const named = withNames(inner, naming, depth + 1)
    if (name === FORBIDDEN) Object.defineProperty(object, name, { ...OWN, value: named })
    else object[name] = named
  }
  return object
}

const OWN = { configurable: true, enumerable: true, writable: true } as const
