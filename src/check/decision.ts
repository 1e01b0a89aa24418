// The outcome of a check, with what is known of it.

import type { Permit } from '../authorize/evaluate.ts'
import type { Rule } from '../authorize/policy.ts'
import type { Credentials } from '../transform/apply.ts'
import type { LoginInvitation } from './answer/login-redirect.ts'
import type { Refusal } from './answer/public-refusal.ts'
import type { CheckContext, PermittedContext } from './context.ts'

/** The request is forwarded. Cannot be built without a permit and its credentials. */
export interface Allowance {
  readonly outcome: 'allow'
  readonly reason: 'permitted'
  readonly context: PermittedContext
  readonly permit: Permit
  readonly credentials: Credentials
}

/** The request is refused. */
export interface Denial extends DenialDetails {
  readonly outcome: 'deny'
  readonly reason: Refusal
  readonly context: CheckContext
}

/** What is known of a refusal beyond its reason. */
export interface DenialDetails {
  /** The name of the rule that refused, or that allowed what could then not be forwarded. */
  readonly rule?: string
  /** The rule that denied: it may have an answer of its own. */
  readonly deniedBy?: Rule
  /** What failed, for the operator's log; never sent to the client. */
  readonly cause?: unknown
  /** What of rule, mapping or credential failed, for audit; see `DecisionEvent`. */
  readonly detail?: string
  /** The name that was claimed and not proven; for audit alone. */
  readonly claimedUser?: string
  /** The keyed hash of a claimed name that no user has; for audit alone. */
  readonly claimedUserHash?: string
  /** Seconds after which the client may try again, where that is known. */
  readonly retryAfter?: number
  /** Replaces one of the challenges (`of`) of the authenticator that rejected the credential. */
  readonly challenge?: { readonly text: string; readonly of: readonly string[] }
  /** What a browser gets in place of a 401. */
  readonly login?: LoginInvitation
  /** The scopes that the token lacks. */
  readonly missingScopes?: readonly string[]
}

/** The outcome of a check. */
export type Decision = Allowance | Denial

/** A refusal, with what is known. */
export const deny = (context: CheckContext, reason: Refusal, details?: DenialDetails): Denial => ({
  outcome: 'deny',
  reason,
  context,
  ...details,
})
