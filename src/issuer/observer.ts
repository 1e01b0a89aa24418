// The seam for whoever counts what the authorization server does and no audit event tells. It is told of
// each, and can change none.

/** Told of what happens. No method may throw. */
export interface IssuerObserver {
  /** The token endpoint gave no tokens, and this error (RFC 6749 §5.2). */
  tokensRefused(error: string): void
  /** A client was to be told of a logout over the back channel. */
  clientTold(outcome: 'told' | 'failed'): void
  /**
   * A device code was requested, or its user code entered in a browser (RFC 8628 §3.1, §3.3).
   *
   * @param outcome unknown: no device waits with that code; limited: too many before it
   */
  deviceCode(step: 'requested' | 'entered', outcome: 'accepted' | 'unknown' | 'limited'): void
  /**
   * A provider of others was asked something.
   *
   * @param result failed: there was no answer, or it said that it could not (RFC 9110 §15.6)
   * @param duration in seconds
   */
  providerAsked(provider: string, result: 'answered' | 'failed', duration: number): void
}
