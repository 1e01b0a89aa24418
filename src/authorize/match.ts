// The matchers of a rule: configuration → predicates, compiled once at load.

import { compileGlob } from '../request/glob.ts'

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
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(wildcard)
  return (name) => exact.has(name) || wild.some((expression) => expression.test(name))
}

const wildcard = (pattern: string): RegExp => {
  const parts = pattern.split(/\*+/).map((part) => RegExp.escape(part))
  return new RegExp(`^${parts.join('.*')}$`, 'su')
}
