// Headers that a configuration names itself: `set` and `assertion` of its routes. Callers may send none
// of them on any route, so that no client can forge for one upstream what Countersign sets for another.

import type { ForwardConfig } from '../schema.ts'
import { canonicalName } from '../../request/canonical-name.ts'
import { isNeeded } from '../../request/credential-header-names.ts'

type Forwarding = Pick<ForwardConfig, 'set' | 'assertion'>

/** Their names, lower case, each once. */
export const ownHeadersOf = (
  routes: readonly { readonly forward: Forwarding }[],
): readonly string[] => [...new Set(routes.flatMap(({ forward }) => ownHeaders(forward)))]

const ownHeaders = ({ set, assertion }: Forwarding): readonly string[] => [
  ...Object.keys(set),
  ...(assertion === undefined ? [] : [assertion.header]),
]

// They are written by what knows what it does: `bearer`, and the sets of headers by name.
const OF_PRESETS = ['impersonate-', 'x-countersign-decision']

/** What is wrong with a header to be set; `undefined` when nothing is. */
export const complaintAboutOwnHeader = (header: string): string | undefined => {
  const name = canonicalName(header)
  if (name === 'authorization' || name === 'proxy-authorization') {
    return `"${header}" is set by "bearer"`
  }
  if (name === 'audit-id') return `"${header}" is set by "auditId"`
  if (OF_PRESETS.some((prefix) => name.startsWith(prefix))) {
    return `"${header}" is not set by hand: it changes who the upstream takes the caller for`
  }
  return isNeeded(name) ? `"${header}" is needed for something else and cannot be set` : undefined
}
