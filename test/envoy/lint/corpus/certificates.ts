// Faults that mix up identities, or leave an upstream without them: of the filter state, of the
// cluster with the certificate selector, and of the signer's.

import {
  extension,
  FILTER_CHAIN,
  FILTER_STATE,
  FILTERS,
  HTTP_OPTIONS,
  KUBE,
  MANAGER,
  partOf,
  SIGNER,
  WITHOUT_TRAILERS,
  wrong,
  type Fault,
} from './case.ts'

const [authz, lua, state, router] = [0, 1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`))
const OBJECT = `${FILTER_STATE}.typed_config.on_request_headers[0]`
const FORMAT = '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%'
const TLS = `${KUBE}.transport_socket.typed_config`
const VALIDATION = `${TLS}.common_tls_context.validation_context`
const SELECTOR = `${TLS}.common_tls_context.custom_tls_certificate_selector.typed_config`
const SOURCE = `${SELECTOR}.config_source`
const LIMITS = 'circuit_breakers.thresholds[0]'
const TEXT = `${OBJECT}.format_string.text_format_source.inline_string`

const filterState: readonly Fault[] = [
  {
    name: 'no filter state',
    change: [[FILTER_STATE]],
    rule: 'filter-state-missing',
    severity: 'error',
    at: FILTERS,
  },
  ...wrong('filter-state-key', 'error', `${OBJECT}.object_key`, [
    'envoy.tls.certificate_mapper.on_demand_secret',
    'envoy.tls.certificate_mappers.on_demand_secrets',
    'upstream_secret',
  ]),
  {
    name: 'the filter state is set before authz has answered',
    change: [[FILTERS, [state, authz, lua, router]]],
    rule: 'filter-state-order',
    severity: 'error',
    at: `${FILTERS}[0]`,
  },
  ...wrong('filter-state-factory', 'error', `${OBJECT}.factory_key`, ['envoy.string']),
  ...wrong('filter-state-not-shared', 'error', `${OBJECT}.shared_with_upstream`, [
    undefined,
    'NONE',
    'TRANSITIVE',
    2,
  ]),
  ...wrong('filter-state-when-empty', 'error', `${OBJECT}.skip_if_empty`, [undefined, false]),
  ...wrong('filter-state-dash', 'error', `${OBJECT}.format_string.omit_empty_values`, [undefined]),
  ...wrong('filter-state-whitespace', 'error', TEXT, [`${FORMAT}\n`, ` ${FORMAT}`]),
  ...wrong('filter-state-from-request', 'error', TEXT, [
    '%REQ(x-handle)%',
    `%REQ(x-handle)%${FORMAT}`,
  ]),
  ...wrong('filter-state-source', 'error', TEXT, [
    FORMAT.replace('ext_authz', 'authz'),
    FORMAT.replace('upstream_secret', 'secret'),
    FORMAT.replace(')%', '):20%'),
    'alice',
  ]),
  {
    name: 'the filter state is that of the connection',
    change: [
      [
        `${FILTER_CHAIN}.filters`,
        [
          extension('state', 'filters.network.set_filter_state.v3.Config', {
            on_new_connection: [
              {
                object_key: 'envoy.tls.certificate_mappers.on_demand_secret',
                factory_key: 'envoy.hashable_string',
                format_string: {
                  text_format_source: { inline_string: '%DOWNSTREAM_PEER_SUBJECT%' },
                },
              },
            ],
          }),
          partOf(`${FILTER_CHAIN}.filters[0]`),
        ],
      ],
    ],
    rule: 'filter-state-of-connection',
    severity: 'error',
    at: `${FILTER_CHAIN}.filters[0].typed_config.on_new_connection[0].object_key`,
  },
]

const connections: readonly Fault[] = [
  ...wrong('session-resumed', 'error', `${TLS}.max_session_keys`, [undefined, 1, { value: 2 }]),
  ...wrong('renegotiation-allowed', 'error', `${TLS}.allow_renegotiation`, [true]),
  {
    name: 'certificates over HTTP/3',
    change: [
      [`${KUBE}.${HTTP_OPTIONS}.explicit_http_config`, { http3_protocol_options: {} }],
      [`${MANAGER}.upgrade_configs`, [{ upgrade_type: 'websocket' }]],
      ...WITHOUT_TRAILERS(),
    ],
    rule: 'certificate-over-http3',
    severity: 'error',
    at: `${KUBE}.${HTTP_OPTIONS}.explicit_http_config.http3_protocol_options`,
    refused: true,
  },
  ...wrong(
    'connection-outlives-certificate',
    'error',
    `${KUBE}.${HTTP_OPTIONS}.common_http_protocol_options.max_connection_duration`,
    [undefined, '1801s', '0s'],
  ),
  {
    name: 'a connection lives for longer than half of a certificate of 10 minutes',
    change: [
      [`${KUBE}.${HTTP_OPTIONS}.common_http_protocol_options.max_connection_duration`, '301s'],
    ],
    rule: 'connection-outlives-certificate',
    severity: 'error',
    at: `${KUBE}.${HTTP_OPTIONS}.common_http_protocol_options.max_connection_duration`,
    expected: {
      lifetimes: new Map([
        ['kube', 600_000],
        ['other', 60_000],
      ]),
    },
  },
  ...wrong(
    'connection-idles-long',
    'warning',
    `${KUBE}.${HTTP_OPTIONS}.common_http_protocol_options.idle_timeout`,
    [undefined, '301s', '0s'],
  ),
  ...wrong('identities-limited', 'warning', `${KUBE}.${LIMITS}.max_connections`, [undefined, 100]),
  ...wrong('identities-limited', 'warning', `${KUBE}.${LIMITS}.max_pending_requests`, [undefined]),
  ...wrong('identities-limited', 'warning', `${KUBE}.${LIMITS}.max_connection_pools`, [100]),
  {
    name: 'a health check has no identity',
    change: [
      [
        `${KUBE}.health_checks`,
        [
          {
            timeout: '1s',
            interval: '10s',
            unhealthy_threshold: 2,
            healthy_threshold: 2,
            http_health_check: { path: '/readyz' },
          },
        ],
      ],
    ],
    rule: 'health-check-without-identity',
    severity: 'error',
    at: `${KUBE}.health_checks[0]`,
  },
  ...wrong('connections-made-ahead', 'warning', `${KUBE}.preconnect_policy`, [
    { per_upstream_preconnect_ratio: 1.5 },
  ]),
  ...wrong('upstream-unverified', 'error', VALIDATION, [undefined, {}]),
  ...wrong('upstream-unverified', 'error', `${VALIDATION}.trust_chain_verification`, [
    'ACCEPT_UNTRUSTED',
  ]),
  ...wrong('upstream-any-name', 'warning', `${VALIDATION}.match_typed_subject_alt_names`, [
    undefined,
  ]),
]

const fetching: readonly Fault[] = [
  {
    name: 'certificates come over ADS',
    change: [[`${SOURCE}.api_config_source`], [`${SOURCE}.ads`, {}]],
    rule: 'certificates-over-ads',
    severity: 'error',
    at: `${SOURCE}.ads`,
  },
  ...wrong('certificates-over-ads', 'error', `${SOURCE}.api_config_source.api_type`, [
    'AGGREGATED_DELTA_GRPC',
  ]),
  ...wrong('certificates-not-delta', 'error', `${SOURCE}.api_config_source.api_type`, ['GRPC', 2]),
  {
    name: 'the signer is called through the cluster of authz',
    change: [
      [`${SOURCE}.api_config_source.grpc_services[0].envoy_grpc.cluster_name`, 'countersign:authz'],
    ],
    rule: 'signer-shares-authz',
    severity: 'error',
    at: `${SOURCE}.api_config_source.grpc_services[0].envoy_grpc.cluster_name`,
  },
  ...wrong('certificate-mapper', 'error', `${SELECTOR}.certificate_mapper`, [
    extension('static', 'transport_sockets.tls.cert_mappers.static_name.v3.StaticName', {
      name: 'shared',
    }),
  ]),
  ...wrong(
    'default-certificate',
    'error',
    `${SELECTOR}.certificate_mapper.typed_config.default_value`,
    ['-', 'abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN'],
  ),
  ...wrong(
    'default-certificate',
    'error',
    `${SELECTOR}.certificate_mapper.typed_config.default_value`,
    [undefined, ''],
  ).map((fault): Fault => ({ ...fault, refused: true })),
]

const signer: readonly Fault[] = [
  ...['max_connections', 'max_pending_requests', 'max_requests'].flatMap((limit) =>
    wrong('signer-limit', 'error', `${SIGNER}.${LIMITS}.${limit}`, [undefined, 1_024]),
  ),
  ...wrong(
    'signer-over-network',
    'warning',
    `${SIGNER}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address`,
    [{ socket_address: { address: '127.0.0.1', port_value: 9002 } }],
  ),
  ...wrong('signer-not-http2', 'error', `${SIGNER}.${HTTP_OPTIONS}.explicit_http_config`, [
    { http_protocol_options: {} },
  ]).map((fault): Fault => ({
    ...fault,
    at: `${SIGNER}.${HTTP_OPTIONS}.explicit_http_config.http_protocol_options`,
  })),
]

const envoy: readonly Fault[] = [
  ...wrong('node-missing', 'error', 'node.id', [undefined, '']),
  ...wrong('node-missing', 'error', 'node.cluster', [undefined]),
  {
    name: 'no node',
    change: [['node']],
    rule: 'node-missing',
    severity: 'error',
    at: ['node.id', 'node.cluster'],
  },
  ...wrong('admin-exposed', 'error', 'admin.address', [
    { socket_address: { address: '0.0.0.0', port_value: 9901 } },
    { socket_address: { address: '::', port_value: 9901 } },
  ]).map((fault): Fault => ({ ...fault, at: 'admin.address.socket_address.address' })),
  ...wrong('statistics-name-certificates', 'warning', 'stats_config.stats_matcher', [
    undefined,
    { exclusion_list: { patterns: [{ prefix: 'sds.' }] } },
    { exclusion_list: { patterns: [{ contains: '.on_demand_secret.ssl.certificate.' }] } },
    { inclusion_list: { patterns: [{ prefix: 'cluster.' }] } },
  ]),
]

/** What can be wrong with certificates for each identity. */
export const certificateFaults: readonly Fault[] = [
  ...filterState,
  ...connections,
  ...fetching,
  ...signer,
  ...envoy,
]
