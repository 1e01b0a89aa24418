// What changes the headers of a request before it is judged: early mutations of the connection
// manager, which come before everything else, and filters in front of ext_authz.

import { extensionIn, isKind, KINDS, type Extension } from './extension.ts'
import type { Manager } from './manager.ts'
import { matches } from './matcher.ts'
import type { Setting } from './setting.ts'

/** The early mutations (envoy.config.common.mutation_rules.v3.HeaderMutation). */
export const earlyMutations = ({ config }: Pick<Manager, 'config'>): readonly Setting[] =>
  config
    .get('early_header_mutation_extensions')
    .items()
    .map(extensionIn)
    .filter((extension) => isKind(extension, KINDS.earlyHeaderMutation))
    .flatMap((extension) => extension.config.get('mutations').items())

/** The mutations of a filter, as far as it is one for that. */
export const mutationsOf = (filter: Extension): readonly Setting[] =>
  isKind(filter, KINDS.headerMutation)
    ? filter.config.get('mutations', 'request_mutations').items()
    : []

/** What a filter does to the trailers of requests, as far as it is one for that. */
export const trailerMutationsOf = (filter: Extension): readonly Setting[] =>
  isKind(filter, KINDS.headerMutation)
    ? filter.config.get('mutations', 'request_trailers_mutations').items()
    : []

/** The removal of a header of that name, in lower case; `undefined` if the mutation is not a removal. */
export const removalIn = (mutation: Setting, name: string): Setting | undefined => {
  const byName = mutation.get('remove')
  if (byName.text.toLowerCase() === name) return byName
  const byMatch = mutation.get('remove_on_match')
  return matches(byMatch.get('key_matcher'), name) ? byMatch : undefined
}

/** Whether every header with a prefix is removed: tested with a name that no list contains. */
export const removesAll = (mutation: Setting, prefix: string): boolean =>
  ['', 'zz', 'extra-zz'].every((suffix) =>
    matches(mutation.get('remove_on_match', 'key_matcher'), `${prefix}${suffix}`),
  )

/** The effect of a HeaderValueOption on an existing header. */
export const APPEND_ACTIONS = [
  'APPEND_IF_EXISTS_OR_ADD',
  'ADD_IF_ABSENT',
  'OVERWRITE_IF_EXISTS_OR_ADD',
  'OVERWRITE_IF_EXISTS',
] as const

/** Whether a mutation puts a value of its own in the place of what the caller sent. */
export const overwrites = (mutation: Setting, name: string): boolean =>
  mutation.get('append', 'header', 'key').text.toLowerCase() === name &&
  mutation.get('append', 'append_action').choice(APPEND_ACTIONS).startsWith('OVERWRITE_')

/** Whether a header of that name never gets past the early removal. */
export const isRemovedEarly = (manager: Pick<Manager, 'config'>, name: string): boolean =>
  earlyMutations(manager).some((mutation) => removalIn(mutation, name) !== undefined)
