// The seam for everything that can verify a password: a users file, a directory, a RADIUS server.

/** The user of a verified password. */
export interface VerifiedUser {
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
  | 'user-restricted' // outside its hours, or from an address that is not permitted
  | 'password-expired'
  | 'password-must-change'
  | 'second-factor-required' // which this caller cannot request from the user

/** The outcome of a verification; see {@link PasswordVerifier}. */
export type Verification =
  | {
      readonly outcome: 'verified'
      readonly user: VerifiedUser
      /** Finds the account again; see {@link PasswordVerifier.lookup}. Absent where that is unsupported. */
      readonly account?: AccountReference
    }
  | { readonly outcome: 'wrong-password' }
  | { readonly outcome: 'barred'; readonly code: AccountRefusal }
  | { readonly outcome: 'challenged'; readonly challenge: PasswordChallenge }
  | { readonly outcome: 'unknown-user' }
  | {
      readonly outcome: 'unavailable'
      readonly cause: unknown
      /** Whether the attempt counts as failed: a server refused it, in a reply that cannot be trusted. */
      readonly counts?: boolean
    }

/**
 * Identifies an account as it was when its password was verified: text that only the verifier reads, without any
 * secret. It is stored with a login, so another process or a later configuration may receive it.
 */
export type AccountReference = string

/** Why an account is no longer the one that logged in. */
export type AccountEnd =
  | AccountRefusal
  | 'user-unknown' // removed, or outside the search
  | 'user-replaced' // another entry has the name
  | 'password-changed'

/** The result of {@link PasswordVerifier.lookup}. */
export type AccountLookup =
  | { readonly outcome: 'current'; readonly user: VerifiedUser }
  | { readonly outcome: 'ended'; readonly code: AccountEnd }
  | { readonly outcome: 'unsupported' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/** A question that must be answered before the user is authenticated (RFC 2865 §4.4). */
interface PasswordChallenge {
  /** The question, for the user. */
  readonly message: string
  /** Whether the answer may be seen while it is typed (RFC 2869 §5.10, Prompt). Default: no. */
  readonly echo?: boolean
  /** Returned with the answer, opaque. */
  readonly state: Uint8Array
}

/** The context of a verification. */
export interface VerificationContext {
  /** The caller's address, as Envoy trusts it: IPv4 or IPv6 text, or empty where there is none. */
  readonly source: string
  /** Aborts when no caller waits any longer. */
  readonly signal: AbortSignal
}

/**
 * Verifies a user's password.
 *
 * The only legal outcomes are:
 * - `verified`: the user exists and the password is right.
 * - `wrong-password`: the user exists and the password is wrong. No further verifier is called.
 * - `barred`: the user exists, and the account may not be used. Only where the password was right, or the directory
 *   says so before it verifies the password.
 * - `challenged`: the password was right and is not enough. Only a login page can continue from here.
 * - `unknown-user`: the user does not exist. The next verifier is called. It must take as long as a wrong password,
 *   since a difference reveals which names exist.
 * - `unavailable`: the password could not be verified. With `counts` the server refused it in a reply that may be
 *   forged: were it free, guesses at that server would be, too.
 *
 * User and password are NFC-normalised, without control characters, and not empty.
 */
export interface PasswordVerifier {
  verify(user: string, password: string, context: VerificationContext): Promise<Verification>
  /**
   * Looks an account up again, without its password.
   *
   * The only legal outcomes are:
   * - `current`: the account could log in now, as far as that is known without the password, which has not changed.
   *   With its present groups and attributes.
   * - `ended`: it could not, or it is another account.
   * - `unsupported`: the reference is not of this verifier, or the verifier cannot look accounts up.
   * - `unavailable`: the account could not be looked up.
   *
   * @param account of a `verified`, unchanged
   */
  lookup(account: AccountReference, signal: AbortSignal): Promise<AccountLookup>
  /**
   * Continues from a challenge, with the same outcomes; there may be a further challenge. Absent where the verifier
   * has no challenges.
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

/** The texts of a reference, by name. */
export type ReferenceTexts = Readonly<Record<string, string>>

/** Writes a reference. Equal texts in the same order give equal references. */
export const writeReference = (kind: string, texts: ReferenceTexts): AccountReference =>
  JSON.stringify({ kind, ...texts })

/** The texts of a reference; `undefined` for one of another kind of verifier. */
export const readReference = (
  kind: string,
  reference: AccountReference,
): ReferenceTexts | undefined => {
  const said: ReferenceTexts = JSON.parse(reference) // written by `writeReference`
  return said['kind'] === kind ? said : undefined
}
