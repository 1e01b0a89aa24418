// The seam for where the revocation of one certificate is looked up: OCSP, or CRLs.

import type { Issued } from './issued.ts'

/** The status of one certificate by a source. */
export type SourceStatus =
  | {
      readonly outcome: 'good'
      /** When to check again, in milliseconds since the epoch. */
      readonly until: number
    }
  | { readonly outcome: 'revoked' }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** Where revocation is looked up. */
export interface RevocationSource {
  /** Never rejects. The signal ends the wait; the request may continue for other callers. */
  status(issued: Issued, signal: AbortSignal): Promise<SourceStatus>
}
