// The name of a header line, with its properties that the phases need, computed once.

import { canonicalName } from './canonical-name.ts'
import { isStripped } from './stripped-headers.ts'

/** What is looked for in every request, as bits. */
export const MARK = {
  /** `authorization`, in any spelling that an upstream may read. */
  authorization: 1,
  /** `connection`, likewise. */
  connection: 2,
  /** One of `Impersonate-*`, likewise. */
  impersonation: 4,
  /** Removed from every request. */
  stripped: 8,
  /** `cookie`, in this spelling. */
  cookie: 16,
  /** `sec-websocket-protocol`, in this spelling. */
  subprotocols: 32,
} as const

/** A header name as it was received, and what follows from it. */
export interface HeaderName {
  /** As received. */
  readonly name: string
  readonly lowerCase: string
  /** As an upstream may read it; see {@link canonicalName}. */
  readonly canonical: string
  /** Whether the header is removed from every request; see {@link isStripped}. */
  readonly isStripped: boolean
  /** Whether it is one of `Impersonate-*` (Kubernetes), in any spelling that an upstream may read. */
  readonly isImpersonation: boolean
  /** Those of {@link MARK} that it has. */
  readonly marks: number
  /** The name as a list: of the headers that are removed from a request, where there is no other. */
  readonly alone: readonly string[]
}

// Clients repeat the same few hundred names, and may send any name: unknown ones are worked out each time
// that the map has been filled with them, and never kept for long.
const MOST_NAMES = 1_000
const LONGEST_NAME = 64
const names = new Map<string, HeaderName>()

/** Everything about a header name. */
export const headerName = (name: string): HeaderName => names.get(name) ?? remember(describe(name))

const remember = (described: HeaderName): HeaderName => {
  if (described.name.length > LONGEST_NAME) return described
  if (names.size >= MOST_NAMES) names.clear()
  names.set(described.name, described)
  return described
}

const describe = (name: string): HeaderName => {
  const canonical = canonicalName(name)
  const stripped = isStripped(name, canonical)
  const isImpersonation = canonical.startsWith('impersonate-')
  const marks =
    (canonical === 'authorization' ? MARK.authorization : 0) |
    (canonical === 'connection' ? MARK.connection : 0) |
    (isImpersonation ? MARK.impersonation : 0) |
    (stripped ? MARK.stripped : 0) |
    (name === 'cookie' ? MARK.cookie : 0) |
    (name === 'sec-websocket-protocol' ? MARK.subprotocols : 0)
  return {
    name,
    lowerCase: name.toLowerCase(),
    canonical,
    isStripped: stripped,
    isImpersonation,
    marks,
    alone: Object.freeze([name]),
  }
}
