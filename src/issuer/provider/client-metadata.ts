// The configured clients, as OAuth 2.0 Dynamic Client Registration (RFC 7591 §2) describes them.

import type { ClientMetadata } from 'oidc-provider'
import type { RegisteredClient } from '../../check/authorization-server.ts'
import { isNative, type ClientGrant } from '../../configuration/client-schema.ts'
import type { SigningAlgorithm } from '../../keys/mint-schema.ts'
import { TOKEN_EXCHANGE } from './token-exchange.ts'

const GRANT_TYPES: Readonly<Record<ClientGrant, string>> = {
  authorization_code: 'authorization_code',
  refresh_token: 'refresh_token',
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  client_credentials: 'client_credentials',
  token_exchange: TOKEN_EXCHANGE,
}

/** @param algorithm what ID tokens are signed with */
export const clientMetadata = (
  { id, config, secret }: RegisteredClient,
  algorithm: SigningAlgorithm,
): ClientMetadata => {
  const { name = id, method, grantTypes, redirectUris, postLogoutRedirectUris } = config
  const { backchannelLogout } = config
  return {
    client_id: id,
    client_name: name,
    application_type: redirectUris.some(isNative) ? 'native' : 'web',
    grant_types: grantTypes.map((grant) => GRANT_TYPES[grant]),
    response_types: grantTypes.includes('authorization_code') ? ['code'] : [],
    redirect_uris: [...redirectUris],
    post_logout_redirect_uris: [...postLogoutRedirectUris],
    id_token_signed_response_alg: algorithm,
    ...(secret === undefined
      ? { token_endpoint_auth_method: 'none' }
      : { token_endpoint_auth_method: `client_secret_${method}`, client_secret: secret }),
    ...(backchannelLogout !== undefined && {
      backchannel_logout_uri: backchannelLogout,
      backchannel_logout_session_required: true,
    }),
  }
}
