// The locations of an API key in a request: a header, Authorization under a scheme of its own, or a query parameter.
// Strict: one key only, in one location.

import { canonicalName } from '../../request/canonical-name.ts'
import { valuesOf } from '../../request/query.ts'
import type { Request } from '../../request/request.ts'
import type { CredentialLocation } from '../../request/credential-location.ts'

/** A location of API keys. */
export type KeyLocation =
  /** A header, by its lower-case name; with a scheme (`authorization`) or the key alone. */
  | { readonly kind: 'header'; readonly name: string; readonly scheme?: string | undefined }
  | { readonly kind: 'query'; readonly name: string }

/** The API key of a request. */
export type KeyCredentials =
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'malformed' }
  /** Keys in two locations, or a key next to a credential of another scheme. */
  | { readonly outcome: 'conflict' }
  | { readonly outcome: 'present'; readonly text: string }

type Reader = (
  request: Pick<Request, 'headers' | 'query'>,
) => KeyCredentials | { readonly outcome: 'other' }

const ABSENT = { outcome: 'absent' } as const
const MALFORMED = { outcome: 'malformed' } as const
const CONFLICT = { outcome: 'conflict' } as const
// Another scheme in a header that is a location of keys.
const OTHER = { outcome: 'other' } as const

// Longer than any key; the form of a key is checked elsewhere.
const MAX_LENGTH = 256
// Printable ASCII (RFC 9110 §5.6.2) without space, and without the comma that joins two lines.
const TEXT = /^[\x21-\x2b\x2d-\x7e]+$/

/** The credential locations of these places, for conflicts and for stripping. */
export const locationsAt = (places: readonly KeyLocation[]): readonly CredentialLocation[] =>
  places.map(({ kind, name }) => ({ kind, name }))

/** Makes a reader of these locations. */
export const keyReader = (
  places: readonly KeyLocation[],
): ((request: Pick<Request, 'headers' | 'query'>) => KeyCredentials) => {
  const readers = places.map(readerOf)
  return (request) => {
    let found: KeyCredentials = ABSENT
    let other = false
    for (const read of readers) {
      const reading = read(request)
      if (reading.outcome === 'other') other = true
      else if (reading.outcome !== 'absent') {
        if (found.outcome !== 'absent') return CONFLICT
        found = reading
      }
    }
    return other && found.outcome !== 'absent' ? CONFLICT : found
  }
}

const readerOf = (place: KeyLocation): Reader => {
  const { kind, name } = place
  if (kind === 'query') return ({ query }) => only(valuesOf(query, name))
  const header = { name, canonical: canonicalName(name) }
  if (place.scheme === undefined) return ({ headers }) => only(linesOf(headers, header))
  const scheme = place.scheme.toLowerCase()
  return ({ headers }) => {
    const [line, ...more] = linesOf(headers, header)
    if (line === undefined) return ABSENT
    if (more.length > 0) return MALFORMED
    // RFC 9110 §11.4: the scheme is case-insensitive, then at least one space.
    const end = line.indexOf(' ')
    if ((end === -1 ? line : line.slice(0, end)).toLowerCase() !== scheme) return OTHER
    return only([end === -1 ? '' : line.slice(end).trimStart()])
  }
}

/**
 * The values of a header. A name that an upstream may read as this one (`X.Api_Key`) counts as a malformed line, since
 * it may be meant as the header.
 */
const linesOf = (
  { lines }: Request['headers'],
  wanted: { readonly name: string; readonly canonical: string },
): readonly string[] => {
  let found: readonly string[] = NONE
  for (const { name, value, about } of lines) {
    if (name === wanted.name) found = [...found, value.toString('latin1')]
    else if (about.canonical === wanted.canonical) found = [...found, '']
  }
  return found
}

const NONE: readonly string[] = []

const only = ([text, ...more]: readonly string[]): KeyCredentials => {
  if (text === undefined) return ABSENT
  return more.length === 0 && text.length <= MAX_LENGTH && TEXT.test(text)
    ? { outcome: 'present', text }
    : MALFORMED
}
