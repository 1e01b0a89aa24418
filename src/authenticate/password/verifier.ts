// The seam for whatever can prove a password: a users file today, a directory tomorrow.

/** What is known of a user whose password was right. */
export interface PasswordFacts {
  readonly user: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** What a verifier says; see {@link PasswordVerifier}. */
export type Verification =
  | { readonly outcome: 'verified'; readonly facts: PasswordFacts }
  | { readonly outcome: 'wrong-password' }
  | { readonly outcome: 'disabled' }
  | { readonly outcome: 'unknown-user' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Proves a user's password.
 *
 * Legal outcomes, and no others:
 * - `verified`: the user exists and the password is right.
 * - `wrong-password`: the user is ours and the password is wrong. No other verifier is asked.
 * - `disabled`: the user is ours, the password is right, and the account is switched off.
 * - `unknown-user`: not ours. The next verifier is asked. It must take as long as a wrong password,
 *   or the difference tells an attacker which names exist.
 * - `unavailable`: we could not find out.
 *
 * User and password are NFC-normalised, without control characters, and not empty.
 */
export interface PasswordVerifier {
  verify(user: string, password: string, signal: AbortSignal): Promise<Verification>
}
