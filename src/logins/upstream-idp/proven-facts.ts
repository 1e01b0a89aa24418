// Who somebody is here that a provider of others knows.

import { tokenUser } from '../../identity/default-names.ts'
import type { Facts } from '../../identity/identity.ts'
import type { OpaqueKeys } from '../../state/opaque-keys.ts'
import type { UpstreamIdp, UpstreamTokens } from './upstream-idp.ts'

/** What a provider proved, for its mapping. */
export const provenFactsOf = (
  { id, issuer }: Pick<UpstreamIdp, 'id' | 'issuer'>,
  { claims, signed, idToken }: UpstreamTokens,
  keys: OpaqueKeys,
): Facts => ({
  method: 'bearer',
  credential: keys.of('login-credential', id, idToken).slice(0, FINGERPRINT_LENGTH),
  user: tokenUser(issuer, signed.sub),
  groups: [],
  extra: {},
  claims,
})

// As that of other credentials (authenticate/facts.ts).
const FINGERPRINT_LENGTH = 16
