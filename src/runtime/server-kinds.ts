// The kinds of servers that authz sends requests to, as metrics, traces and health name them.

/** Those that authenticators use. */
export const AUTHENTICATOR_SERVERS = ['ldap', 'radius', 'introspection', 'token-review'] as const

/** Those that routes use. */
export const ROUTE_SERVERS = ['access-review', 'token-exchange', 'client-credentials'] as const

/** Every kind whose requests are measured. */
export const SERVER_KINDS = [
  ...AUTHENTICATOR_SERVERS,
  ...ROUTE_SERVERS,
  'key-set',
  'ocsp',
  'crl',
  'upstream-idp',
  'redis',
  'sqlite',
] as const

/** One of {@link SERVER_KINDS}. */
export type ServerKind = (typeof SERVER_KINDS)[number]
