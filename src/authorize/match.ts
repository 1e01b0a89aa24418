// The matchers of a rule: configuration → predicates, compiled once at load.

import { compileGlob, wildcardMatcher } from '../request/glob.ts'

/** Whether a text matches. */
export type Predicate = (text: string) => boolean

/** Any of the path globs. */
export const pathMatcher = (globs: readonly string[]): Predicate => {
  const compiled = globs.map(compileGlob)
  return (path) => compiled.some((glob) => glob.test(path))
}

/** Any of the names; `*` in a name stands for any run of characters. */
export const nameMatcher = (patterns: readonly string[]): Predicate => {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(wildcardMatcher)
  return (name) => exact.has(name) || wild.some((matches) => matches(name))
}
