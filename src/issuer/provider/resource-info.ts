// A resource of the configuration, in the form of `oidc-provider`.

import type { ResourceServer as ProviderResource } from 'oidc-provider'
import type { ResourceServer } from '../../check/authorization-server.ts'

/** The format of its tokens: JWTs that services verify without introspection (RFC 9068). */
export const resourceInfo = ({ uri, config }: ResourceServer): ProviderResource => {
  const { scopes, audience = uri, lifetime, algorithm } = config
  return {
    scope: scopes.join(' '),
    audience,
    accessTokenTTL: Math.floor(lifetime / 1_000),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: algorithm } },
  }
}
