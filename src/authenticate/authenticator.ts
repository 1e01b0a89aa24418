// The seam of phase 3: verifies one kind of inbound credential.

import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { PathFault } from '../pki/path-rules.ts'
import type { AccountEnd, AccountRefusal } from './password/verifier.ts'
import type { ProvenCredential, IdentityRefusal } from '../identity/identity.ts'
import type { ProvenAccount } from '../logins/proven-logins.ts'
import type { PresentedCredential } from '../identity/presented-credential.ts'
import type { Request } from '../request/request.ts'
import type { CredentialLocation } from '../request/credential-location.ts'

/** Why a credential was rejected. Audit has the code; the caller receives only "rejected". */
export type RejectionCode =
  | 'credential-malformed'
  | 'credential-wrong'
  | 'user-unknown'
  | AccountRefusal
  | 'too-many-attempts' // of this user or from this address; nothing was verified
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'token-audience'
  | 'token-signature'
  | 'token-algorithm'
  | 'token-type'
  | 'token-claims' // a claim that is required is missing, or the condition does not hold
  | 'token-key-unknown'
  | 'token-binding' // it is bound to a certificate or key that the caller did not prove
  | 'token-inactive' // its issuer does not know it, or no longer
  | 'proof-invalid' // the DPoP proof of the token is missing or wrong
  | 'proof-replayed'
  | 'api-key-unknown'
  | 'api-key-expired'
  | 'session-ended' // or never existed
  | 'cross-origin' // a page of another origin sent the request
  | PathFault
  | 'certificate-revoked'
  | 'certificate-denied' // by the configured list
  | 'certificate-status-unknown' // the responder does not know it
  | 'credential-conflict' // two credentials, of which at most one is expected

/** The outcome for a request; see {@link Authenticator}. */
export type Authentication =
  | { readonly outcome: 'authenticated'; readonly credential: ProvenCredential }
  | {
      readonly outcome: 'rejected'
      readonly code: RejectionCode | IdentityRefusal
      /** The claimed name, not verified; absent where it may not be a name. */
      readonly user?: string
      /**
       * In place of an unknown name, which might be a password in the wrong field: a keyed hash, comparable within the
       * life of the process.
       */
      readonly userHash?: string
      /** The presented credential, as far as it could be read. */
      readonly presented?: PresentedCredential | undefined
      /** When to retry, in seconds. */
      readonly retryAfter?: number
      /** What was required and what was found, for audit; see `required-and-found.ts`. */
      readonly detail?: string
      /**
       * Replaces the authenticator's challenge of the same scheme in the answer to this request: an error code (RFC
       * 6750 §3.1), or the next step of a negotiation.
       */
      readonly challenge?: string
    }
  | {
      readonly outcome: 'not-applicable'
      /** Why a credential of this kind is not one of this authenticator, for audit. */
      readonly detail?: () => string
    }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Verifies one kind of inbound credential.
 *
 * The only legal outcomes are:
 * - `authenticated`: the credential is present, well formed and verified.
 * - `rejected`: the credential is of this authenticator, and wrong. The chain ends here.
 * - `not-applicable`: the request has no credential of this kind. The chain continues.
 * - `unavailable`: the credential could not be verified (directory down, deadline). The request is refused.
 *
 * It returns the outcome synchronously where nothing has to be waited for. It must not throw for any of these; an
 * exception is a bug, and is treated as `unavailable`.
 */
export interface Authenticator {
  /** Its name in the configuration. */
  readonly name: string
  /** The `WWW-Authenticate` challenges for its credential (RFC 9110 §11.6.1); may be none. */
  readonly challenges: readonly string[]
  /** Every location of its credential in a request. */
  readonly locations: readonly CredentialLocation[]
  /**
   * Locations that a standard permits for its credential and that are not read: a value there is a second credential.
   */
  readonly unread?: readonly CredentialLocation[]
  authenticate(request: Request, signal: AbortSignal): MaybePromise<Authentication>
  /** The same credential at the login page, which can ask the user a further question. */
  readonly login?: PasswordLogin
}

/** A question that the user must answer to be authenticated. Plain data, stored, and never sent to a client. */
export interface PasswordQuestion {
  /** As typed; not verified. */
  readonly user: string
  /** The question, for the user. */
  readonly message: string
  /** Whether the answer may be seen while it is typed. */
  readonly echo: boolean
  /** Returned with the answer, base64url. */
  readonly state: string
  /** The generation of the verifiers: under another one the question cannot be answered. */
  readonly generation: string
  /** `ProvenCredential.digest` of the password. */
  readonly credential: string
  /** The number of questions so far, this one included. */
  readonly count: number
}

/** A step of a login at the login page: an {@link Authentication}, or one of two further outcomes. */
export type LoginStep =
  | Authentication
  | { readonly outcome: 'asked'; readonly question: PasswordQuestion }
  /** The question cannot be answered any longer; no verifier was called. */
  | { readonly outcome: 'stale' }

/**
 * Verifies a user's password, and the answers to further questions. The caller accepts one answer for each question:
 * an answer uses the question up, except with `too-many-attempts`, where no verifier was called.
 */
export interface PasswordLogin {
  /** @param request presents the credential as any request does */
  begin(request: Request, signal: AbortSignal): Promise<LoginStep>
  /** @param source the caller's address */
  answer(question: PasswordQuestion, answer: string, source: string): Promise<LoginStep>
  /**
   * Looks up, without the password, the account of a verified credential. Never rejects.
   *
   * @param proven with an account reference
   */
  lookup(proven: ProvenAccount): Promise<LoginLookup>
}

/** The result of {@link PasswordLogin.lookup}; see `PasswordVerifier.lookup`. */
export type LoginLookup =
  | { readonly outcome: 'current'; readonly credential: ProvenCredential }
  | { readonly outcome: 'ended'; readonly code: AccountEnd }
  | { readonly outcome: 'unsupported' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }
