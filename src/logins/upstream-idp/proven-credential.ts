// The credential that an upstream IdP's tokens are, as the input of its identity mapping.

import { tokenUser } from '../../identity/default-names.ts'
import type { ProvenCredential } from '../../identity/identity.ts'
import type { DerivedKeys } from '../../state/derived-keys.ts'
import type { UpstreamIdp, UpstreamTokens } from './upstream-idp.ts'

/** The credential of these tokens. */
export const provenCredentialOf = (
  { id, issuer }: Pick<UpstreamIdp, 'id' | 'issuer'>,
  { claims, signed, idToken }: UpstreamTokens,
  keys: DerivedKeys,
): ProvenCredential => ({
  method: 'bearer',
  digest: keys.of('login-credential', id, idToken).slice(0, FINGERPRINT_LENGTH),
  user: tokenUser(issuer, signed.sub),
  groups: [],
  extra: {},
  claims,
})

// As of other credentials (authenticate/credential-cache.ts).
const FINGERPRINT_LENGTH = 16
