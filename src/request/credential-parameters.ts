// Parameters of a query that hold credentials whatever the configuration reads: their values are withheld
// from every record.

/**
 * The names. What a standard puts there or names so: access and refresh tokens, codes, assertions and
 * client secrets (RFC 6749, RFC 6750 §2.3, RFC 7523 §2), the code verifier (RFC 7636), the token of revocation and
 * introspection (RFC 7009, RFC 7662), device and user codes (RFC 8628; the latter in
 * `verification_uri_complete`), tokens of an exchange (RFC 8693), ID and logout tokens (OpenID Connect Core §2,
 * RP-Initiated and Back-Channel Logout), SAML responses and artifacts (SAML bindings §3), WS-Federation's
 * `wresult`. And the names that APIs and signed URLs of object stores have for theirs.
 */
export const CREDENTIAL_PARAMETERS: readonly string[] = [
  'access_token',
  'refresh_token',
  'code',
  'code_verifier',
  'assertion',
  'client_assertion',
  'client_secret',
  'password',
  'token',
  'device_code',
  'user_code',
  'subject_token',
  'actor_token',
  'id_token',
  'id_token_hint',
  'logout_token',
  'SAMLResponse',
  'SAMLart',
  'wresult',
  'api_key',
  'apikey',
  'key',
  'secret',
  'jwt',
  'sig',
  'signature',
  'x-amz-signature',
  'x-amz-security-token',
  'x-goog-signature',
]
