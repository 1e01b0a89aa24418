// Faults of routes to the issuer and of its cluster.

import {
  API_ROUTE,
  CLUSTERS,
  extension,
  HOSTS,
  partOf,
  PER_FILTER,
  type Change,
  type Fault,
} from './case.ts'
import {
  APART,
  CERTIFICATE,
  EXT_AUTHZ,
  fault,
  ISSUER_HOST,
  LOGIN_ROUTE,
  LOGINS,
  OFF,
  OWN_ROUTE,
  route,
  SESSION_ROUTE,
  SOURCE,
} from './issuer-site.ts'

const judged: readonly Fault[] = [
  fault(
    'issuer-judged',
    'the login page is behind authz',
    [[`${LOGIN_ROUTE}.${PER_FILTER}`]],
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
    [[`${ISSUER_HOST}.routes[0].${PER_FILTER}`]],
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

const WORKERS = ['issuer.sock', 'issuer-1.sock'].map(
  (name) => ({ kind: 'unix', path: `/run/countersign/${name}` }) as const,
)

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
  fault(
    'issuer-worker-missing',
    'a cluster with one of two workers',
    [],
    `${ISSUER_CLUSTER}.load_assignment`,
    { severity: 'warning', expected: { ...LOGINS, issuer: WORKERS } },
  ),
  fault(
    'issuer-worker-unknown',
    'an endpoint of a second worker, where there is one',
    [
      [
        `${ISSUER_CLUSTER}.load_assignment.endpoints[0].lb_endpoints[1]`,
        { endpoint: { address: { pipe: { path: '/run/countersign/issuer-1.sock' } } } },
      ],
    ],
    `${ISSUER_CLUSTER}.load_assignment.endpoints[0].lb_endpoints[1].endpoint.address`,
    { severity: 'warning' },
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
