// The seam for whoever counts what the authorization server does and no audit event tells. It is told of
// each, and can change none.

/** Told of what happens. No method may throw. */
export interface IssuerObserver {
  /** The token endpoint gave no tokens, and this error (RFC 6749 §5.2). */
  tokensRefused(error: string): void
  /** A client was to be told of a logout over the back channel. */
  clientTold(outcome: 'told' | 'failed'): void
}
