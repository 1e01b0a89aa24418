// The first thing that happens to a request in Envoy: headers that Countersign may set are removed
// from what the caller sent, before routing and before every filter.
//
// `Connection` needs nothing here. On a plain HTTP/1.1 request Envoy's codec has by now obeyed it
// (RFC 9110 §7.6.1) and forwards none; over HTTP/2 it ends the connection; on an upgrade it passes
// the list on, and authz sees and judges it.

import type { Config } from '../config/schema.ts'
import { ownHeadersOf } from '../transform/own-headers.ts'
import { isStripped, STRIPPED_NAMES, STRIPPED_PREFIXES } from '../transform/strip.ts'
import { extension, type Message } from './message.ts'

// What authz has to see. It removes the caller's credential itself, and impersonation it refuses, or
// sets anew where a rule allows it: without the header, `kubectl --as=other` would run as oneself.
const SEEN_BY_AUTHZ: ReadonlySet<string> = new Set(['authorization', 'dpop', 'impersonate-'])

/**
 * Headers by which a caller could steer Envoy's router: timeouts, retries, and the end of a stream
 * at the expiry of its credential. Envoy removes some of them from callers that are not internal.
 */
export const ENVOY_PREFIX = 'x-envoy-'

/** Headers in which a proxy says where the request came from. */
export const ORIGIN_NAMES: readonly string[] = ['forwarded', 'x-real-ip']

/** Others of the kind. Envoy adds its own account to X-Forwarded-For. */
export const ORIGIN_PREFIX = 'x-forwarded-'

/**
 * `early_header_mutation_extensions` of the connection manager.
 *
 * @param trustedHops how many proxies in front append to X-Forwarded-For
 */
export const earlyHeaderMutations = (config: Config, trustedHops: number): readonly Message[] => {
  // Nobody in front of Envoy can know where the request came from if there is nobody in front.
  const names = [
    ...STRIPPED_NAMES,
    ...(trustedHops === 0 ? ORIGIN_NAMES : []),
    ...namedHeaders(config),
  ]
  const prefixes = [
    ...STRIPPED_PREFIXES,
    ENVOY_PREFIX,
    ...(trustedHops === 0 ? [ORIGIN_PREFIX] : []),
  ]
  return [
    extension(
      'envoy.http.early_header_mutation.header_mutation',
      'http.early_header_mutation.header_mutation.v3.HeaderMutation',
      {
        mutations: [
          ...names.filter(isOurs).map((name) => ({ remove: name })),
          ...prefixes.filter(isOurs).map((prefix) => ({
            remove_on_match: { key_matcher: { prefix, ignore_case: true } },
          })),
        ],
      },
    ),
  ]
}

/** Those that the configuration names itself; authz removes the ones that hold keys, once read. */
export const namedHeaders = ({ routes, authenticators }: Config): readonly string[] => {
  const keys = Object.values(authenticators).flatMap(({ apiKey }) => apiKey?.carriers ?? [])
  return ownHeadersOf(routes).filter(
    (name) => !isStripped(name) && !keys.some(({ header }) => header === name),
  )
}

const isOurs = (name: string): boolean => !SEEN_BY_AUTHZ.has(name)
