// Host patterns of routes and rules.

import type { Predicate } from './names.ts'

/** Any of the host patterns: a name, `*.example.org` (every name below it), or `*`. */
export const hostMatcher = (patterns: readonly string[]): Predicate => {
  if (patterns.includes('*')) return () => true
  const exact = new Set(patterns)
  const suffixes = patterns.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
  return (host) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
}
