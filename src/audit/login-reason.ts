// The reason codes of refused logins, as a type. `reasons/` explains each.

import type { RejectionCode } from '../authenticate/authenticator.ts'
import type { IdentityRefusal } from '../identity/identity.ts'

/** Why a login was refused. */
export type LoginRefusal =
  | RejectionCode
  | IdentityRefusal
  | 'credential-missing' // no certificate, say
  | 'authenticator-unavailable' // or the upstream IdP
  | 'provider-refused' // an error response of the upstream IdP
  | 'provider-response-invalid' // its response does not match the request, or is from another issuer
  | 'token-unmapped'
  | 'token-reserved'
  | 'credential-expired'
