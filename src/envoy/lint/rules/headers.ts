// The rule about headers that callers could forge: what Countersign may set is removed before
// anything else happens.

import { STRIPPED_NAMES, STRIPPED_PREFIXES } from '../../../transform/strip.ts'
import { when, type Rule } from '../rule.ts'
import { extensionIn, isKind, KINDS } from '../view/extension.ts'
import type { Manager } from '../view/manager.ts'
import { matches } from '../view/matcher.ts'
import type { Setting } from '../view/setting.ts'
import { guardsOf, isTurnedOff, type Site } from '../view/site.ts'

/** A connection manager that asks Countersign. */
interface Subject {
  readonly site: Site
  readonly manager: Manager
}

// These authz has to see: it removes the credential itself, and refuses impersonation.
const SEEN_BY_AUTHZ: ReadonlySet<string> = new Set(['authorization', 'impersonate-'])

/** Rules about the headers of requests. */
export const headerRules: readonly Rule<Subject>[] = [
  {
    id: 'forgeable-headers',
    severity: 'warning',
    problem: 'headers that Countersign may set are not removed from what callers send',
    risk: 'only authz stands between a caller and an upstream that believes them; a route that does not ask authz has nothing',
    remedy:
      'early_header_mutation_extensions: [{ name: envoy.http.early_header_mutation.header_mutation, typed_config: { …, mutations: [{ remove: NAME }, { remove_on_match: { key_matcher: { prefix: PREFIX, ignore_case: true } } }] } }]',
    find: ({ site, manager }) => {
      const left = leftIn(manager)
      const guards = manager.chains.flatMap((chain) => guardsOf(site, chain))
      const unjudged = manager.routes.some(
        (route) => route.action.isSet && guards.some((guard) => isTurnedOff(guard, route)),
      )
      return when(left.length > 0, manager.config.get('early_header_mutation_extensions'), {
        detail: left.join(', '),
        severity: unjudged ? 'error' : 'warning',
      })
    },
  },
]

/** Whether a header of that name never gets past the early removal. */
export const isRemovedEarly = (manager: Manager, name: string): boolean =>
  removals(manager).some((removal) => removes(removal, name))

/** The names and prefixes (with a star) that are not removed. */
const leftIn = (manager: Manager): readonly string[] => {
  const all = removals(manager)
  const needed = (name: string): boolean => !SEEN_BY_AUTHZ.has(name)
  return [
    ...STRIPPED_NAMES.filter(needed).filter((name) => !all.some((one) => removes(one, name))),
    ...STRIPPED_PREFIXES.filter(needed)
      .filter((prefix) => !all.some((one) => removesAll(one, prefix)))
      .map((prefix) => `${prefix}*`),
  ]
}

const removals = ({ config }: Manager): readonly Setting[] =>
  config
    .get('early_header_mutation_extensions')
    .items()
    .map(extensionIn)
    .filter((extension) => isKind(extension, KINDS.headerMutation))
    .flatMap((extension) => extension.config.get('mutations').items())

const removes = (mutation: Setting, name: string): boolean =>
  mutation.get('remove').text.toLowerCase() === name ||
  matches(mutation.get('remove_on_match', 'key_matcher'), name)

/** Whether every header that begins so is removed: tried with what nobody would write out. */
const removesAll = (mutation: Setting, prefix: string): boolean =>
  ['', 'zz', 'extra-zz'].every((suffix) =>
    matches(mutation.get('remove_on_match', 'key_matcher'), `${prefix}${suffix}`),
  )
