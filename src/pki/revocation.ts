// The seam of revocation: whether the certificates of a path that is otherwise valid still are.

/** What is known about the revocation of a path; see {@link RevocationChecker}. */
export type RevocationStatus =
  | {
      readonly outcome: 'good'
      /** Milliseconds since the epoch: ask again then. Without it nothing was asked that ages. */
      readonly until?: number
    }
  /** The issuer has revoked a certificate of the path, or put it on hold. */
  | { readonly outcome: 'revoked' }
  /** A certificate of the path is on the deny-list of the configuration. */
  | { readonly outcome: 'denied' }
  /** Whoever knows says that it doesn't know one of the certificates. */
  | { readonly outcome: 'unknown' }
  /** Could not find out: nobody answers, or what answers proves nothing. */
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Says whether certificates have been revoked.
 *
 * `check` never rejects, and has no other outcomes than those of {@link RevocationStatus}. What the
 * configuration says of unknown and unavailable (`allow`) is in the outcome already: a caller goes
 * on with `good`, and with nothing else.
 */
export interface RevocationChecker {
  /** Changes with the configuration and with the deny-list, so that remembered facts die with them. */
  readonly generation: string
  /**
   * @param chain in DER, leaf first and trust anchor last, already validated as a path
   * @param signal ends the waiting; the question may go on for others who wait for it
   */
  check(chain: readonly Buffer[], signal: AbortSignal): Promise<RevocationStatus>
}
