// Matchers of the request as HTTP has it.

import type { RuleConfig } from '../schema.ts'
import { hostMatcher } from '../../request/hosts.ts'
import { loosePath, loosePathOf } from '../../request/loose-path.ts'
import { pathMatcher } from '../../request/names.ts'
import type { Matcher } from '../matcher.ts'
import { indexedBy } from './caller.ts'

/** The matchers `methods`, `hosts`, `paths`. */
export const requestMatchers = (rule: RuleConfig): readonly Matcher[] => {
  const { methods, hosts, paths } = rule
  const matchers: Matcher[] = []
  if (methods !== undefined) matchers.push(methodsMatcher(methods))
  if (hosts !== undefined) matchers.push(hostsMatcher(hosts))
  if (paths !== undefined) {
    matchers.push(rule.deny === undefined ? pathsMatcher(paths) : deniedPathsMatcher(paths))
  }
  return matchers
}

const methodsMatcher = (wanted: readonly string[]): Matcher => {
  const methods = new Set(wanted)
  return {
    key: 'methods',
    wanted,
    test: ({ request }) => methods.has(request.method),
    got: ({ request }) => request.method,
    indexed: indexedBy('method', wanted),
  }
}

const hostsMatcher = (wanted: readonly string[]): Matcher => {
  const matches = hostMatcher(wanted)
  return {
    key: 'hosts',
    wanted,
    test: ({ request }) => matches(request.host),
    got: ({ request }) => request.host,
    indexed: indexedBy('host', wanted.some((host) => host.startsWith('*')) ? undefined : wanted),
  }
}

const pathsMatcher = (wanted: readonly string[]): Matcher => {
  const matches = pathMatcher(wanted)
  return {
    key: 'paths',
    wanted,
    test: ({ request }) => matches(request.path),
    got: ({ request }) => request.path,
    indexed: indexedBy('path', wanted),
  }
}

/**
 * A `deny` also takes what a careless service would read as one of its paths: in capitals, with path
 * parameters, with a slash at the end. `/Admin` must not get past a rule about `/admin`.
 */
const deniedPathsMatcher = (wanted: readonly string[]): Matcher => {
  const exact = pathsMatcher(wanted)
  const loose = wanted.map(loosePath)
  const matchesLoose = pathMatcher(loose)
  const isLoose = loose.every((glob, index) => glob === wanted[index])
  return {
    ...exact,
    test(question) {
      if (exact.test(question) === true) return true
      const path = loosePathOf(question.request)
      // Equal globs and paths have equal results.
      return !(isLoose && path === question.request.path) && matchesLoose(path)
    },
    indexed: indexedBy('path', [...new Set([...wanted, ...loose])]),
  }
}
