// Faults of the listener: who the caller is, how a request is spelt, what may take long.

import {
  API,
  DOWNSTREAM_TLS,
  extension,
  FILTERS,
  HTTP_OPTIONS,
  KUBE_ROUTE,
  LISTENER,
  MANAGER,
  WITHOUT_TRAILERS,
  wrong,
  type Fault,
} from './case.ts'

const UNDERSCORES = `${MANAGER}.common_http_protocol_options.headers_with_underscores_action`
const REMOVALS = `${MANAGER}.early_header_mutation_extensions`
const MUTATIONS = `${REMOVALS}[0].typed_config.mutations`
const VALIDATION = `${DOWNSTREAM_TLS}.common_tls_context.validation_context`
const XFCC_CONFIG =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertConfig'

const callers: readonly Fault[] = [
  ...wrong(
    'client-certificate-header-forwarded',
    'error',
    `${MANAGER}.forward_client_cert_details`,
    ['FORWARD_ONLY', 'APPEND_FORWARD', 'ALWAYS_FORWARD_ONLY', 1, 2, 4],
  ),
  {
    name: 'client certificates in headers are forwarded on a condition',
    change: [
      [
        `${MANAGER}.forward_client_cert_matcher.on_no_match.action`,
        {
          name: 'always',
          typed_config: { '@type': XFCC_CONFIG, forward_client_cert_details: 'FORWARD_ONLY' },
        },
      ],
    ],
    rule: 'client-certificate-header-forwarded',
    severity: 'error',
    at: `${MANAGER}.forward_client_cert_matcher.on_no_match.action.typed_config.forward_client_cert_details`,
  },
  ...wrong('remote-address-from-caller', 'error', `${MANAGER}.use_remote_address`, [
    undefined,
    false,
    { value: false },
  ]),
  ...wrong('internal-addresses', 'warning', `${MANAGER}.internal_address_config`, [
    undefined,
    { unix_sockets: false },
  ]),
  {
    name: 'every address is internal, since the length of the prefix is missing',
    change: [[`${MANAGER}.internal_address_config.cidr_ranges[0].prefix_len`]],
    rule: 'internal-addresses',
    severity: 'warning',
    at: `${MANAGER}.internal_address_config.cidr_ranges[0]`,
  },
  ...wrong('client-certificate-untrusted', 'error', `${VALIDATION}.trust_chain_verification`, [
    'ACCEPT_UNTRUSTED',
    1,
  ]),
  ...wrong(
    'client-session-resumed',
    'warning',
    `${DOWNSTREAM_TLS}.disable_stateless_session_resumption`,
    [undefined, false],
  ),
  ...wrong(
    'client-session-resumed',
    'warning',
    `${DOWNSTREAM_TLS}.disable_stateful_session_resumption`,
    [undefined],
  ),
]

const spelling: readonly Fault[] = [
  ...wrong('underscores-in-header-names', 'error', UNDERSCORES, [undefined, 'ALLOW', 0]),
  ...wrong('path-not-normalized', 'error', `${MANAGER}.normalize_path`, [undefined, false]),
  ...wrong('slashes-not-merged', 'error', `${MANAGER}.merge_slashes`, [undefined, 'no']),
  ...wrong('escaped-slashes-accepted', 'error', `${MANAGER}.path_with_escaped_slashes_action`, [
    undefined,
    'KEEP_UNCHANGED',
    'UNESCAPE_AND_FORWARD',
    3,
  ]),
  ...wrong('headers-without-end', 'warning', `${MANAGER}.request_headers_timeout`, [
    undefined,
    '0s',
  ]),
  ...wrong('host-dot-kept', 'warning', `${MANAGER}.strip_trailing_host_dot`, [undefined, false]),
  ...wrong('forgeable-headers', 'warning', REMOVALS, [undefined, []]),
  ...[5, 6].map((index) => ({
    name: `callers say where they come from, ${index}`,
    change: [[`${MUTATIONS}[${index}].remove`, 'x-other']] as const,
    rule: 'origin-forgeable',
    severity: 'warning' as const,
    at: REMOVALS,
  })),
  {
    name: 'callers say where they come from, in X-Forwarded-Host and such',
    change: [[`${MUTATIONS}[11].remove_on_match.key_matcher.prefix`, 'x-forwarded-h']],
    rule: 'origin-forgeable',
    severity: 'warning',
    at: REMOVALS,
  },
  {
    name: 'callers steer Envoy',
    change: [[`${MUTATIONS}[10].remove_on_match.key_matcher.prefix`, 'x-envoy-upstream-']],
    rule: 'steering-headers-kept',
    severity: 'warning',
    at: REMOVALS,
  },
  {
    name: 'a header that countersign.yaml names is not removed early',
    change: [],
    rule: 'forgeable-headers',
    severity: 'warning',
    at: REMOVALS,
    expected: { ownHeaders: ['x-audit-id', 'x-tenant'] },
  },
  {
    name: 'a name is not removed early',
    change: [[`${MUTATIONS}[2].remove`, 'client-certificate']],
    rule: 'forgeable-headers',
    severity: 'warning',
    at: REMOVALS,
  },
  {
    name: 'names with other symbols are not removed',
    change: [[`${MUTATIONS}[20]`]],
    rule: 'header-look-alikes',
    severity: 'error',
    at: REMOVALS,
  },
  {
    name: 'only some names with other symbols are removed',
    change: [
      [
        `${MUTATIONS}[20].remove_on_match.key_matcher.safe_regex.regex`,
        'x[.]remote[.].*|client[^a-z0-9]cert.*',
      ],
    ],
    rule: 'header-look-alikes',
    severity: 'error',
    at: REMOVALS,
  },
  {
    name: 'trailers go to an upstream of HTTP/2',
    change: [
      [`${API}.${HTTP_OPTIONS}.explicit_http_config`, { http2_protocol_options: {} }],
      [`${MANAGER}.upgrade_configs`, [{ upgrade_type: 'websocket' }]],
    ],
    rule: 'forgeable-trailers',
    severity: 'warning',
    at: FILTERS,
  },
  {
    name: 'trailers go to an upstream of HTTP/1.1',
    change: [
      [
        `${API}.${HTTP_OPTIONS}.explicit_http_config.http_protocol_options`,
        { enable_trailers: true },
      ],
    ],
    rule: 'forgeable-trailers',
    severity: 'warning',
    at: FILTERS,
  },
  {
    name: 'trailers are announced to an upstream of HTTP/2',
    change: [
      [`${API}.${HTTP_OPTIONS}.explicit_http_config`, { http2_protocol_options: {} }],
      [`${MANAGER}.upgrade_configs`, [{ upgrade_type: 'websocket' }]],
      ...WITHOUT_TRAILERS().slice(0, 2),
    ],
    rule: 'forgeable-trailers',
    severity: 'warning',
    at: FILTERS,
  },
  {
    name: 'not every header that begins so is removed early',
    change: [[`${MUTATIONS}[7]`, { remove: 'x-remote-user' }]],
    rule: 'forgeable-headers',
    severity: 'warning',
    at: REMOVALS,
  },
]

/** SPDY upgrades are offered, and the upstream speaks something else than HTTP/1.1. */
const spdyWith = (options: object, at: string): Fault => ({
  name: `SPDY to an upstream with ${at}`,
  change: [
    [
      `${API}.${HTTP_OPTIONS}`,
      {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        ...options,
      },
    ],
    ...WITHOUT_TRAILERS(),
  ],
  rule: 'spdy-over-http2',
  severity: 'error',
  at: `${API}.${HTTP_OPTIONS}.${at}`,
})

/** countersign.yaml has a route to an API server, and some upgrade of kubectl does not get there. */
const kubectlWithout = (upgrades: readonly object[]): Fault => ({
  name: `upgrades are ${JSON.stringify(upgrades)}`,
  change: [[`${MANAGER}.upgrade_configs`, upgrades]],
  rule: 'kubernetes-upgrade-missing',
  severity: 'error',
  at: `${MANAGER}.upgrade_configs`,
  expected: { kubernetes: new Set(['kube']) },
})

const streams: readonly Fault[] = [
  kubectlWithout([{ upgrade_type: 'websocket' }]),
  kubectlWithout([{ upgrade_type: 'SPDY/3.1' }]),
  kubectlWithout([{ upgrade_type: 'websocket' }, { upgrade_type: 'spdy/3.1', enabled: false }]),
  {
    name: 'the route to the API server turns an upgrade off',
    change: [
      [`${KUBE_ROUTE}.route.upgrade_configs`, [{ upgrade_type: 'SPDY/3.1', enabled: false }]],
    ],
    rule: 'kubernetes-upgrade-missing',
    severity: 'error',
    at: `${MANAGER}.upgrade_configs`,
    expected: { kubernetes: new Set(['kube']) },
  },
  ...wrong('upgrades-missing', 'warning', `${MANAGER}.upgrade_configs`, [undefined]),
  ...wrong('stream-idle-timeout', 'warning', `${MANAGER}.stream_idle_timeout`, [undefined]),
  spdyWith(
    { explicit_http_config: { http2_protocol_options: {} } },
    'explicit_http_config.http2_protocol_options',
  ),
  spdyWith({ auto_config: {} }, 'auto_config'),
  spdyWith({ use_downstream_protocol_config: {} }, 'use_downstream_protocol_config'),
  {
    name: 'raw connections to an upstream that is protected',
    change: [
      [
        'static_resources.listeners[1]',
        {
          name: 'raw',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            {
              filters: [
                extension('raw', 'filters.network.tcp_proxy.v3.TcpProxy', {
                  stat_prefix: 'raw',
                  cluster: 'api',
                }),
              ],
            },
          ],
        },
      ],
    ],
    rule: 'tcp-around-ext-authz',
    severity: 'error',
    at: 'static_resources.listeners[1].filter_chains[0].filters[0].typed_config.cluster',
  },
]

/** What can be wrong with the listener. */
const logs: readonly Fault[] = [
  ...wrong('refused-connections-unlogged', 'warning', `${LISTENER}.access_log`, [undefined, []]),
  ...wrong('failed-requests-unlogged', 'warning', `${MANAGER}.access_log`, [undefined, []]),
]

export const listenerFaults: readonly Fault[] = [...callers, ...spelling, ...streams, ...logs]
