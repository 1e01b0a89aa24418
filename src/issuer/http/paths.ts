// Where the authorization server answers, below the root of its host; Envoy publishes these paths.

import { AUTHORIZATION_PATH } from '../../logins/session-client.ts'
import { UPSTREAM_CALLBACKS } from '../../logins/upstream-idp/callbacks.ts'

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

/** The provider's page after a logout. */
export const LOGGED_OUT = `${ENDPOINTS.end_session}/success`

/** The login page of a pending authorization is below it. */
export const LOGIN = '/login'

/** The account page. */
export const ACCOUNT = '/account'

/** Below it, each upstream IdP has a redirect URI of its own. */
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
