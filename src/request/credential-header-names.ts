// Which headers a configuration may choose to carry a credential, or something of its own: they are taken out of every request
// of their routes, so a header that Envoy, HTTP or the upstream needs cannot be chosen.

import { canonicalName } from './canonical-name.ts'
import { isStripped } from './stripped-headers.ts'

/** Needed to carry or to read the message (RFC 9110, RFC 9112, RFC 9113, RFC 6455). */
const NEEDED: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'date',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'origin',
  'proxy-connection',
  'range',
  'referer',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'via',
  'x-real-ip',
  'x-request-id',
])

/** Headers of Envoy, of proxies, and of browsers. */
const NEEDED_PREFIXES = ['x-envoy-', 'x-forwarded-', 'sec-', 'access-control-', 'grpc-'] as const

/** What is wrong with a header as the place of a credential; `undefined` when nothing is. */
export const complaintAboutLocation = (name: string): string | undefined => {
  const canonical = canonicalName(name)
  if (canonical === 'authorization') return undefined
  if (isStripped(canonical)) {
    return `"${name}" is a header that Countersign sets or removes itself; choose another, such as "x-api-key"`
  }
  if (isNeeded(canonical)) {
    return `"${name}" is needed for something else and cannot be taken out of the request; choose another, such as "x-api-key"`
  }
  return undefined
}

// Headers of login proxies have such names too, and no proxy needs them.
const TOLD = /^x-forwarded-(user|groups?|email|preferred-username|id-token|access-token)$/

/** Whether HTTP, Envoy or proxies need the header for something else. */
export const isNeeded = (canonical: string): boolean =>
  !TOLD.test(canonical) &&
  (NEEDED.has(canonical) || NEEDED_PREFIXES.some((prefix) => canonical.startsWith(prefix)))
