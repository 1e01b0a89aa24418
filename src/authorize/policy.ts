// A route's rules: configuration → compiled, in order.

import type { RuleConfig } from '../config/schema.ts'
import type { Identity } from '../identity/identity.ts'
import type { Request } from '../request/request.ts'
import { nameMatcher, pathMatcher } from './match.ts'

/** One compiled rule. */
export interface Rule {
  readonly name: string
  readonly effect: 'allow' | 'deny'
  /** Whether every matcher of the rule matches. */
  matches(identity: Identity, request: Request): boolean
}

/** Compiled rules, in the order of the configuration. */
export type Policy = readonly Rule[]

type Matcher = (identity: Identity, request: Request) => boolean

/** Compiles the rules of a route. */
export const compilePolicy = (rules: readonly RuleConfig[]): Policy => rules.map(compileRule)

const compileRule = (rule: RuleConfig): Rule => {
  const matchers = compileMatchers(rule)
  return {
    name: rule.allow ?? rule.deny ?? '', // the schema sees to it that there is exactly one
    effect: rule.allow === undefined ? 'deny' : 'allow',
    matches: (identity, request) => matchers.every((matcher) => matcher(identity, request)),
  }
}

const compileMatchers = ({ methods, paths, users, groups }: RuleConfig): readonly Matcher[] => {
  const matchers: Matcher[] = []
  if (methods !== undefined) {
    const wanted = new Set(methods)
    matchers.push((_, { method }) => wanted.has(method))
  }
  if (paths !== undefined) {
    const matches = pathMatcher(paths)
    matchers.push((_, { path }) => matches(path))
  }
  if (users !== undefined) {
    const matches = nameMatcher(users)
    matchers.push(({ user }) => matches(user))
  }
  if (groups !== undefined) {
    const matches = nameMatcher(groups)
    matchers.push((identity) => identity.groups.some(matches))
  }
  return matchers
}
