// The reason codes of decisions and of refused certificates, as types. `reasons/` explains each.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { OpeningFailure } from '../grant/seal.ts'
import type { IdentityRefusal } from '../identity/identity.ts'
import type { RequestRefusal } from '../request/request.ts'
import type { TargetRefusal } from '../request/target.ts'
import type { TransformFailure } from '../transform/transformer.ts'

/** Why a request was decided as it was; exactly one for each decision. */
export type Reason =
  | 'permitted'
  | RequestRefusal
  | TargetRefusal
  | 'no-route'
  | 'credential-missing'
  | 'credential-unsupported'
  | RejectionCode
  | IdentityRefusal
  | 'authenticator-unavailable'
  | 'rate-limited' // this caller has used up its share of requests to a server; none was sent
  | 'rule-denied'
  | 'no-rule'
  | 'rule-failed' // a condition could not be evaluated
  | 'operation-undefined' // the OpenAPI document has none, and the route refuses those
  | 'scope-missing'
  | 'authorizer-unavailable' // the API server that reviews access for a rule
  | TransformFailure
  | 'transform-unavailable'
  | 'cancelled' // the caller left
  | 'deadline-exceeded' // the answer would have come after Envoy's deadline
  | 'internal-error'
  | 'audit-unavailable'

/** Why the signer made no certificate. */
export type CertificateRefusal =
  | OpeningFailure
  | 'authority-unknown'
  | 'grant-expired'
  | 'grant-not-yet-valid'
  | 'lifetime-exceeded'
  | 'authority-expires'
  | 'subject-refused'
  | 'name-refused'
  | 'value-reserved'
  | 'value-unrepresentable'
  | 'key-usage-refused'
  | 'purpose-refused'
  | 'policy-refused'
  | 'extension-refused'
  | 'rate-limited'
  | 'authority-unavailable'
  | 'issued-mismatch'
  | 'audit-unavailable'
  | 'internal-error'
