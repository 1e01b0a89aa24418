// The request target → the path that rules match, and the query. Anything that two readers could
// read differently is refused here, so that no later phase has to think about it.

import { hasControlCharacter } from '../runtime/text.ts'

/** A path that every reader reads alike, or the reason why it is refused. */
export type PathReading =
  | {
      readonly outcome: 'read'
      /** Percent-decoded once; no dot segments, no empty segments but a trailing one. */
      readonly path: string
      /** As received, without the `?`; empty when there is none. */
      readonly query: string
    }
  | { readonly outcome: 'refused'; readonly code: 'malformed-path' | 'ambiguous-path' }

const MALFORMED = { outcome: 'refused', code: 'malformed-path' } as const
const AMBIGUOUS = { outcome: 'refused', code: 'ambiguous-path' } as const

// RFC 3986 §3.3 without "%" and ";": nothing to decode, nothing to misread but dots and slashes.
const PLAIN = /^\/[\w\-.~!$&'()*+,=:@/]*$/
const VISIBLE_ASCII = /^[\x21-\x7e]*$/
// An encoded slash, backslash or NUL.
const ENCODED_TRAP = /%(2f|5c|00)/i
// What is left after decoding and a second decoder would turn into one of those, or into a character
// that means the same encoded or not (RFC 3986 §2.3): `%2573ecrets` is `secrets` to it.
const ENCODED_TWICE = /%(2[def5]|5[cf]|7e|00|3\d|[46][1-9a-f]|[57][\da])/i
// "." and ".." also with path parameters behind them: some servers drop ";…" first, then resolve.
const DOT_SEGMENT = /\/\.{1,2}(;[^/]*)?(\/|$)/

/**
 * A run of combining marks that no script has: Unicode's Stream-Safe Text Format (UAX #15 §13) ends them at 30. To bring a
 * run into order (NFC, NFKC) takes time that grows with its square.
 */
export const TOO_MANY_MARKS = /\p{M}{31}/u

/**
 * Reads an origin-form request target (RFC 9112 §3.2.1).
 *
 * Envoy normalises before it asks (RFC 3986 §6.2.2), so what is refused here is what survived that,
 * or came through an Envoy that does not normalise paths.
 */
export const readPath = (target: string): PathReading => {
  const mark = target.indexOf('?')
  const raw = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark + 1)
  if (!raw.startsWith('/') || !VISIBLE_ASCII.test(raw) || !VISIBLE_ASCII.test(query)) {
    return MALFORMED
  }
  // RFC 9110 §7.1: a request target has no fragment; some servers cut it off, some do not.
  if (query.includes('#')) return AMBIGUOUS
  let path = raw
  if (!PLAIN.test(raw)) {
    if (/[#\\]/.test(raw) || ENCODED_TRAP.test(raw)) return AMBIGUOUS
    const decoded = decode(raw)
    if (decoded === undefined) return MALFORMED
    if (ENCODED_TWICE.test(decoded)) return AMBIGUOUS
    path = decoded
  }
  if (path.includes('//') || DOT_SEGMENT.test(path)) return AMBIGUOUS
  return { outcome: 'read', path, query }
}

const decode = (raw: string): string | undefined => {
  try {
    const path = decodeURIComponent(raw) // throws on a stray "%" and on bytes that are not UTF-8
    return hasControlCharacter(path) || TOO_MANY_MARKS.test(path) ? undefined : path
  } catch {
    return undefined
  }
}
