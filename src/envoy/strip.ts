// The first thing that happens to a request in Envoy: headers that Countersign may set are removed
// from what the caller sent, before routing and before every filter.

import { CONNECTION_COPY } from '../request/request.ts'
import { STRIPPED_NAMES, STRIPPED_PREFIXES } from '../transform/strip.ts'
import { extension, type Message } from './message.ts'

// What authz has to see. It removes the caller's credential itself, and it refuses impersonation:
// without the header, `kubectl --as=other` would run as oneself.
const SEEN_BY_AUTHZ: ReadonlySet<string> = new Set(['authorization', 'impersonate-'])

// Headers by which a caller could steer Envoy's router (timeouts, retries). Envoy removes most from
// callers whom it does not know as internal, and we know none.
const ENVOY_PREFIX = 'x-envoy-'

/** `early_header_mutation_extensions` of the connection manager. */
export const earlyHeaderMutations = (): readonly Message[] => {
  const names = STRIPPED_NAMES.filter((name) => !SEEN_BY_AUTHZ.has(name))
  const prefixes = STRIPPED_PREFIXES.filter((prefix) => !SEEN_BY_AUTHZ.has(prefix))
  return [
    extension(
      'envoy.http.early_header_mutation.header_mutation',
      'http.early_header_mutation.header_mutation.v3.HeaderMutation',
      {
        mutations: [
          ...names.map((name) => ({ remove: name })),
          ...[...prefixes, ENVOY_PREFIX].map((prefix) => ({
            remove_on_match: { key_matcher: { prefix, ignore_case: true } },
          })),
          copyOfConnection,
        ],
      },
    ),
  ]
}

// Envoy drops `Connection` before any filter sees it, except on upgrades. authz refuses some of its
// values (RFC 9110 §7.6.1), so it gets a copy; without the header there is none.
const copyOfConnection: Message = {
  append: {
    header: { key: CONNECTION_COPY, value: '%REQ(connection)%' },
    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
  },
}
