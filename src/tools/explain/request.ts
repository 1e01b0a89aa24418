// Phase 1 explained: the request as it was read, or why it has no one reading, and what an Envoy that
// is set up by `countersign envoy` would have made of its path before the check.

import type { CheckAttributes } from '../../request/attributes.ts'
import { readPath } from '../../request/path.ts'
import type { SecretParameters } from '../../request/query.ts'
import type { Decision } from '../../check/decision.ts'
import type { PhaseOutcome } from './outcome.ts'

/** Phase 1: the request. */
export interface RequestPhase {
  readonly outcome: PhaseOutcome
  /** Why it has no one reading: the reason, as audit has it. */
  readonly code?: string
  readonly method: string
  readonly host: string
  /** As rules see it, or as it was sent where it cannot be read. */
  readonly path: string
  /** The values of parameters that are credentials, or often hold some, are withheld. */
  readonly query: string
  readonly source: string
  /** The names of its headers; their values are left out. */
  readonly headers: readonly string[]
  /** Whether the caller showed a certificate in the TLS handshake. */
  readonly certificate: boolean
  /** What Envoy would do before it calls authz, if anything. */
  readonly notes: readonly string[]
}

/** Explains how the request was read. */
export const explainRequest = (
  attributes: CheckAttributes,
  { reason, context: { request } }: Decision,
  secrets: SecretParameters,
): RequestPhase => {
  const mark = attributes.path.indexOf('?')
  const raw = mark === -1 ? attributes.path : attributes.path.slice(0, mark)
  const query = mark === -1 ? '' : attributes.path.slice(mark + 1)
  return {
    outcome: request === undefined ? 'miss' : 'hit',
    ...(request === undefined ? { code: reason } : {}),
    method: attributes.method,
    host: request?.host ?? attributes.host,
    path: request?.path ?? raw,
    query: withhold(query, secrets),
    source: request?.source.address ?? attributes.sourceAddress,
    headers: [...new Set(attributes.headers.map(({ name }) => name.toLowerCase()))],
    certificate: attributes.peerCertificate !== '',
    notes: notesOn(raw),
  }
}

/** A query as it may be shown. */
export const withhold = (query: string, secrets: SecretParameters): string =>
  query === '' ? '' : secrets.withheldIn(query)

/**
 * What Envoy does to a path with `normalize_path`, `merge_slashes` and
 * `path_with_escaped_slashes_action: REJECT_REQUEST` (RFC 3986 §6.2.2), which `countersign envoy`
 * writes: none of it is done here, so that the phases show how they read the path as it is.
 */
const notesOn = (raw: string): readonly string[] => {
  if (/%(2f|5c)/i.test(raw)) {
    return ['Envoy, configured to reject escaped slashes, answers 400 itself without a check.']
  }
  const normal = normalised(raw)
  if (normal === raw) return []
  const reading = readPath(normal)
  const read = reading.outcome === 'read' ? '' : `, which is refused too (${reading.code})`
  return [`Envoy, configured to normalise paths, sends ${normal} instead${read}.`]
}

/** Without backslashes, dot segments and runs of slashes. */
const normalised = (raw: string): string => {
  if (!raw.startsWith('/')) return raw
  const kept: string[] = []
  const segments = raw.replaceAll('\\', '/').slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1
    const dots = segment.replaceAll(/%2e/gi, '.')
    if (dots === '..') kept.pop()
    if (dots === '.' || dots === '..' || segment === '') {
      if (last) kept.push('')
    } else {
      kept.push(segment)
    }
  }
  return `/${kept.join('/')}`
}
