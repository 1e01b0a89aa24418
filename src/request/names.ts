// Names and globs of the configuration → predicates, compiled once at load.

import { compileGlob, wildcardMatcher } from './glob.ts'

/** Whether a text matches. */
export type Predicate = (text: string) => boolean

/** Any of the path globs. */
export const pathMatcher = (globs: readonly string[]): Predicate => {
  const compiled = globs.map(compileGlob)
  return (path) => compiled.some((glob) => glob.test(path))
}

/** Any of the names; `*` in a name matches any run of characters. */
export const nameMatcher = (patterns: readonly string[]): Predicate => {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(wildcardMatcher)
  if (wild.length === 0) return (name) => exact.has(name)
  return (name) => exact.has(name) || wild.some((matches) => matches(name))
}

/**
 * What an index of names goes by: a name as it is, a pattern by what comes before its first `*`, and that star. A name
 * that matches one of them is, or begins with, one of the results. `undefined` where a pattern begins with `*`: then it
 * can be any name.
 */
export const indexKeys = (patterns: readonly string[]): readonly string[] | undefined =>
  patterns.some((pattern) => pattern.startsWith('*'))
    ? undefined
    : patterns.map((pattern) => pattern.replace(/\*[^]*$/, '*'))

/** The names, where none of them is a pattern. */
export const exactNames = (patterns: readonly string[]): readonly string[] | undefined =>
  patterns.some((pattern) => pattern.includes('*')) ? undefined : patterns
