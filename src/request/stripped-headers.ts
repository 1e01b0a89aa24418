// The headers that are removed from every request, on every route, whether a preset is used or not: switching
// one on can never trust what a client sent a moment ago.

import { canonicalName } from './canonical-name.ts'

/** Headers removed by name. */
export const STRIPPED_NAMES: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'dpop', // RFC 9449: the proof of possession of a token's key
  'x-forwarded-client-cert', // Envoy's own, also removed there (SANITIZE)
  'client-cert', // RFC 9440
  'client-cert-chain',
  'audit-id', // Kubernetes' request id, which we set to the decision id
  // Headlamp's, and those of login proxies (oauth2-proxy and similar ones).
  'x-forwarded-user',
  'x-forwarded-group',
  'x-forwarded-groups',
  'x-forwarded-email',
  'x-forwarded-preferred-username',
  'x-forwarded-id-token',
  'x-forwarded-access-token',
]

/** Headers removed by how they begin. */
export const STRIPPED_PREFIXES: readonly string[] = [
  'x-remote-', // Kubernetes authenticating proxy: -user, -uid, -group, -extra-*
  'impersonate-', // Kubernetes impersonation: -user, -uid, -group, -extra-*
  'x-cert-', // certificate details
  'x-webauth-', // Grafana's authenticating proxy
  'x-countersign-',
]

/** Some frameworks take these for the method and the path, and the rules judge the original ones. */
export const OVERRIDES: readonly string[] = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]

/** Headers in which a proxy names the origin of the request. */
export const ORIGIN_NAMES: readonly string[] = ['forwarded', 'x-real-ip']

/** Further headers of the kind. Envoy adds the client address to X-Forwarded-For. */
export const ORIGIN_PREFIX = 'x-forwarded-'

/**
 * Headers by which a caller could steer Envoy's router: timeouts, retries, and the end of a stream
 * at the expiry of its credential. Envoy removes some of them from callers that are not internal.
 */
export const ENVOY_PREFIX = 'x-envoy-'

const names: ReadonlySet<string> = new Set([...STRIPPED_NAMES, ...OVERRIDES])

/** Whether a header is removed, whatever its spelling: `X.Remote_User` counts as `x-remote-user`. */
export const isStripped = (name: string, canonical = canonicalName(name)): boolean => {
  if (names.has(canonical)) return true
  if (STRIPPED_PREFIXES.some((prefix) => canonical.startsWith(prefix))) return true
  return canonical !== name && canonical !== name.toLowerCase() && isWrittenByProxies(canonical)
}

/** Envoy and the proxies in front write these, under these very names; another spelling is forged. */
const isWrittenByProxies = (canonical: string): boolean =>
  canonical.startsWith(ORIGIN_PREFIX) ||
  canonical.startsWith(ENVOY_PREFIX) ||
  ORIGIN_NAMES.includes(canonical)
