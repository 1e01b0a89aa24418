// The seam of revocation: whether the certificates of a path that is otherwise valid still are.

/** What is known about the revocation of a path; see {@link RevocationChecker}. */
export type RevocationStatus =
  | {
      readonly outcome: 'good'
      /** When to check again, in milliseconds since the epoch; absent if no answer expires. */
      readonly until?: number
    }
  /** The issuer has revoked a certificate of the path, or put it on hold. */
  | { readonly outcome: 'revoked' }
  /** A certificate of the path is on the deny-list of the configuration. */
  | { readonly outcome: 'denied' }
  /** The responder or issuer does not know one of the certificates. */
  | { readonly outcome: 'unknown' }
  /** Undetermined: there is no answer, or none that is verified. */
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Checks whether certificates have been revoked.
 *
 * `check` never rejects, and has no other outcomes than those of {@link RevocationStatus}. What the
 * configuration says of unknown and unavailable (`allow`) is in the outcome already: only `good`
 * permits the caller to continue.
 */
export interface RevocationChecker {
  /** Changes with the configuration and with the deny-list, so that credentials cached before are not used. */
  readonly generation: string
  /**
   * @param chain in DER, leaf first and trust anchor last, already validated as a path
   * @param signal ends the wait; the request may continue for other callers
   */
  check(chain: readonly Buffer[], signal: AbortSignal): Promise<RevocationStatus>
}
