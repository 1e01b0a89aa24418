// The OAuth client of the routes, registered without configuration, since all of its metadata follow from the routes.

import type { ClientMetadata } from 'oidc-provider'
import { callbackOf, loggedOutOf, SESSION_CLIENT } from '../../logins/session-client.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import type { SigningAlgorithm } from '../../keys/mint-schema.ts'
import { accountReturnOf } from '../http/paths.ts'

/** Its back-channel logout URI; logout tokens for it stay in the process (logout-fetch.ts). */
export const BACKCHANNEL_PATH = '/.countersign/backchannel-logout'

/** Its metadata; `undefined` without `issuer.login`. */
export const sessionClient = (
  { url, sessions, login }: AuthorizationServer,
  secret: string,
  algorithm: SigningAlgorithm,
): ClientMetadata | undefined => {
  if (login === undefined) return undefined
  const hosts = [...sessions.keys()]
  return {
    client_id: SESSION_CLIENT,
    client_secret: secret,
    token_endpoint_auth_method: 'client_secret_post',
    application_type: 'web',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [accountReturnOf(url), ...hosts.map((host) => callbackOf(host, url))],
    post_logout_redirect_uris: hosts.map((host) => loggedOutOf(host, url)),
    id_token_signed_response_alg: algorithm,
    backchannel_logout_uri: new URL(BACKCHANNEL_PATH, url).href,
    backchannel_logout_session_required: true,
  }
}
