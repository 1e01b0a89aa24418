// The claims of a token that this process has just made, and that left it through no socket. Its signature
// would prove nothing further (OpenID Connect Core §3.1.3.7, 6), so it is not verified.

import type { Claims } from '../../identity/claims.ts'
import { isJsonObject } from '../../runtime/json-object.ts'
import { parseJson } from '../../runtime/strict-json.ts'

/** The claims; `undefined` where the payload is not a JSON object. */
export const idTokenClaims = (token: string): Claims | undefined => {
  const [, payload = ''] = token.split('.')
  const claims: unknown = parseJson(Buffer.from(payload, 'base64url').toString('utf8'))
  return isJsonObject(claims) ? claims : undefined
}
