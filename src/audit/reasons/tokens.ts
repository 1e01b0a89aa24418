// Reasons about tokens and client certificates that callers present.

import type { PathFault } from '../../pki/path-rules.ts'
import type { ReasonExplanation } from './explanation.ts'

/** Tokens that are not accepted. */
export const TOKEN_REASONS = {
  'token-expired': {
    cause: 'The token is past its `exp`. `detail` has the time.',
    remedy: 'Obtain a new token. If it is new, compare the clocks: `countersign doctor`.',
  },
  'token-not-yet-valid': {
    cause: 'The `nbf` or `iat` of the token is in the future, by more than `skew`.',
    remedy: 'Synchronise the clocks of the issuer and of authz.',
  },
  'token-audience': {
    cause: 'The `aud` of the token contains none of `audiences`. `detail` has both.',
    remedy: 'Request a token for this audience, or add the audience that it has to `audiences`.',
  },
  'token-signature': {
    cause: 'The signature does not match the key of the issuer.',
    remedy:
      'The token is changed, cut, or of another issuer with the same `iss`. If all tokens are affected, compare `keys` with the issuer’s key set.',
  },
  'token-algorithm': {
    cause: 'The `alg` of the token is not in `algorithms`. `detail` has both.',
    remedy: 'Add the algorithm, or change it at the issuer. `none` and HMAC are never accepted.',
  },
  'token-type': {
    cause:
      'The `typ` of the token is not accepted: `kind: access` requires `at+jwt` (RFC 9068), and `any` accepts `JWT` too. `detail` has both.',
    remedy: 'Send an access token, not an ID token, or set `kind: any`.',
  },
  'token-claims': {
    cause:
      'The token lacks `exp` or `sub`, introspection names another issuer, or the condition `require` does not hold.',
    remedy: 'Compare the claims of the token with `require` and `issuer` of the authenticator.',
  },
  'token-key-unknown': {
    cause: 'The key set has no key with this `kid` and algorithm. `detail` has the known ones.',
    remedy:
      'If the issuer has just rotated its keys, it published the key too late. Otherwise the token is of another issuer. Look at `countersign_token_keys_age_seconds`.',
  },
  'token-binding': {
    cause:
      'The token is bound to a client certificate or a DPoP key (`cnf`) that the caller did not prove, or it is not bound where `dpop.require` demands it.',
    remedy:
      'Send the token together with the certificate or key for which it was issued. Envoy must send the certificate to authz (`include_peer_certificate`).',
  },
  'token-inactive': {
    cause:
      'The introspection endpoint, the API server, or Countersign’s own issuer says that the token is not valid: revoked, expired, or unknown.',
    remedy: 'Obtain a new token, or log in again.',
  },
  'proof-invalid': {
    cause: 'The DPoP proof is missing, is of another request, or is too old (RFC 9449 §4.3).',
    remedy:
      'Send one new proof for each request, with this method and URL. Behind a proxy that changes the URL, set `dpop.origins`. Compare the clocks.',
  },
  'proof-replayed': {
    cause: 'A DPoP proof with this `jti` was already used.',
    remedy: 'Make a new proof for each request, also for a repeated one.',
  },
} as const satisfies Readonly<Record<string, ReasonExplanation>>

/** Client certificates that are not accepted. */
export const CERTIFICATE_REASONS = {
  'certificate-untrusted': {
    cause: 'No path leads from the certificate to a CA in `trust`.',
    remedy:
      'Present the certificate with its intermediates, or add them to `intermediates`. Check that `trust` has the right CA, and its name constraints.',
  },
  'certificate-expired': {
    cause: 'The certificate, or a CA in its path, has expired.',
    remedy: 'Renew it. Compare the clock of authz.',
  },
  'certificate-not-yet-valid': {
    cause: 'The certificate, or a CA in its path, is not yet valid.',
    remedy: 'Compare the clocks of the CA and of authz.',
  },
  'certificate-purpose': {
    cause: 'The certificate has none of the extended key usages in `purposes`.',
    remedy: 'Use a certificate for client authentication, or add its purpose to `purposes`.',
  },
  'certificate-weak': {
    cause: 'A key or a signature in the path is too weak, such as RSA below 2048 bits or SHA-1.',
    remedy: 'Issue a new certificate with a stronger key and signature.',
  },
  'certificate-revoked': {
    cause: 'The CA has revoked the certificate, or a CA in its path.',
    remedy: 'Issue a new certificate.',
  },
  'certificate-denied': {
    cause: 'The certificate is in the list `revocation.denied`.',
    remedy: 'Issue a new certificate, or remove the entry.',
  },
  'certificate-status-unknown': {
    cause: 'The OCSP responder does not know the certificate, and neither does another source.',
    remedy:
      'Check that the responder is that of the CA of the certificate. `revocation.unknown: allow` accepts such certificates.',
  },
} as const satisfies Readonly<
  Record<
    PathFault | 'certificate-revoked' | 'certificate-denied' | 'certificate-status-unknown',
    ReasonExplanation
  >
>
