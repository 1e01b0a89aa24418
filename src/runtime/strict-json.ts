// JSON that has one reading (RFC 8259 §4, RFC 7493 §2.3). If a name occurs twice, `JSON.parse` takes the last value and
// other readers the first, and the signer of a token need not use the same reader.

import { isJsonObject, type JsonObject } from './json-object.ts'

// No claim of a real token goes deeper than five or six levels; what walks them may recurse.
const MAX_DEPTH = 16

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an object; `undefined` when the bytes are not UTF-8 or not JSON, the value is not an object,
 * a name occurs twice in one object, or it is nested deeper than 16 levels.
 */
export const readJsonObject = (bytes: Uint8Array): JsonObject | undefined => {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && isUnambiguous(text) ? value : undefined
  } catch {
    return undefined
  }
}

// Enough to walk a text that is known to be JSON. A string before a colon is a name.
const PIECE = /("[^"\\]*(?:\\.[^"\\]*)*")([ \t\r\n]*:)?|[{}[\]]/g

const isUnambiguous = (text: string): boolean => {
  // The names in each object or array that is open; an array has none.
  const open: Set<string>[] = []
  for (const [piece, quoted, colon] of text.matchAll(PIECE)) {
    if (quoted === undefined) {
      if (piece === '}' || piece === ']') open.pop()
      else if (open.push(new Set()) > MAX_DEPTH) return false
    } else if (colon !== undefined) {
      const names = open.at(-1)
      const name = unquote(quoted)
      // Assigning to the last name would change an object rather than fill it.
      if (names === undefined || names.has(name) || name === '__proto__') return false
      names.add(name)
    }
  }
  return true
}

/** Two spellings of a name are one: "\u0069ss" is "iss". */
const unquote = (quoted: string): string =>
  quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1)
