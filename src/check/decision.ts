// What a check comes to, and what is known along the way.

import type { Reason } from '../audit/event.ts'
import type { Permit, ShadowVerdict } from '../authorize/evaluate.ts'
import type { Rule } from '../authorize/policy.ts'
import type { Identity } from '../identity/identity.ts'
import type { ShownCredential } from '../identity/shown.ts'
import type { CheckAttributes } from '../request/attributes.ts'
import type { Request } from '../request/request.ts'
import type { Target } from '../request/target.ts'
import type { Credentials } from '../transform/apply.ts'
import type { LoginInvitation } from './answer/login-redirect.ts'
import type { Route } from './route.ts'

/** The outcome of a check. An `allow` cannot be built without a permit and its credentials. */
export type Decision =
  | {
      readonly outcome: 'allow'
      readonly reason: 'permitted'
      readonly permit: Permit
      readonly credentials: Credentials
    }
  | {
      readonly outcome: 'deny'
      readonly reason: Refusal
      /** The rule that refused, or that allowed what could then not be forwarded. */
      readonly rule?: string
      /** What stood in the way, for the operator's log; the caller never sees it. */
      readonly cause?: unknown
    }

/** Why a check was refused. */
export type Refusal = Exclude<Reason, 'permitted'>

/** A refusal. */
export type Denial = Extract<Decision, { outcome: 'deny' }>

/** What the phases have found out so far. Audit has it also when a later phase fails. */
export interface Trail {
  /** What Envoy said, also when it made no readable request. */
  attributes?: CheckAttributes
  request?: Request
  route?: Route
  /** The authenticator that decided, by name. */
  authenticator?: string
  /** Which credential was shown; only for audit. */
  shown?: ShownCredential
  /** The name that was claimed and not proven; only for audit. */
  claimedUser?: string
  /** Stands for a claimed name that is not known; only for audit. */
  claimedUserHash?: string
  /** When the caller may come back, in seconds, where that is known. */
  retryAfter?: number
  /** What takes the place of one of the challenges of the authenticator that decided. */
  challenge?: { readonly text: string; readonly of: readonly string[] }
  identity?: Identity
  /** What is asked for, in the words of the service. */
  target?: Target
  /** The rules in shadow that would have decided. */
  shadows?: readonly ShadowVerdict[]
  /** The rule that denied: it may have an answer of its own. */
  rule?: Rule
  /** What of rule, mapping or credential failed, for operators: place and reason, never a value. */
  detail?: string
  /** What a browser gets in place of a 401. */
  login?: LoginInvitation
  /** The scopes that the token would need. */
  missingScopes?: readonly string[]
}

/** How a refusal looks from outside. */
interface PublicAnswer {
  readonly status: 400 | 401 | 403 | 414 | 429 | 431 | 503
  /** What the caller reads: fixed, and the same for causes that only an attacker would compare. */
  readonly text: string
}

const MALFORMED: PublicAnswer = {
  status: 400,
  text: 'The request is malformed or ambiguous, so it was not forwarded.',
}
const REJECTED: PublicAnswer = {
  status: 401,
  text: 'The credential was not accepted. Check it and try again.',
}
const UNAVAILABLE: PublicAnswer = {
  status: 503,
  text: 'The request could not be checked just now. Try again in a moment.',
}
const DENIED: PublicAnswer = {
  status: 403,
  text: 'You are not allowed to do this.',
}

/** The public face of every refusal. */
export const PUBLIC_ANSWERS: Readonly<Record<Refusal, PublicAnswer>> = {
  'target-too-long': {
    status: 414,
    text: 'The address of the request (path and query) is longer than this service accepts. Shorten it.',
  },
  'header-fields-too-large': {
    status: 431,
    text: 'The request has more header fields than this service accepts, or longer ones. Send fewer; in a browser, delete the cookies of this site.',
  },
  'too-many-parameters': {
    status: 400,
    text: 'The query of the request has more parameters than this service accepts. Send fewer.',
  },
  'malformed-method': MALFORMED,
  'malformed-host': MALFORMED,
  'malformed-path': MALFORMED,
  'ambiguous-path': MALFORMED,
  'ambiguous-query': MALFORMED,
  'duplicate-credential': MALFORMED,
  'connection-nomination': MALFORMED,
  impersonation: {
    status: 403,
    text: 'Impersonation headers (Impersonate-User and the like, kubectl --as) are not allowed here.',
  },
  'impersonation-malformed': MALFORMED,
  'no-route': { status: 403, text: 'Nothing is published under this host and path.' },
  'credential-missing': {
    status: 401,
    text: 'You have to show who you are; WWW-Authenticate says how.',
  },
  'credential-unsupported': {
    status: 401,
    text: 'The credential is not of a kind that is taken here, or not enough by itself.',
  },
  'credential-conflict': {
    status: 400,
    text: 'The request shows more than one credential, and only one could be meant.',
  },
  'credential-malformed': REJECTED,
  'credential-wrong': REJECTED,
  'user-unknown': REJECTED,
  'user-disabled': REJECTED,
  'user-locked': REJECTED,
  'user-expired': REJECTED,
  'user-not-now': REJECTED,
  'password-expired': REJECTED,
  'password-must-change': REJECTED,
  'second-factor-required': REJECTED,
  'too-many-attempts': {
    status: 429,
    text: 'Too many attempts failed. Wait, and try again.',
  },
  'rate-limited': {
    status: 429,
    text: 'Too many requests of yours, or from your network, had to be checked. Wait, and try again.',
  },
  'token-expired': REJECTED,
  'token-not-yet-valid': REJECTED,
  'token-audience': REJECTED,
  'token-signature': REJECTED,
  'token-algorithm': REJECTED,
  'token-type': REJECTED,
  'token-claims': REJECTED,
  'token-key-unknown': REJECTED,
  'token-unbound': REJECTED,
  'token-inactive': REJECTED,
  'proof-invalid': REJECTED,
  'proof-replayed': REJECTED,
  'api-key-unknown': REJECTED,
  'api-key-expired': REJECTED,
  'session-ended': {
    status: 401,
    text: 'The session has ended. Log in again.',
  },
  'cross-origin': {
    status: 403,
    text: 'A page of another origin sent this request with the session of this browser.',
  },
  'certificate-untrusted': REJECTED,
  'certificate-expired': REJECTED,
  'certificate-not-yet-valid': REJECTED,
  'certificate-purpose': REJECTED,
  'certificate-weak': REJECTED,
  'certificate-revoked': REJECTED,
  'certificate-denied': REJECTED,
  'certificate-status-unknown': REJECTED,
  'identity-reserved': {
    status: 403,
    text: 'This identity holds a reserved name and may not be used here.',
  },
  'identity-unrepresentable': {
    status: 403,
    text: 'This identity holds characters that cannot be passed on.',
  },
  'identity-unmapped': {
    status: 403,
    text: 'What this credential says does not amount to an identity here.',
  },
  'identity-too-large': { status: 403, text: 'This identity has too many groups.' },
  'authenticator-unavailable': UNAVAILABLE,
  'rule-denied': DENIED,
  'no-rule': DENIED,
  'rule-failed': {
    status: 403,
    text: 'A rule could not be evaluated for this request, so it was not forwarded.',
  },
  'operation-undefined': {
    status: 403,
    text: 'The API that is published here has no such operation.',
  },
  'scope-missing': {
    status: 403,
    text: 'The token does not have the scopes that this operation needs.',
  },
  'authorizer-unavailable': UNAVAILABLE,
  'header-unrepresentable': {
    status: 403,
    text: 'This identity holds characters that cannot be passed on.',
  },
  'header-unmapped': {
    status: 403,
    text: 'What is known of this identity does not amount to what the service behind asks for.',
  },
  'header-reserved': {
    status: 403,
    text: 'The headers for this identity would hold a reserved name.',
  },
  'token-unmapped': {
    status: 403,
    text: 'What is known of this identity does not amount to what the service behind asks for.',
  },
  'token-reserved': {
    status: 403,
    text: 'The token for this identity would hold a reserved name.',
  },
  'token-missing': {
    status: 403,
    text: 'The service behind takes callers with an access token only.',
  },
  'exchange-refused': {
    status: 403,
    text: 'The login service refuses to exchange this token for one for the service behind.',
  },
  'headers-too-large': {
    status: 403,
    text: 'This identity, with all its groups, is too large to be passed on.',
  },
  'certificate-unrepresentable': {
    status: 403,
    text: 'This identity cannot be expressed as a certificate.',
  },
  'certificate-reserved': {
    status: 403,
    text: 'The certificate for this identity would hold a reserved name.',
  },
  'certificate-too-large': {
    status: 403,
    text: 'This identity, with all its groups, is too large for a certificate.',
  },
  'certificate-missing': {
    status: 403,
    text: 'This service is for callers who authenticate with a client certificate.',
  },
  'certificate-unreadable': {
    status: 403,
    text: 'The client certificate that was presented cannot be passed on.',
  },
  'credential-expired': REJECTED,
  'transform-unavailable': UNAVAILABLE,
  cancelled: UNAVAILABLE,
  'too-slow': UNAVAILABLE,
  fault: UNAVAILABLE,
  'audit-unavailable': UNAVAILABLE,
}

/** The HTTP status that the caller gets; 200 stands for "forwarded". */
export const statusOf = (decision: Decision, { rule, login }: Trail): number => {
  if (decision.outcome === 'allow') return 200
  if (login !== undefined) return login.status
  if (decision.reason !== 'rule-denied') return PUBLIC_ANSWERS[decision.reason].status
  if (rule?.redirect !== undefined) return 302
  return rule?.answer?.status ?? PUBLIC_ANSWERS['rule-denied'].status
}
