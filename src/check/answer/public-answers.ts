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
  text: 'The request is malformed or ambiguous and was not forwarded. Correct it and try again.',
}
const REJECTED: PublicAnswer = {
  status: 401,
  text: 'The credential was not accepted. Check it and try again.',
}
const UNAVAILABLE: PublicAnswer = {
  status: 503,
  text: 'The request could not be checked. Try again later.',
}
const DENIED: PublicAnswer = {
  status: 403,
  text: 'Access denied. If you need access, ask the operator of this service.',
}

/** The public face of every refusal. */
export const PUBLIC_ANSWERS: Readonly<Record<Refusal, PublicAnswer>> = {
  'target-too-long': {
    status: 414,
    text: 'The request target (path and query) is too long. Shorten it.',
  },
  'header-fields-too-large': {
    status: 431,
    text: 'The header fields of the request are too large. Send fewer; in a browser, delete the cookies of this site.',
  },
  'too-many-parameters': {
    status: 400,
    text: 'The query of the request has too many parameters. Send fewer.',
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
    text: 'Impersonation (Impersonate-User headers, kubectl --as) is not allowed here. Remove it.',
  },
  'impersonation-malformed': MALFORMED,
  'no-route': {
    status: 403,
    text: 'No service is published at this host and path. Check the address.',
  },
  'credential-missing': {
    status: 401,
    text: 'Authentication required. See WWW-Authenticate.',
  },
  'credential-unsupported': {
    status: 401,
    text: 'This route does not accept this type of credential. See WWW-Authenticate.',
  },
  'credential-conflict': {
    status: 400,
    text: 'The request has more than one credential. Send only one.',
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
    text: 'Too many failed attempts. Wait and try again.',
  },
  'rate-limited': {
    status: 429,
    text: 'Too many requests from you or your network. Wait and try again.',
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
  'token-inactive': {
    status: 401,
    text: 'The token is not active. Obtain a new one, or log in again.',
  },
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
    text: 'Cross-origin request refused. Open the service in a tab of its own.',
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
    text: 'This identity contains a reserved name. Log in as another user.',
  },
  'identity-unrepresentable': {
    status: 403,
    text: 'This identity contains characters that cannot be forwarded. Ask the operator of this service.',
  },
  'identity-unmapped': {
    status: 403,
    text: 'A required attribute is missing in this credential. Ask the operator of this service.',
  },
  'identity-too-large': {
    status: 403,
    text: 'This identity has too many groups. Ask the operator of this service.',
  },
  'authenticator-unavailable': UNAVAILABLE,
  'rule-denied': DENIED,
  'no-rule': DENIED,
  'rule-failed': {
    status: 403,
    text: 'A rule could not be evaluated for this request. Ask the operator of this service.',
  },
  'operation-undefined': {
    status: 403,
    text: 'This API has no such operation. Check method and path.',
  },
  'scope-missing': {
    status: 403,
    text: 'Insufficient scope. Request a token with the scopes of this operation.',
  },
  'authorizer-unavailable': UNAVAILABLE,
  'header-unrepresentable': {
    status: 403,
    text: 'This identity contains characters that cannot be forwarded. Ask the operator of this service.',
  },
  'header-unmapped': {
    status: 403,
    text: 'A required identity attribute is missing. Ask the operator of this service.',
  },
  'header-reserved': {
    status: 403,
    text: 'The headers for this identity would contain a reserved name. Ask the operator of this service.',
  },
  'token-unmapped': {
    status: 403,
    text: 'A required identity attribute is missing. Ask the operator of this service.',
  },
  'token-reserved': {
    status: 403,
    text: 'The token for this identity would contain a reserved name. Ask the operator of this service.',
  },
  'token-missing': {
    status: 403,
    text: 'This route requires an access token. Send one in Authorization.',
  },
  'exchange-refused': {
    status: 403,
    text: 'The authorization server refused to exchange this token. Request a new token and try again.',
  },
  'headers-too-large': {
    status: 403,
    text: 'This identity, with all its groups, is too large to be forwarded. Ask the operator of this service.',
  },
  'certificate-unrepresentable': {
    status: 403,
    text: 'This identity cannot be represented in a certificate. Ask the operator of this service.',
  },
  'certificate-reserved': {
    status: 403,
    text: 'The certificate for this identity would contain a reserved name. Ask the operator of this service.',
  },
  'certificate-too-large': {
    status: 403,
    text: 'This identity, with all its groups, is too large for a certificate. Ask the operator of this service.',
  },
  'certificate-missing': {
    status: 403,
    text: 'This route requires a client certificate. Present one.',
  },
  'certificate-unreadable': {
    status: 403,
    text: 'The client certificate cannot be forwarded. Use another one.',
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
