// What an upstream IdP proved of a user, as the input of its identity mapping.

import { tokenUser } from '../../identity/default-names.ts'
import type { ProvenCredential } from '../../identity/identity.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'
import type { UpstreamIdp, UpstreamTokens } from './upstream-idp.ts'

/** The proven facts of its tokens. */
export const provenFactsOf = (
  { id, issuer }: Pick<UpstreamIdp, 'id' | 'issuer'>,
  { claims, signed, idToken }: UpstreamTokens,
  keys: OpaqueKeys,
): ProvenCredential => ({
  method: 'bearer',
  credential: keys.of('login-credential', id, idToken).slice(0, FINGERPRINT_LENGTH),
  user: tokenUser(issuer, signed.sub),
  groups: [],
  extra: {},
  claims,
})

// As of other credentials (authenticate/credential-cache.ts).
const FINGERPRINT_LENGTH = 16
