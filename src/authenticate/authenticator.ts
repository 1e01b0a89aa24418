// The seam of phase 3: one kind of inbound credential, proven.

import type { MaybePromise } from '../runtime/maybe-promise.ts'
import type { PathFault } from '../pki/path-fault.ts'
import type { AccountEnd, AccountRefusal } from './password/verifier.ts'
import type { ProvenCredential, IdentityRefusal } from '../identity/identity.ts'
import type { ProvenAccount } from '../logins/proven-logins.ts'
import type { ShownCredential } from '../identity/shown.ts'
import type { Request } from '../request/request.ts'
import type { CredentialLocation } from '../request/credential-location.ts'

/** Why a credential was rejected. Audit tells them apart; the caller is told only "rejected". */
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
  | 'token-binding' // it belongs to a certificate or key that the caller did not show
  | 'token-inactive' // its issuer does not know it, or no longer
  | 'proof-invalid' // the DPoP proof beside the token is missing or wrong
  | 'proof-replayed'
  | 'api-key-unknown'
  | 'api-key-expired'
  | 'session-ended' // or it never was one
  | 'cross-origin' // a page of another origin had it sent
  | PathFault
  | 'certificate-revoked'
  | 'certificate-denied' // by the configured list
  | 'certificate-status-unknown' // the responder does not know it
  | 'credential-conflict' // two credentials, of which only one could be meant

/** What an authenticator says of a request; see {@link Authenticator}. */
export type Authentication =
  | { readonly outcome: 'authenticated'; readonly facts: ProvenCredential }
  | {
      readonly outcome: 'rejected'
      readonly code: RejectionCode | IdentityRefusal
      /** The name that was claimed and not proven, where it is known to be one. */
      readonly user?: string
      /**
       * Stands for a name that is not known: a keyed hash, comparable within the life of the process. In clear it
       * might be a password in the wrong field.
       */
      readonly userHash?: string
      /** Which credential it was, as far as it could be read. */
      readonly shown?: ShownCredential | undefined
      /** When to come back, in seconds. */
      readonly retryAfter?: number
      /**
       * Takes the place, in the answer to this request, of the authenticator's challenge of the same
       * scheme: an error code (RFC 6750 §3.1), or what goes on with a negotiation.
       */
      readonly challenge?: string
    }
  | { readonly outcome: 'not-applicable' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }

/**
 * Turns one kind of inbound credential into facts about the caller.
 *
 * Legal outcomes, and no others:
 * - `authenticated`: the credential was present, well formed and proven.
 * - `rejected`: it was ours to judge and it is wrong. The chain stops here.
 * - `not-applicable`: this request carries no credential of our kind. The chain goes on.
 * - `unavailable`: we could not find out (directory down, deadline). The request fails closed.
 *
 * It gives the outcome at once where nothing has to be waited for. It must not throw for any of these; a throw is a
 * bug and is treated as `unavailable`.
 */
export interface Authenticator {
  /** Its name in the configuration. */
  readonly name: string
  /** The `WWW-Authenticate` challenges that invite its credential (RFC 9110 §11.6.1); may be none. */
  readonly challenges: readonly string[]
  /** Everywhere that its credential can stand in a request. */
  readonly locations: readonly CredentialLocation[]
  /** Where a standard lets its credential stand and it is not read: there it is a second one beside its own. */
  readonly unread?: readonly CredentialLocation[]
  authenticate(request: Request, signal: AbortSignal): MaybePromise<Authentication>
  /** The same credential at a login page, where the person can be asked for more. */
  readonly login?: PasswordLogin
}

/** A question that the person has to answer to be proven. Plain data; kept by us, and shown to nobody. */
export interface PasswordQuestion {
  /** As typed; not proven. */
  readonly user: string
  /** The question, for the person. */
  readonly message: string
  /** Whether the answer may be seen while it is typed. */
  readonly echo: boolean
  /** What the answer carries back, base64url. */
  readonly state: string
  /** What the question rests on: with another it cannot be answered. */
  readonly generation: string
  /** `ProvenCredential.credential`: of the password. */
  readonly credential: string
  /** How many were asked, with this one. */
  readonly count: number
}

/** What a person at a login page is told; beside the outcomes of an {@link Authenticator}. */
export type LoginStep =
  | Authentication
  | { readonly outcome: 'asked'; readonly question: PasswordQuestion }
  /** The question is not one that can be answered any more; nobody was asked. */
  | { readonly outcome: 'stale' }

/**
 * Proves a person's password, and what is asked beyond it. Whoever calls lets each question be answered
 * once: but for `too-many-attempts`, where nobody was asked, it is used up.
 */
export interface PasswordLogin {
  /** @param request shows the credential as any request does */
  begin(request: Request, signal: AbortSignal): Promise<LoginStep>
  /** @param source the caller's address */
  answer(question: PasswordQuestion, answer: string, source: string): Promise<LoginStep>
  /**
   * Looks up, without the password, the account that was proven with these facts. Never rejects.
   *
   * @param proven with an account reference
   */
  lookup(proven: ProvenAccount): Promise<LoginLookup>
}

/** The result of {@link PasswordLogin.lookup}; see `PasswordVerifier.lookup`. */
export type LoginLookup =
  | { readonly outcome: 'current'; readonly facts: ProvenCredential }
  | { readonly outcome: 'ended'; readonly code: AccountEnd }
  | { readonly outcome: 'unsupported' }
  | { readonly outcome: 'unavailable'; readonly cause: unknown }
