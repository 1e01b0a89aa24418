// The seam before the verifiers of passwords: guessing must be expensive, so what is verified has to
// pass here first. It knows nothing of HTTP.

import type { Verification } from './verifier.ts'

/** A password that somebody shows. */
export interface Attempt {
  /** As typed. */
  readonly user: string
  readonly password: string
  /** The caller's address. */
  readonly source: string
  /** Whether the person can be asked for more, so that it is no refusal when more is needed. */
  readonly isAsked?: boolean
  /** How many questions led here. Each was counted as failed, and was not when this succeeds. */
  readonly questions?: number
}

/** What a verifier said, or that it was not asked. */
export type GuardedVerification =
  | Verification
  | {
      readonly outcome: 'too-many-attempts'
      /** Whole seconds, at least 1. */
      readonly retryAfter: number
    }

/**
 * Stands before the verifiers of passwords.
 *
 * - `too-many-attempts`: of this user or from this source. Nobody was asked, and it says nothing of
 *   the password: it is the same for a right one, and for a user that does not exist.
 * - `unavailable`: also where attempts cannot be counted; then nobody was asked either.
 */
export interface PasswordGuard {
  /**
   * How long a user is known to have to wait there, in seconds; 0 for not at all. A proof that is
   * remembered does not count meanwhile: else guesses at a user who is active would cost nothing.
   */
  waitOf(user: string, source: string): number
  /** @param ask called at most once */
  verify(attempt: Attempt, ask: () => Promise<Verification>): Promise<GuardedVerification>
}

/** Verifies whatever it is shown. */
export const unguarded: PasswordGuard = {
  waitOf: () => 0,
  verify: (_, ask) => ask(),
}
