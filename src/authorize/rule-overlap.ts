// What two rules have in common, as far as their text says: whether one takes all that another takes, and
// whether it can take some of it. Where the text does not say, both answers are the ones that warn.

import { isDeepStrictEqual } from 'node:util'
import type { RuleConfig } from './schema.ts'
import { nameMatcher } from '../request/names.ts'

/** Lists of names with `*`, of which one has to match. */
const NAMES = ['users', 'apiGroups', 'resources', 'namespaces', 'names'] as const
/** The keys that are compared in another way, and those that narrow nothing. */
const APART: ReadonlySet<string> = new Set<keyof RuleConfig>([
  ...NAMES,
  'verbs',
  'methods',
  'allow',
  'deny',
  'shadow',
  'response',
  'redirect',
])

/** Everything else that narrows a rule: any other key, so that a new matcher is not forgotten here. */
const othersOf = (rule: RuleConfig): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(rule).filter(([key, value]) => !APART.has(key) && value !== undefined))

/** Subresources that are answered with a stream, a Status, a token or a Scale, and not with the object. */
export const OTHER_ANSWERS: ReadonlySet<string> = new Set([
  'attach',
  'binding',
  'eviction',
  'exec',
  'log',
  'portforward',
  'proxy',
  'scale',
  'token',
])

/** Whether a `deny` takes everything that another rule takes, whatever the verb. */
export const covers = (wide: RuleConfig, narrow: RuleConfig): boolean =>
  NAMES.every((key) => {
    const patterns = wide[key]
    if (patterns === undefined) return true
    return narrow[key]?.every((name) => isAmong(key, name, patterns)) === true
  }) &&
  [...othersOf(wide)].every(([key, value]) => isDeepStrictEqual(value, othersOf(narrow).get(key)))

/**
 * Whether an `allow` can take a request for an object that a `deny` takes, whatever the verb; not one for a
 * subresource of {@link OTHER_ANSWERS}.
 */
export const mayTake = (allow: RuleConfig, denial: RuleConfig): boolean =>
  NAMES.every((key) => {
    const one = allow[key]
    const other = key === 'apiGroups' ? groupsOf(denial) : denial[key]
    if (one === undefined || other === undefined) return true
    return one.some((pattern) => other.some((name) => overlap(key, pattern, name)))
  }) &&
  (allow.paths === undefined || allow.paths.some(reachesResources))

/** Resources of the core group alone, which have no `status`. */
export const PLAIN_OBJECTS: ReadonlySet<string> = new Set(['configmaps', 'secrets'])

// Without `apiGroups`, they are known by the resource: a rule for `apps` takes no secret.
const groupsOf = ({ apiGroups, resources }: RuleConfig): readonly string[] | undefined =>
  apiGroups ?? (resources?.every((name) => PLAIN_OBJECTS.has(name)) === true ? [''] : undefined)

// The first segment decides: paths without a resource are `/version`, `/healthz` and the like.
const reachesResources = (glob: string): boolean => /^\/(apis?(\/|$)|[^/]*[*{])/.test(glob)

type Names = (typeof NAMES)[number]

/** Whether every text that the name matches also matches a pattern, of a `deny`. */
const isAmong = (key: Names, name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => {
    if (pattern === name || pattern === '*') return true
    if (key !== 'resources') return !name.includes('*') && nameMatcher([pattern])(name)
    // Without a subresource, a `deny` takes the subresources too.
    const [resource = ''] = name.split('/')
    return !pattern.includes('/') && !resource.includes('*') && nameMatcher([pattern])(resource)
  })

/** Whether some text matches the pattern of the `allow` and that of the `deny`. */
const overlap = (key: Names, allowed: string, denied: string): boolean => {
  if (key !== 'resources') return crosses(allowed, denied)
  const [resource = '', subresource] = allowed.split('/')
  const [other = '', part] = denied.split('/')
  if (!crosses(resource, other)) return false
  if (part === undefined) return subresource === undefined || !OTHER_ANSWERS.has(subresource)
  return subresource !== undefined && crosses(subresource, part)
}

const crosses = (one: string, other: string): boolean => {
  if (one.includes('*') && other.includes('*')) return true
  return one.includes('*') ? nameMatcher([one])(other) : nameMatcher([other])(one)
}
