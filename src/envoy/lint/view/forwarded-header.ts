// Follows a header on the way to an upstream: which parties may have written its value when it arrives.
// Headers that scripts change are not followed.

import type { Manager } from './manager.ts'
import { APPEND_ACTIONS, isRemovedEarly, mutationsOf, removalIn } from './mutation.ts'
import type { Route } from './route.ts'
import type { Setting } from './setting.ts'

/** A header of requests that take a route, as the upstream gets it. */
export interface ForwardedHeader {
  /** Whether it can be what the caller sent under that name. */
  readonly forgeable: boolean
  /** The value that Envoy writes; `undefined` where it writes none. */
  readonly written: Setting | undefined
}

/** A header, where a route to a cluster forwards it. The name is in lower case. */
export const forwardedHeader = (
  { chains: [{ filters }], ...manager }: Manager,
  { headerLevels }: Route,
  name: string,
): ForwardedHeader => {
  const early = isRemovedEarly(manager, name)
  const start: ForwardedHeader = { forgeable: !early, written: undefined }
  const filtered = filters.flatMap(mutationsOf).reduce((header, mutation) => {
    if (removalIn(mutation, name) !== undefined) return GONE
    return written(header, mutation.get('append'), name)
  }, start)
  return headerLevels.reduce((header, level) => {
    const removed = level.get('request_headers_to_remove').items()
    // Of one level removals come first.
    const left = removed.some(({ text }) => text.toLowerCase() === name) ? GONE : header
    return level
      .get('request_headers_to_add')
      .items()
      .reduce((last, option) => written(last, option, name), left)
  }, filtered)
}

const GONE: ForwardedHeader = { forgeable: false, written: undefined }

/** After an envoy.config.core.v3.HeaderValueOption. */
const written = (before: ForwardedHeader, option: Setting, name: string): ForwardedHeader => {
  if (option.get('header', 'key').text.toLowerCase() !== name) return before
  const value = option.get('header', 'value')
  // An overwriting with nothing leaves what was there (measured, 1.40).
  const forgeable = before.forgeable && (!isOverwriting(option) || mayBeEmpty(value))
  const onlyReplaces = actionOf(option) === 'OVERWRITE_IF_EXISTS' && before.written === undefined
  return { forgeable, written: onlyReplaces ? undefined : value }
}

const isOverwriting = (option: Setting): boolean => actionOf(option).startsWith('OVERWRITE_')

const actionOf = (option: Setting): string => {
  // The field before `append_action`, which is deprecated.
  const append = option.get('append')
  if (!append.isSet) return option.get('append_action').choice(APPEND_ACTIONS)
  return append.flag ? 'APPEND_IF_EXISTS_OR_ADD' : 'OVERWRITE_IF_EXISTS_OR_ADD'
}

// Every caller has an address.
const ALWAYS_THERE = /^%DOWNSTREAM_(DIRECT_)?REMOTE_ADDRESS(_WITHOUT_PORT)?%$/

const mayBeEmpty = ({ text }: Setting): boolean =>
  text === '' || (text.includes('%') && !ALWAYS_THERE.test(text))
