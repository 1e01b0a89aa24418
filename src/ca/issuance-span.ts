// The span of an issuance. Its trace id follows from the handle, so that authz can name it without a word from the signer.

import type { Grant } from '../grant/grant.ts'
import { handleDigest, issuanceTrace } from '../grant/handle.ts'
import type { KeptSpans } from '../runtime/tracing/kept-spans.ts'
import type { Span } from '../runtime/tracing/span.ts'

/** Begins the span, where spans are read and there are not too many. */
export const beginIssuance = (
  spans: Pick<KeptSpans, 'begin'> | undefined,
  handle: string,
): Span | undefined =>
  spans?.begin('sds issue', issuanceTrace(handle).traceId, {
    'countersign.certificate.handle': handleDigest(handle),
  })

/** Runs a part of an issuance, with a span of its own. */
export const part = async <T>(
  span: Span | undefined,
  name: string,
  run: () => T | Promise<T>,
): Promise<T> => {
  const own = span?.child(name, 'internal')
  try {
    return await run()
  } finally {
    own?.end()
  }
}

/** Names what was granted; no user: the audit event has the subject. */
export const describeGrant = (span: Span | undefined, grant: Grant | undefined): void => {
  if (grant === undefined) return
  span?.set({
    'countersign.authority': grant.authority,
    'countersign.route': grant.route,
    'countersign.authenticator': grant.authenticator,
  })
}

// What an operator has to mend. Other refusals are answers.
const FAILURES: ReadonlySet<string> = new Set([
  'audit-unavailable',
  'authority-unavailable',
  'internal-error',
  'issued-mismatch',
])

/**
 * Ends the span.
 *
 * @param refusal why there is no certificate, if there is none
 */
export const endIssuance = (span: Span | undefined, refusal: string | undefined): void => {
  if (refusal !== undefined) {
    span?.set({ 'countersign.reason': refusal })
    if (FAILURES.has(refusal)) span?.fail(refusal)
  }
  span?.end()
}
