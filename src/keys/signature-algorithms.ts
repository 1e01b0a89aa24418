// The signature algorithms that tokens of other issuers may have, as configurations name them.

/** Signature algorithms (RFC 7518 §3.1, RFC 8037, RFC 9864): public-key ones only. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
