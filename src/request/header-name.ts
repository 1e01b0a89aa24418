// The name of a header line, with its properties that the phases need, computed once.

import { canonicalName } from './canonical-name.ts'
import { isStripped } from './stripped-headers.ts'

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
  return {
    name,
    lowerCase: name.toLowerCase(),
    canonical,
    isStripped: isStripped(name, canonical),
    isImpersonation: canonical.startsWith('impersonate-'),
  }
}
