// Reasons that only logins have: those of upstream IdPs, and of logins that end.

import type { AccountEnd } from '../../authenticate/password/verifier.ts'
import type { LoginRefusal } from '../login-reason.ts'
import type { Reason } from '../reason.ts'
import type { ReasonExplanation } from './explanation.ts'

/** Reasons of `login` and details of `login-ended` that no decision has. */
export const LOGIN_REASONS = {
  'provider-refused': {
    cause: 'The upstream IdP answered with an error. `detail` has it.',
    remedy:
      'Look up the error in the log of the IdP: often the client, its secret or its redirect URI are wrong.',
  },
  'provider-response-invalid': {
    cause:
      'The response of the upstream IdP does not belong to the request, is of another issuer, or its ID token is not valid.',
    remedy: 'Begin the login again. If it fails again, compare `issuer` and the clocks.',
  },
  'user-replaced': {
    cause: 'The directory has another entry with the name of this user.',
    remedy: 'Log in again.',
  },
  'password-changed': {
    cause: 'The password was changed after the login.',
    remedy: 'Log in again with the new password.',
  },
} as const satisfies Readonly<Record<Exclude<LoginRefusal | AccountEnd, Reason>, ReasonExplanation>>
