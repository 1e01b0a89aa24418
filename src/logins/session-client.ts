// The OAuth client that the routes of this configuration are: its name, and the paths that it uses on the hosts of
// routes. `check/` sends browsers there, `issuer/session/` serves them.

/** `client_id` of the routes at the authorization server. */
export const SESSION_CLIENT = 'countersign'

/** The authorization endpoint. */
export const AUTHORIZATION_PATH = '/authorize'

/** All paths of sessions on the hosts of routes begin so. */
export const SESSION_PREFIX = '/.countersign/'

/** Redirect URI of logins, on the host of the route. */
export const CALLBACK_PATH = `${SESSION_PREFIX}callback`

/** Begins a login. */
export const LOGIN_PATH = `${SESSION_PREFIX}login`

/** Begins a logout. */
export const LOGOUT_PATH = `${SESSION_PREFIX}logout`

/** Redirect URI of logouts, on the host of the route. */
export const LOGGED_OUT_PATH = `${SESSION_PREFIX}logged-out`

/** The origin of a route's host. It has the port of the issuer, since Envoy publishes both. */
export const originOf = (host: string, issuer: string): string => {
  const { port } = new URL(issuer)
  return `https://${host}${port === '' ? '' : `:${port}`}`
}

/** The redirect URI of a host. */
export const callbackOf = (host: string, issuer: string): string =>
  `${originOf(host, issuer)}${CALLBACK_PATH}`

/** The post-logout redirect URI of a host. */
export const loggedOutOf = (host: string, issuer: string): string =>
  `${originOf(host, issuer)}${LOGGED_OUT_PATH}`
