// The client that our own routes are: known to our authorization server without configuration, since
// nothing of it is anybody's choice.

import type { ClientMetadata } from 'oidc-provider'
import { callbackOf, loggedOutOf, SESSION_CLIENT } from '../../logins/session-client.ts'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import type { SigningAlgorithm } from '../../keys/mint-schema.ts'
import { accountReturnOf } from '../http/paths.ts'

/** Where it is told that somebody has logged out; nobody but us asks there (logout-fetch.ts). */
export const BACKCHANNEL_PATH = '/.countersign/backchannel-logout'

/** Its metadata; `undefined` where nobody logs in. */
export const sessionClient = (
  { url, sessions, login, look }: AuthorizationServer,
  secret: string,
  algorithm: SigningAlgorithm,
): ClientMetadata | undefined => {
  if (login === undefined) return undefined
  const hosts = [...sessions.keys()]
  return {
    client_id: SESSION_CLIENT,
    // People do not know it by another: it asks them whether they want to log out.
    client_name: look.name,
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
