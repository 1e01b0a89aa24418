// Requests without any credential, where a route accepts them. A request with a credential is not anonymous, whatever
// its outcome.

import type { ProvenCredential } from '../identity/identity.ts'
import { anonymousSchema, type AnonymousConfig } from './anonymous-schema.ts'
import type { Authenticator } from './authenticator.ts'
import type { AuthenticatorKind } from './kind.ts'

/** Makes an authenticator that authenticates every such request as one configured user. */
export const anonymousAuthenticator = (
  name: string,
  { user, groups }: Pick<ProvenCredential, 'user' | 'groups'>,
): Authenticator => {
  const credential: ProvenCredential = {
    method: 'anonymous',
    digest: 'none',
    user,
    groups,
    extra: {},
  }
  return {
    name,
    challenges: [],
    locations: [],
    authenticate({ headers }) {
      // Authorization has a credential that no authenticator of the route verifies.
      return headers.get('authorization') === undefined
        ? { outcome: 'authenticated', credential }
        : { outcome: 'not-applicable' }
    },
  }
}

/** The kind `anonymous`. */
export const anonymous = {
  schema: anonymousSchema,
  subject: 'account',
  method: 'anonymous',
  proves: [],
  locations: () => [],
  build: anonymousAuthenticator,
} as const satisfies AuthenticatorKind<AnonymousConfig>
