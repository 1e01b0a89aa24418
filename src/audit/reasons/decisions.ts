// Reasons of the phases after a credential was verified: identity, rules, credentials for the upstream, the answer.

import type { IdentityRefusal } from '../../identity/identity.ts'
import type { TransformFailure } from '../../transform/transformer.ts'
import type { ReasonExplanation } from './explanation.ts'

/** Proven credentials that yield no identity. */
export const IDENTITY_REASONS = {
  'identity-reserved': {
    cause:
      'The user or a group begins with `system:`, which belongs to Kubernetes. `detail` has the place.',
    remedy:
      'Rename it by `identity.groups.rename` or `identity.user`. If the upstream needs it, list it in `allowReserved`.',
  },
  'identity-unrepresentable': {
    cause:
      'A name or value of the identity is empty, has control characters, or a blank at an end: no header carries that unchanged.',
    remedy: 'Correct the entry at its source, or change it by an expression of `identity`.',
  },
  'identity-unmapped': {
    cause: 'An expression of `identity` fails for this credential. `detail` has the place.',
    remedy:
      'Write the expression for credentials without that attribute: `has(claims.groups) ? claims.groups : []`.',
  },
  'identity-too-large': {
    cause:
      'The identity has more groups or longer values than `identity.groups.max`, `maxBytes` or `identity.limits`. `detail` has the place.',
    remedy:
      'Select groups by `identity.groups.keep`, raise the limit, or set `onExcess: truncate`.',
  },
} as const satisfies Readonly<Record<IdentityRefusal, ReasonExplanation>>

/** Requests that the rules do not permit. */
export const RULE_REASONS = {
  'rule-denied': {
    cause: 'A `deny` rule matches. `rule` of the event has its name.',
    remedy: 'If it should not match, `countersign explain` shows each of its conditions.',
  },
  'no-rule': {
    cause: 'No rule matches, and what no rule allows is denied.',
    remedy: 'Add an `allow` rule. `countersign explain` shows which condition of each rule fails.',
  },
  'rule-failed': {
    cause: 'A condition of a rule cannot be evaluated for this request. `detail` has the reason.',
    remedy: 'Write the expression for requests without that attribute: `has(claims.team) && …`.',
  },
  'operation-undefined': {
    cause: 'The OpenAPI document of the route has no operation with this method and path.',
    remedy: 'Correct the request, update the document, or set `openapi.undefined: pass`.',
  },
  'scope-missing': {
    cause: 'The token lacks scopes that the operation requires in the OpenAPI document.',
    remedy: 'Request a token with the scopes in `WWW-Authenticate`.',
  },
  'authorizer-unavailable': {
    cause: 'A rule with `subjectAccessReview` needs the API server, which did not answer in time.',
    remedy: 'Read the log of authz for the cause, then `countersign doctor`.',
  },
} as const satisfies Readonly<Record<string, ReasonExplanation>>

/** Credentials for the upstream that cannot be made. */
export const TRANSFORM_REASONS = {
  'header-unrepresentable': {
    cause: 'A value has characters that the header cannot carry. `detail` has the header.',
    remedy: 'Set `encode` for the header in `forward.set`, or correct the value at its source.',
  },
  'header-unmapped': {
    cause: 'An expression of `forward.set` yields no value for this identity. `detail` has it.',
    remedy: 'Write the expression for identities without that attribute.',
  },
  'header-reserved': {
    cause: 'A header would contain a name that begins with `system:`.',
    remedy: 'Change the expression, or list the name in `allowReserved` of the authenticator.',
  },
  'headers-too-large': {
    cause:
      'The headers for the upstream exceed `forward.maxHeaderBytes`, the limits of Envoy, or 32 KiB for the identity alone.',
    remedy: 'Forward fewer groups: `identity.groups.keep`.',
  },
  'token-unmapped': {
    cause: 'An expression of the minted token fails for this identity. `detail` has the claim.',
    remedy: 'Write the expression for identities without that attribute.',
  },
  'token-reserved': {
    cause: 'The minted token would contain a name that begins with `system:`.',
    remedy: 'Change the expression, or list the name in `allowReserved` of the authenticator.',
  },
  'token-missing': {
    cause: 'The route exchanges the token of the caller, who authenticated without one.',
    remedy: 'Send an access token, or let the route accept tokens only.',
  },
  'exchange-refused': {
    cause:
      'The authorization server refused to exchange the token (RFC 8693). `detail` has its error.',
    remedy:
      'Look up the error in the log of that server: often audience, scope or client are not permitted.',
  },
  'certificate-unrepresentable': {
    cause: 'A value does not fit into its field of the certificate, by length or characters.',
    remedy: 'Change `forward.certificate`, or forward fewer groups.',
  },
  'certificate-reserved': {
    cause: 'The certificate would contain a name that begins with `system:`.',
    remedy:
      'Change `forward.certificate`, or list the name in `allowReserved` of the authenticator.',
  },
  'certificate-too-large': {
    cause: 'The certificate grant would be longer than what Envoy accepts as the name of a secret.',
    remedy: 'Forward fewer groups: `identity.groups.keep`.',
  },
  'certificate-missing': {
    cause: 'The route forwards the client certificate of the caller, who presented none.',
    remedy:
      'Present a client certificate. For callers without one set `forward.certificate.delegate.fallback`, or `certificateHeaders.missing: omit`.',
  },
  'certificate-unreadable': {
    cause: 'The client certificate was verified, but has a field that cannot be copied.',
    remedy: 'Use another certificate, or forward a certificate made from the identity.',
  },
  'credential-expired': {
    cause: 'The credential of the caller ends too soon for a token or certificate made from it.',
    remedy: 'Obtain a new credential, or log in again.',
  },
} as const satisfies Readonly<Record<TransformFailure, ReasonExplanation>>

/** Checks without a decision by rules. */
export const SERVICE_REASONS = {
  permitted: {
    cause: 'A rule allows the request, and every credential for the upstream was made.',
    remedy: 'None.',
  },
  'transform-unavailable': {
    cause: 'A token endpoint did not answer in time, or the signing key could not be used.',
    remedy: 'Read the log of authz for the cause, then `countersign doctor`.',
  },
  cancelled: {
    cause: 'The caller or Envoy closed the request before the decision.',
    remedy:
      'None, if it is rare. Otherwise compare `duration` of the events with Envoy’s `timeout`.',
  },
  'deadline-exceeded': {
    cause: 'The decision would have come after Envoy’s `timeout` for the check. `detail` has it.',
    remedy:
      'Find the slow server by the log and `countersign_dependency_up`. Envoy’s default of 200 ms is too short for passwords: raise `grpc_service.timeout`.',
  },
  'internal-error': {
    cause: 'An exception in Countersign. The request was refused.',
    remedy: 'Report it with the error that the log of authz has for this decision id.',
  },
  'audit-unavailable': {
    cause: 'The audit event could not be written, and `onAuditFailure` is `deny`.',
    remedy: 'Free space on the disk of `audit.file`, and check its permissions.',
  },
} as const satisfies Readonly<Record<string, ReasonExplanation>>
