// Why an authenticator can refuse, beyond what a password verifier says of an account.

import type { RejectionCode } from '../../src/authenticate/authenticator.ts'
import type { IdentityRefusal } from '../../src/identity/identity.ts'

/** Every other code of a rejection. */
export const REJECTIONS = [
  'token-expired',
  'token-not-yet-valid',
  'token-audience',
  'token-signature',
  'token-algorithm',
  'token-type',
  'token-claims',
  'token-key-unknown',
  'token-binding',
  'credential-conflict',
  'too-many-attempts',
  'token-inactive',
  'proof-invalid',
  'proof-replayed',
  'api-key-unknown',
  'api-key-expired',
  'session-ended',
  'cross-origin',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-not-yet-valid',
  'certificate-purpose',
  'certificate-weak',
  'certificate-revoked',
  'certificate-denied',
  'certificate-status-unknown',
  'identity-unmapped',
] as const satisfies readonly (RejectionCode | IdentityRefusal)[]
