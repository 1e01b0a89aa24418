// good.yaml with a host for logins, and a host whose routes use sessions.

import {
  API_ROUTE,
  CLUSTERS,
  extension,
  FILTERS,
  HOSTS,
  partOf,
  type Change,
  type Fault,
} from './case.ts'

export const EXT_AUTHZ = 'envoy.filters.http.ext_authz'
export const OFF = {
  [EXT_AUTHZ]: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
    disabled: true,
  },
}
export const BUFFER = 'envoy.filters.http.buffer'
export const RATE_LIMIT = 'envoy.filters.http.local_ratelimit'
export const SOURCE = 'x-countersign-source'
export const CERTIFICATE = 'x-countersign-certificate'

const header = (key: string, value: string): object => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
})

const ALWAYS = { default_value: { numerator: 100, denominator: 'HUNDRED' } }
const BOUNDS = {
  [RATE_LIMIT]: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit',
    stat_prefix: 'issuer',
    token_bucket: { max_tokens: 1000, tokens_per_fill: 200, fill_interval: '1s' },
    filter_enabled: ALWAYS,
    filter_enforced: ALWAYS,
  },
  [BUFFER]: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute',
    buffer: { max_request_bytes: 65_536 },
  },
}

/** The filters that a route to the issuer turns on. */
const BOUNDING: readonly object[] = [
  {
    ...extension(RATE_LIMIT, 'filters.http.local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: 'issuer',
    }),
    disabled: true,
  },
  {
    ...extension(BUFFER, 'filters.http.buffer.v3.Buffer', { max_request_bytes: 65_536 }),
    disabled: true,
  },
]

export const route = (match: object, further: object = SAYING): object => ({
  match,
  route: {
    cluster: 'countersign:issuer',
    timeout: '15s',
    max_stream_duration: { max_stream_duration: '25s' },
  },
  // Copies: a fault is in one route.
  typed_per_filter_config: structuredClone({ ...OFF, ...BOUNDS }),
  ...structuredClone(further),
})

/** What Envoy is to say of callers. */
export const SAYING = {
  request_headers_to_remove: [SOURCE, CERTIFICATE],
  request_headers_to_add: [
    header(SOURCE, '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%'),
    header(CERTIFICATE, '%DOWNSTREAM_PEER_CERT%'),
  ],
}

/** The host of the issuer. */
export const ISSUER_HOST = `${HOSTS}[3]`
/** Its route to the login page. */
export const LOGIN_ROUTE = `${ISSUER_HOST}.routes[1]`
/** The one by which logins come back. */
export const SESSION_ROUTE = `${HOSTS}[1].routes[0]`

/** The additions to good.yaml for logins. */
export const PUBLISHED: readonly Change[] = [
  [
    `${CLUSTERS}[4]`,
    {
      name: 'countersign:issuer',
      type: 'STATIC',
      load_assignment: {
        cluster_name: 'countersign:issuer',
        endpoints: [
          {
            lb_endpoints: [
              { endpoint: { address: { pipe: { path: '/run/countersign/issuer.sock' } } } },
            ],
          },
        ],
      },
    },
  ],
  [
    ISSUER_HOST,
    {
      name: 'id.example.org',
      domains: ['id.example.org'],
      routes: [
        route({ path: '/.well-known/openid-configuration' }, {}),
        route({ path_separated_prefix: '/login' }),
        route({ path_separated_prefix: '/token' }),
      ],
    },
  ],
  [
    `${HOSTS}[1].routes`,
    [route({ prefix: '/.countersign/' }), partOf(API_ROUTE), partOf(`${HOSTS}[1].routes[1]`)],
  ],
  // In front of the router.
  ...[...BOUNDING, partOf(`${FILTERS}[3]`)].map((filter, index): Change => [
    `${FILTERS}[${3 + index}]`,
    filter,
  ]),
]

/** What countersign.yaml says of it. */
export const LOGINS = { sessionHosts: new Set(['api.example.org']), certificateLogin: true }

// A listener for the issuer alone, without authz and early removals.
const OWN_LISTENER = 'static_resources.listeners[1]'
export const OWN_ROUTE = `${OWN_LISTENER}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0]`

/** The same, with the login page on a listener of its own. */
export const APART: readonly Change[] = [
  ...PUBLISHED,
  [ISSUER_HOST],
  [
    OWN_LISTENER,
    {
      name: 'login',
      address: { socket_address: { address: '0.0.0.0', port_value: 8444 } },
      filter_chains: [
        {
          filters: [
            extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
              stat_prefix: 'login',
              route_config: {
                virtual_hosts: [
                  { name: 'all', domains: ['*'], routes: [route({ prefix: '/' }, SAYING)] },
                ],
              },
              http_filters: [...BOUNDING, partOf(`${FILTERS}[3]`)],
            }),
          ],
        },
      ],
    },
  ],
]

export const fault = (
  rule: string,
  name: string,
  change: readonly Change[],
  at: Fault['at'],
  more: Partial<Fault> = {},
): Fault => ({
  rule,
  name,
  change: [...PUBLISHED, ...change],
  severity: 'error',
  at,
  expected: LOGINS,
  ...more,
})
