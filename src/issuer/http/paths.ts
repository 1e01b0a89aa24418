// Where the authorization server answers, below the root of its host; Envoy publishes these paths.

import { AUTHORIZATION_PATH } from '../../logins/session-client.ts'
import { UPSTREAM_CALLBACKS } from '../../logins/upstream-idp/upstream-idp.ts'

/** The endpoints of the protocols; clients find them in the metadata. */
export const ENDPOINTS = {
  authorization: AUTHORIZATION_PATH,
  token: '/token',
  introspection: '/introspect',
  revocation: '/revoke',
  userinfo: '/userinfo',
  pushed_authorization_request: '/par',
  device_authorization: '/device/authorize',
  code_verification: '/device',
  end_session: '/logout',
  jwks: '/jwks',
} as const

/** Where the provider takes the form of its logout page. */
export const LOGOUT_FORM = `${ENDPOINTS.end_session}/confirm`

/** Where it says that people are logged out; also the provider's. */
export const LOGGED_OUT = `${ENDPOINTS.end_session}/success`

/** Where people log in, for an authorization that is under way. */
export const LOGIN = '/login'

/** Where people see who they are here, and where they are logged in. */
export const ACCOUNT = '/account'

/** Below it people come back from the providers of others, each to a path of its own. */
export const PROVIDER_CALLBACKS = UPSTREAM_CALLBACKS

/** Each path that is answered is one of these, or below it. */
export const PUBLISHED_PREFIXES: readonly string[] = [
  LOGIN,
  ACCOUNT,
  ...Object.values(ENDPOINTS).filter((path) => path !== ENDPOINTS.device_authorization),
]

/** Redirect URI of a login that begins at the account page. */
export const ACCOUNT_RETURN = `${ACCOUNT}/back`

/** The same with the issuer's host. */
export const accountReturnOf = (issuer: string): string => new URL(ACCOUNT_RETURN, issuer).href
