// What is taken out of every request before anything is put in: each header that we might ever set,
// and the caller's own credential. The list covers all presets, used or not, so that switching one
// on can never trust what a caller sent a moment ago.

import { canonicalName, type Headers } from '../request/headers.ts'
import { BEARER_SUBPROTOCOL, offeredSubprotocols, SUBPROTOCOLS } from '../request/subprotocols.ts'
import type { HeaderPair } from './transformer.ts'

/** Headers removed by name. */
export const STRIPPED_NAMES: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'x-forwarded-client-cert', // Envoy's own, also removed there (SANITIZE)
  'client-cert', // RFC 9440
  'client-cert-chain',
  'audit-id', // Kubernetes' request id, which we set to the decision id
]

/** Headers removed by how they begin. */
export const STRIPPED_PREFIXES: readonly string[] = [
  'x-remote-', // Kubernetes authenticating proxy: -user, -uid, -group, -extra-*
  'impersonate-', // Kubernetes impersonation: -user, -uid, -group, -extra-*
  'x-cert-', // certificate details
  'x-countersign-',
]

const names: ReadonlySet<string> = new Set(STRIPPED_NAMES)

/** Whether a header is removed, whatever its spelling: `X_Remote_User` counts as `x-remote-user`. */
export const isStripped = (name: string): boolean => {
  const canonical = canonicalName(name)
  return names.has(canonical) || STRIPPED_PREFIXES.some((prefix) => canonical.startsWith(prefix))
}

/** The names, as spelt in the request, of the headers that must not reach the upstream. */
export const strippedFrom = (headers: Headers): readonly string[] => {
  const found = headers.lines.filter(({ name }) => isStripped(name)).map(({ name }) => name)
  return found.length > 1 ? [...new Set(found)] : found
}

/**
 * The subprotocols that a WebSocket client offers, without those that are credentials; `undefined`
 * where there are none of that kind. An empty list is a header to be removed.
 */
export const subprotocolsFor = (headers: Headers): HeaderPair | undefined => {
  if (headers.get(SUBPROTOCOLS) === undefined) return undefined
  const offered = offeredSubprotocols(headers)
  const kept = offered.filter((protocol) => !protocol.startsWith(BEARER_SUBPROTOCOL))
  return kept.length === offered.length ? undefined : [SUBPROTOCOLS, kept.join(', ')]
}
