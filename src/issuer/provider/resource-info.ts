// A resource of the configuration, as `oidc-provider` asks for it.

import type { ResourceServer as ProviderResource } from 'oidc-provider'
import type { ResourceServer } from '../../check/authorization-server.ts'

/** What its tokens are: JWTs that other services need not ask about (RFC 9068). */
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
