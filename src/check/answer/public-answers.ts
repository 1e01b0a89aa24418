// The public texts: what a client reads of each refusal.

import type { Decision } from '../decision.ts'
import type { Refusal } from './public-refusal.ts'

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
  'user-restricted': REJECTED,
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
  'token-binding': REJECTED,
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
  'deadline-exceeded': UNAVAILABLE,
  'internal-error': UNAVAILABLE,
  'audit-unavailable': UNAVAILABLE,
}

/** The HTTP status that the client gets; 200 for a request that is forwarded. */
export const statusOf = (decision: Decision): number => {
  if (decision.outcome === 'allow') return 200
  const { login, reason, deniedBy } = decision
  if (login !== undefined) return login.status
  if (reason !== 'rule-denied') return PUBLIC_ANSWERS[reason].status
  if (deniedBy?.redirect !== undefined) return 302
  return deniedBy?.answer?.status ?? PUBLIC_ANSWERS['rule-denied'].status
}
