// The first thing that happens to a request in Envoy: headers that Countersign may set are removed
// from what the caller sent, before routing and before every filter. Trailers likewise, of which authz sees none.
//
// `Connection` needs nothing here. On a plain HTTP/1.1 request Envoy's codec has by now obeyed it
// (RFC 9110 §7.6.1) and forwards none; over HTTP/2 it ends the connection; on an upgrade it passes
// the list on, and authz sees and judges it.

import { locationsOf } from '../authenticate/kinds.ts'
import type { Config } from '../configuration/schema.ts'
import { ownHeadersOf } from '../transform/headers/own.ts'
import {
  ENVOY_PREFIX,
  isStripped,
  ORIGIN_NAMES,
  ORIGIN_PREFIX,
  OVERRIDES,
  STRIPPED_NAMES,
  STRIPPED_PREFIXES,
} from '../request/stripped-headers.ts'
import { extension, type Message } from './message.ts'
import { ENVOYS_OWN_LIMIT, removalsOf, type HeaderNames } from './removals.ts'
import { untrustedTraceHeaders } from './tracing.ts'

// What authz has to see. It removes the caller's credential itself, and impersonation it refuses, or
// sets anew where a rule allows it: without the header, `kubectl --as=other` would run as oneself.
const SEEN_BY_AUTHZ: ReadonlySet<string> = new Set(['authorization', 'dpop', 'impersonate-'])

/** RFC 9110 §6.6.2: announces trailers, of which authz sees none. */
export const TRAILER = 'trailer'

/**
 * `early_header_mutation_extensions` of the connection manager.
 *
 * @param trustedHops how many proxies in front append to X-Forwarded-For
 * @param limit how large an expression Envoy accepts
 */
export const earlyHeaderMutations = (
  config: Config,
  trustedHops: number,
  limit = ENVOYS_OWN_LIMIT,
): readonly Message[] => {
  const ours = namesOf(
    [
      ...[...STRIPPED_NAMES, ...OVERRIDES, TRAILER, ...namedHeaders(config)].filter(isOurs),
      ...untrustedTraceHeaders(config),
    ],
    [...STRIPPED_PREFIXES, ENVOY_PREFIX].filter(isOurs),
  )
  const origin = namesOf(ORIGIN_NAMES, [ORIGIN_PREFIX])
  // Without a proxy in front of Envoy, no client may report the origin of a request.
  const mutations =
    trustedHops === 0
      ? removalsOf(
          namesOf([...ours.names, ...origin.names], [...ours.prefixes, ...origin.prefixes]),
          NONE,
          limit,
        )
      : removalsOf(ours, origin, limit)
  return [
    extension(
      'envoy.http.early_header_mutation.header_mutation',
      'http.early_header_mutation.header_mutation.v3.HeaderMutation',
      { mutations },
    ),
  ]
}

/** A filter that removes from trailers (RFC 9110 §6.5) what callers may not send as headers. */
export const trailerFilter = (config: Config): Message => {
  const own = [...namedHeaders(config), ...keyHeaders(config)]
  const removed = namesOf(
    [...STRIPPED_NAMES, ...OVERRIDES, ...ORIGIN_NAMES, ...own],
    [...STRIPPED_PREFIXES, ENVOY_PREFIX, ORIGIN_PREFIX],
  )
  return extension(
    'envoy.filters.http.header_mutation',
    'filters.http.header_mutation.v3.HeaderMutation',
    { mutations: { request_trailers_mutations: removalsOf(removed, NONE) } },
  )
}

/** Those that the configuration names itself; authz removes the ones that hold keys, once read. */
export const namedHeaders = (config: Config): readonly string[] => {
  const keys = keyHeaders(config)
  return ownHeadersOf(config.routes).filter((name) => !isStripped(name) && !keys.includes(name))
}

const keyHeaders = ({ authenticators }: Config): readonly string[] =>
  Object.values(authenticators)
    .flatMap(locationsOf)
    .flatMap((location) => (location.kind === 'header' ? [location.name] : []))
    .filter((name) => !isStripped(name))

const isOurs = (name: string): boolean => !SEEN_BY_AUTHZ.has(name)

const NONE: HeaderNames = { names: [], prefixes: [] }

/** Without names that one of the prefixes covers. */
const namesOf = (names: readonly string[], prefixes: readonly string[]): HeaderNames => ({
  names: names.filter((name) => !prefixes.some((prefix) => name.startsWith(prefix))),
  prefixes,
})
