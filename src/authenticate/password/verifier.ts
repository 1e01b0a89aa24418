// The seam for whatever can prove a password: a users file, a directory, a RADIUS server.

/** What is known of a user whose password was right. */
export interface PasswordFacts {
  readonly user: string
  readonly uid?: string | undefined
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** Why an account may not be used although the password is right. */
export type AccountRefusal =
  | 'user-disabled'
  | 'user-locked'
  | 'user-expired'
  | 'user-restricted' // outside its hours, or from elsewhere than it may
  | 'password-expired'
  | 'password-must-change'
  | 'second-factor-required' // and whoever shows the password cannot be asked for it

/** What a verifier says; see {@link PasswordVerifier}. */
export type Verification =
  | {
      readonly outcome: 'verified'
      readonly facts: PasswordFacts
      /** Finds the account again; see {@link PasswordVerifier.lookup}. Absent where that is unsupported. */
      readonly account?: AccountReference
    }
  | { readonly outcome: 'wrong-password' }
  | { readonly outcome: 'barred'; readonly code: AccountRefusal }
  | { readonly outcome: 'challenged'; readonly challenge: PasswordChallenge }
  | { readonly outcome: 'unknown-user' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Names an account as it was when a password proved it: text that only the verifier reads, without any
 * secret. It is kept with a login, so another process or a later configuration may be shown it.
 */
export type AccountReference = string

/** Why an account is no longer the one that logged in. */
export type AccountEnd =
  | AccountRefusal
  | 'user-unknown' // removed, or outside of what the verifier searches
  | 'user-replaced' // another entry has the name
  | 'password-changed'

/** The result of {@link PasswordVerifier.lookup}. */
export type AccountLookup =
  | { readonly outcome: 'current'; readonly facts: PasswordFacts }
  | { readonly outcome: 'ended'; readonly code: AccountEnd }
  | { readonly outcome: 'unsupported' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** A question that has to be answered before the user is proven (RFC 2865 §4.4). */
interface PasswordChallenge {
  /** The question, for the user. */
  readonly message: string
  /** Whether the answer may be seen while it is typed (RFC 2869 §5.10, Prompt). Default: no. */
  readonly echo?: boolean
  /** What the answer must carry back, opaque. */
  readonly state: Uint8Array
}

/** What a verifier may know beside the credential. */
export interface VerificationContext {
  /** The caller's address, as Envoy trusts it: IPv4 or IPv6 text, or empty where there is none. */
  readonly source: string
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal
}

/**
 * Proves a user's password.
 *
 * Legal outcomes, and no others:
 * - `verified`: the user exists and the password is right.
 * - `wrong-password`: the user is ours and the password is wrong. No other verifier is asked.
 * - `barred`: the user is ours, and the account may not be used. Said only where the password was
 *   right, or the directory says so before it looks at the password.
 * - `challenged`: the password was right and is not enough. Only a login page can go on from here.
 * - `unknown-user`: not ours. The next verifier is asked. It must take as long as a wrong password,
 *   or the difference tells an attacker which names exist.
 * - `unavailable`: we could not find out.
 *
 * User and password are NFC-normalised, without control characters, and not empty.
 */
export interface PasswordVerifier {
  verify(user: string, password: string, context: VerificationContext): Promise<Verification>
  /**
   * Looks an account up again, without its password.
   *
   * Legal outcomes, and no others:
   * - `current`: the account could log in now, as far as can be known without the password, which has
   *   not changed. With the facts of now.
   * - `ended`: it could not, or it is another account.
   * - `unsupported`: the reference is none of this verifier, or the verifier cannot look accounts up.
   * - `unavailable`: we could not find out.
   *
   * @param account of a `verified`, unchanged
   */
  lookup(account: AccountReference, signal: AbortSignal): Promise<AccountLookup>
  /**
   * Goes on from a challenge, with the same outcomes; there may be a further challenge. Absent where
   * there are none.
   *
   * @param state of the challenge, unchanged
   */
  answerChallenge?(
    user: string,
    answer: string,
    state: Uint8Array,
    context: VerificationContext,
  ): Promise<Verification>
}

/** The texts of a reference, by what they are. */
export type ReferenceTexts = Readonly<Record<string, string>>

/** Writes a reference. Equal texts in the same order give equal references. */
export const writeReference = (kind: string, texts: ReferenceTexts): AccountReference =>
  JSON.stringify({ kind, ...texts })

/** The texts of a reference; `undefined` for one of another kind of verifier. */
export const readReference = (
  kind: string,
  reference: AccountReference,
): ReferenceTexts | undefined => {
  const said: ReferenceTexts = JSON.parse(reference) // ours: `writeReference` wrote it
  return said['kind'] === kind ? said : undefined
}
