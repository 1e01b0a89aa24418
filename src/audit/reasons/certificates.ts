// Reasons of the signer: why it made no certificate.

import type { CertificateRefusal } from '../reason.ts'
import type { ReasonExplanation } from './explanation.ts'

const LIMIT = 'Compare `forward.certificate` of the route with `limits` of the CA in `signer.yaml`.'

/** Every reason of `certificate-refused`. */
export const ISSUANCE_REASONS = {
  'handle-malformed': {
    cause: 'Envoy requested a secret whose name is not a certificate handle.',
    remedy:
      'Use the Envoy configuration of `countersign envoy generate`. `countersign envoy lint` finds differences.',
  },
  'grant-key-unknown': {
    cause: 'The grant is sealed with a key that the signer’s keyring does not have.',
    remedy: 'Give authz and the signer the same keyring. During a rotation the signer comes first.',
  },
  'grant-forged': {
    cause: 'The grant was changed after authz had sealed it.',
    remedy: 'Only authz can seal grants: find out which client of the socket sent it.',
  },
  'grant-malformed': {
    cause: 'The grant was sealed by authz, but cannot be read.',
    remedy: 'Run the same release of authz and signer.',
  },
  'authority-unknown': {
    cause: '`signer.yaml` has no CA with the name in `forward.certificate.ca`.',
    remedy: 'Add the CA to `authorities`, or correct the route.',
  },
  'grant-expired': {
    cause: 'The certificate would end now, or has ended already.',
    remedy: 'None, if it is rare: Envoy still holds an old handle. Otherwise compare the clocks.',
  },
  'grant-not-yet-valid': {
    cause: 'The certificate would begin in the future.',
    remedy: 'Synchronise the clocks of authz and signer.',
  },
  'lifetime-exceeded': {
    cause: 'The certificate would be valid for longer than `limits.lifetime`.',
    remedy: 'Shorten `forward.certificate.lifetime`, or raise the limit.',
  },
  'authority-expires': {
    cause: 'The certificate would outlive the CA. `detail` has the end of the CA.',
    remedy: 'Renew the CA. `countersign_authority_not_after_timestamp_seconds` warns in time.',
  },
  'subject-refused': {
    cause:
      'The subject is empty, or has an attribute or value that `limits.subject` does not permit.',
    remedy: LIMIT,
  },
  'name-refused': {
    cause: 'An alternative name is not permitted by `limits.subjectAltName`.',
    remedy: LIMIT,
  },
  'value-reserved': {
    cause: 'A value begins with `system:`, and `limits.reserved` does not list it.',
    remedy: 'List it in `limits.reserved` where the upstream needs it.',
  },
  'value-unrepresentable': {
    cause: 'A value has control characters, or blanks at an end.',
    remedy: 'Correct the value at its source.',
  },
  'key-usage-refused': {
    cause: 'The key usage is not permitted by `limits.keyUsage`.',
    remedy: LIMIT,
  },
  'purpose-refused': {
    cause: 'An extended key usage is not permitted by `limits.extendedKeyUsage`.',
    remedy: LIMIT,
  },
  'policy-refused': {
    cause: 'A certificate policy is not permitted by `limits.policies`.',
    remedy: LIMIT,
  },
  'extension-refused': {
    cause: 'An extension is not permitted by `limits.extensions`.',
    remedy: LIMIT,
  },
  'rate-limited': {
    cause: 'More certificates were requested than `limits.rate` permits. `detail` has the limit.',
    remedy: 'Raise the limit, or lengthen `forward.certificate.lifetime`.',
  },
  'authority-unavailable': {
    cause: 'The key of the CA could not sign.',
    remedy: 'Read the log of the signer for the cause.',
  },
  'issued-mismatch': {
    cause: 'The certificate differs from the grant. It did not leave the signer.',
    remedy: 'Report it with the event: this is a fault of Countersign.',
  },
  'audit-unavailable': {
    cause: 'The issuance could not be recorded, so the certificate did not leave the signer.',
    remedy: 'Free space on the disk of `audit.file`, and check its permissions.',
  },
  'internal-error': {
    cause: 'An exception in the signer. No certificate was issued.',
    remedy: 'Report it with the error in the log of the signer.',
  },
} as const satisfies Readonly<Record<CertificateRefusal, ReasonExplanation>>
