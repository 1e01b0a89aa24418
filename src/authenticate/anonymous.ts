// Callers that show nothing, where a route takes them. Who shows something is not nobody, whatever
// became of it.

import type { ProvenCredential } from '../identity/identity.ts'
import { anonymousSchema, type AnonymousConfig } from './anonymous-schema.ts'
import type { Authenticator } from './authenticator.ts'
import type { AuthenticatorKind } from './kind.ts'

/** Makes an authenticator that takes every caller for the same one. */
export const anonymousAuthenticator = (
  name: string,
  { user, groups }: Pick<ProvenCredential, 'user' | 'groups'>,
): Authenticator => {
  const facts: ProvenCredential = {
    method: 'anonymous',
    credential: 'none',
    user,
    groups,
    extra: {},
  }
  return {
    name,
    challenges: [],
    locations: [],
    authenticate({ headers }) {
      // A password or a token that no authenticator of the route wanted to judge.
      return headers.get('authorization') === undefined
        ? { outcome: 'authenticated', facts }
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
