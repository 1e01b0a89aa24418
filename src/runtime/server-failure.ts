// Why a server that is called on behalf of callers gave no answer, and whether that concerns the server.

import { CountersignError } from './errors.ts'
import type { Evidence } from './server-circuit.ts'

/** A failure, and what it means for the server. */
export class ServerFailure extends Error {
  readonly evidence: Evidence

  constructor(evidence: Evidence, message: string) {
    super(message)
    this.evidence = evidence
  }
}

/** The server refuses the credentials of authz, which are read again, so the next question may succeed. */
export class ServerRefusesUs extends ServerFailure {}

/** The server has answered 429. */
export class ServerBusy extends ServerFailure {
  /** `Retry-After` in milliseconds. */
  readonly retryAfter: number | undefined

  constructor(message: string, retryAfter: number | undefined) {
    super('nothing', message)
    this.retryAfter = retryAfter
  }
}

/** Whether it may be due to the subject of the question, so that a repetition would probably fail too. */
export const isOfSubject = (cause: unknown): boolean =>
  !(cause instanceof CountersignError) &&
  !(cause instanceof ServerBusy) &&
  !(cause instanceof ServerRefusesUs) &&
  evidenceOf(cause) !== 'failed'

// nodejs.org, errors: no connection was made, or no TLS, whatever the request.
const NO_CONNECTION =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|E(?:HOST|NET)UNREACH|E(?:HOST|NET)DOWN|EADDRNOTAVAIL|ETIMEDOUT|EPROTO|CERT_\w+|ERR_(?:TLS|SSL)_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH|INVALID_CA)$/
// A connection that there was, and that broke.
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'])

/** What a failure means for the server. */
export const evidenceOf = (cause: unknown, signal?: AbortSignal): Evidence => {
  if (cause instanceof ServerFailure) return cause.evidence
  if (signal?.aborted === true) return 'silent'
  for (let at: unknown = cause; at instanceof Error; at = at.cause) {
    const code: unknown = 'code' in at ? at.code : undefined
    if (typeof code !== 'string') continue
    if (NO_CONNECTION.test(code)) return 'failed'
    if (BROKEN.has(code)) return 'silent'
  }
  return 'nothing'
}
