// Faults of routes to the issuer: good.yaml with a host where people log in, and one whose routes take
// sessions.

import {
  API_ROUTE,
  CLUSTERS,
  extension,
  FILTERS,
  HOSTS,
  partOf,
  PER_FILTER,
  type Change,
  type Fault,
} from './case.ts'

const EXT_AUTHZ = 'envoy.filters.http.ext_authz'
const OFF = {
  [EXT_AUTHZ]: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
    disabled: true,
  },
}
const SOURCE = 'x-countersign-source'
const CERTIFICATE = 'x-countersign-certificate'

const header = (key: string, value: string): object => ({
  header: { key, value },
  append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
})

const route = (match: object, further: object = SAYING): object => ({
  match,
  route: { cluster: 'countersign:issuer', timeout: '15s' },
  // Copies: a fault is in one route.
  typed_per_filter_config: structuredClone(OFF),
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

/** What makes good.yaml one where people log in. */
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
]

/** What countersign.yaml says of it. */
export const LOGINS = { sessionHosts: new Set(['api.example.org']), certificateLogin: true }

// A listener for the issuer alone, which asks nobody and removes nothing early.
const OWN_LISTENER = 'static_resources.listeners[1]'
const OWN_ROUTE = `${OWN_LISTENER}.filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].routes[0]`

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
              http_filters: [partOf(`${FILTERS}[3]`)],
            }),
          ],
        },
      ],
    },
  ],
]

const fault = (
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

const judged: readonly Fault[] = [
  fault(
    'issuer-judged',
    'the login page is behind authz',
    [[`${LOGIN_ROUTE}.typed_per_filter_config`]],
    `${LOGIN_ROUTE}.typed_per_filter_config`,
  ),
  fault(
    'issuer-judged',
    'where logins come back is behind authz',
    [[`${SESSION_ROUTE}.${PER_FILTER}`, { ...OFF[EXT_AUTHZ], disabled: false }]],
    `${SESSION_ROUTE}.typed_per_filter_config`,
  ),
  fault(
    'issuer-judged',
    'the documents are',
    [[`${ISSUER_HOST}.routes[0].typed_per_filter_config`]],
    `${ISSUER_HOST}.routes[0].typed_per_filter_config`,
    { expected: {} },
  ),
]

const wrongly: readonly Fault[] = [
  fault(
    'issuer-caller-wrong',
    'an address that the caller says',
    [[`${LOGIN_ROUTE}.request_headers_to_add[0].header.value`, '%REQ(X-FORWARDED-FOR)%']],
    `${LOGIN_ROUTE}.request_headers_to_add[0].header.value`,
  ),
  fault(
    'issuer-caller-wrong',
    'an address with a port',
    [[`${LOGIN_ROUTE}.request_headers_to_add[0].header.value`, '%DOWNSTREAM_REMOTE_ADDRESS%']],
    `${LOGIN_ROUTE}.request_headers_to_add[0].header.value`,
  ),
  fault(
    'issuer-caller-wrong',
    'a certificate in another form',
    [
      [
        `${SESSION_ROUTE}.request_headers_to_add[1].header.value`,
        '%DOWNSTREAM_PEER_FINGERPRINT_256%',
      ],
    ],
    `${SESSION_ROUTE}.request_headers_to_add[1].header.value`,
  ),
]

const unsaid: readonly Fault[] = [
  fault(
    'issuer-caller-unsaid',
    'no address',
    [[`${LOGIN_ROUTE}.request_headers_to_add[0]`]],
    `${LOGIN_ROUTE}.request_headers_to_add`,
    { severity: 'warning' },
  ),
  fault(
    'issuer-caller-unsaid',
    'no certificate, and people log in with one',
    [[`${LOGIN_ROUTE}.request_headers_to_add[1]`]],
    `${LOGIN_ROUTE}.request_headers_to_add`,
  ),
  fault(
    'issuer-caller-unsaid',
    'what the route says is removed by its host',
    [[`${ISSUER_HOST}.request_headers_to_remove`, ['X-Countersign-Certificate']]],
    [1, 2].map((index) => `${ISSUER_HOST}.routes[${index}].request_headers_to_add`),
  ),
]

const unpublished: readonly Fault[] = [
  fault(
    'session-endpoints-unpublished',
    'no route for where logins come back',
    [[SESSION_ROUTE]],
    `${HOSTS}[1].routes`,
  ),
  fault(
    'session-endpoints-unpublished',
    'the application’s route comes first',
    [[`${HOSTS}[1].routes`, [partOf(API_ROUTE), route({ prefix: '/.countersign/' })]]],
    `${HOSTS}[1].routes`,
  ),
  fault(
    'session-endpoints-unpublished',
    'a route for one of the paths alone',
    [[`${SESSION_ROUTE}.match`, { path: '/.countersign/login' }]],
    `${HOSTS}[1].routes`,
  ),
]

const apart = (name: string, change: readonly Change[]): Fault => ({
  ...fault('issuer-caller-forgeable', name, [], `${OWN_ROUTE}.request_headers_to_remove`),
  change: [...APART, ...change],
})

const forgeable: readonly Fault[] = [
  apart('nothing is removed', [[`${OWN_ROUTE}.request_headers_to_remove`]]),
  apart('the certificate is not, and there may be none to take its place', [
    [`${OWN_ROUTE}.request_headers_to_remove`, [SOURCE]],
  ]),
  apart('the address is another line', [
    [`${OWN_ROUTE}.request_headers_to_remove`, [CERTIFICATE]],
    [`${OWN_ROUTE}.request_headers_to_add[0].append_action`, 'APPEND_IF_EXISTS_OR_ADD'],
  ]),
  apart('the address is added only where the caller says none', [
    [`${OWN_ROUTE}.request_headers_to_remove`, [CERTIFICATE]],
    [`${OWN_ROUTE}.request_headers_to_add[0].append_action`, 'ADD_IF_ABSENT'],
  ]),
]

const ISSUER_CLUSTER = `${CLUSTERS}[4]`
const ISSUER_ENDPOINT = `${ISSUER_CLUSTER}.load_assignment.endpoints[0].lb_endpoints[0].endpoint`
const REMOTE: Change = [
  `${ISSUER_ENDPOINT}.address`,
  { socket_address: { address: '10.0.0.7', port_value: 8081 } },
]
/** TLS to the issuer, with these fields of CommonTlsContext. */
const issuerTls = (common: object): Change => [
  `${ISSUER_CLUSTER}.transport_socket`,
  extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
    common_tls_context: common,
  }),
]
const VERIFIED = {
  validation_context: {
    trusted_ca: { filename: '/pki/ca.pem' },
    match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'issuer' } }],
  },
}

const reached: readonly Fault[] = [
  fault(
    'issuer-plaintext',
    'another machine, in the clear',
    [REMOTE],
    `${ISSUER_ENDPOINT}.address`,
  ),
  {
    ...fault(
      'issuer-client-certificate',
      'TLS without a client certificate',
      [REMOTE, issuerTls(VERIFIED)],
      `${ISSUER_CLUSTER}.transport_socket`,
    ),
    expected: { ...LOGINS, issuerTls: true },
  },
  fault(
    'upstream-unverified',
    'the certificate of the issuer is not verified',
    [REMOTE, issuerTls({})],
    `${ISSUER_CLUSTER}.transport_socket.typed_config.common_tls_context.validation_context`,
  ),
]

/** Faults of the issuer. */
export const issuerFaults: readonly Fault[] = [
  ...judged,
  ...forgeable,
  ...wrongly,
  ...unsaid,
  ...unpublished,
  ...reached,
]
