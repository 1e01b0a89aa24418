// Reads the audit log: bytes → lines → JSON objects, one at a time, never a whole file. A
// line that cannot be read is reported by its number, and reading continues with the next one.

import { isJsonObject, type JsonObject } from '../runtime/json-object.ts'

/** Why a line is not an event. */
type UnreadableLine =
  | 'too-long'
  | 'not-utf8'
  | 'not-json'
  | 'not-an-object'
  // The last one, without its end: a crash or a full disk left it so, or it is being written.
  | 'cut-off'

/** One line, by its number, counted from 1. */
export type AuditLine = { readonly line: number } & (
  | { readonly outcome: 'read'; readonly event: JsonObject }
  | { readonly outcome: 'unreadable'; readonly why: UnreadableLine }
)

// Of an event the path is bounded and the groups are by the configuration: some 10 KB are many.
const MAX_LINE = 1_048_576

/** What of a log is read. */
export interface ReadOptions {
  /** The most bytes of a line. Default: 1 MiB. */
  readonly maxLine?: number
  /** Whether a line is worth parsing; other lines are only counted. Default: all are. */
  readonly isWanted?: (line: Buffer) => boolean
}

const LINE_FEED = 0x0a

/**
 * Reads JSON lines. Holds one line at most, and of one that is too long nothing. Empty lines are
 * counted and left out.
 *
 * @param chunks of one file, in order; an error in reading them is thrown on
 */
export async function* readAudit(
  chunks: AsyncIterable<Uint8Array>,
  { maxLine = MAX_LINE, isWanted = () => true }: ReadOptions = {},
): AsyncGenerator<AuditLine, void> {
  const read = (bytes: number, parts: readonly Uint8Array[], last: Uint8Array) => {
    if (bytes > maxLine) return unreadable('too-long')
    const whole = parts.length === 0 ? asBuffer(last) : Buffer.concat([...parts, last])
    return isWanted(whole) ? readLine(whole) : undefined
  }
  let line = 1
  let length = 0
  let parts: Uint8Array[] = []
  for await (const chunk of chunks) {
    let start = 0
    let end = chunk.indexOf(LINE_FEED)
    while (end !== -1) {
      const part = chunk.subarray(start, end)
      length += part.length
      const reading = length > 0 ? read(length, parts, part) : undefined
      if (reading !== undefined) yield { line, ...reading }
      line += 1
      length = 0
      parts = []
      start = end + 1
      end = chunk.indexOf(LINE_FEED, start)
    }
    const rest = chunk.subarray(start)
    length += rest.length
    if (length > maxLine) parts = []
    else if (rest.length > 0) parts.push(rest)
  }
  if (length === 0) return
  const last = read(length, parts, NOTHING)
  if (last === undefined) return
  const cut = last.outcome === 'unreadable' && last.why !== 'too-long'
  yield { line, ...(cut ? unreadable('cut-off') : last) }
}

type Reading =
  | { readonly outcome: 'read'; readonly event: JsonObject }
  | { readonly outcome: 'unreadable'; readonly why: UnreadableLine }

const NOTHING = new Uint8Array(0)
const decoder = new TextDecoder('utf-8', { fatal: true })

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const readLine = (bytes: Buffer): Reading => {
  const text = decode(bytes)
  if (text === undefined) return unreadable('not-utf8')
  const value = parse(text)
  if (value === undefined) return unreadable('not-json')
  return isJsonObject(value) ? { outcome: 'read', event: value } : unreadable('not-an-object')
}

const unreadable = (why: UnreadableLine): Reading => ({ outcome: 'unreadable', why })

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON
  }
}
