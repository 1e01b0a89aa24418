// Host patterns of routes and rules.

import type { Predicate } from './names.ts'

/** Whether a host can match both lists of patterns. */
export const hostsOverlap = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((one) => others.some((other) => covers(one, other) || covers(other, one)))

/** Whether every host of `inner` is a host of `outer`. */
export const covers = (outer: string, inner: string): boolean =>
  outer === '*' || outer === inner || (outer.startsWith('*.') && inner.endsWith(outer.slice(1)))

/** Any of the host patterns: a name, `*.example.org` (every name below it), or `*`. */
export const hostMatcher = (patterns: readonly string[]): Predicate => {
  if (patterns.includes('*')) return () => true
  const exact = new Set(patterns)
  const suffixes = patterns.filter((name) => name.startsWith('*.')).map((name) => name.slice(1))
  return (host) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
}
