// Faults of ext_authz: requests that pass without a permit, data that authz does not receive, and the cluster
// of authz.

import { AUTHZ, AUTHZ_CLUSTER, HTTP_OPTIONS, MANAGER, partOf, wrong, type Fault } from './case.ts'

const ENABLED = { default_value: { numerator: 100 }, runtime_key: 'authz' }
const FILTER = `${MANAGER}.http_filters[0]`
const TCP = { socket_address: { address: '10.0.0.7', port_value: 9001 } }
const AUTHZ_ADDRESS = `${AUTHZ_CLUSTER}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address`
const MATCHING = 'common.matching.v3.ExtensionWithMatcher'

const failingOpen: readonly Fault[] = [
  ...wrong('failure-allowed', 'error', `${AUTHZ}.failure_mode_allow`, [true, 'yes']),
  ...wrong('failure-allowed-header', 'warning', `${AUTHZ}.failure_mode_allow_header_add`, [true]),
  ...wrong('shadow-mode', 'error', `${AUTHZ}.shadow_mode`, [true]),
  {
    name: 'a part of the requests is judged',
    change: [
      [`${AUTHZ}.filter_enabled`, { default_value: { numerator: 99, denominator: 'HUNDRED' } }],
      [`${AUTHZ}.deny_at_disable`, { default_value: true, runtime_key: 'deny' }],
    ],
    rule: 'judged-in-part',
    severity: 'error',
    at: `${AUTHZ}.filter_enabled`,
  },
  {
    name: 'a hundredth of the requests is judged: 100 of 10,000',
    change: [
      [`${AUTHZ}.filter_enabled`, { default_value: { numerator: 100, denominator: 1 } }],
      [`${AUTHZ}.deny_at_disable`, { default_value: true, runtime_key: 'deny' }],
    ],
    rule: 'judged-in-part',
    severity: 'error',
    at: `${AUTHZ}.filter_enabled`,
  },
  {
    name: 'the filter can be turned off at runtime',
    change: [[`${AUTHZ}.filter_enabled`, ENABLED]],
    rule: 'disabled-lets-through',
    severity: 'error',
    at: `${AUTHZ}.deny_at_disable`,
  },
  {
    name: 'the filter can be turned off at runtime, and is not to deny',
    change: [
      [`${AUTHZ}.filter_enabled`, ENABLED],
      [`${AUTHZ}.deny_at_disable`, { default_value: false, runtime_key: 'deny' }],
    ],
    rule: 'disabled-lets-through',
    severity: 'error',
    at: `${AUTHZ}.deny_at_disable`,
  },
  ...wrong('judged-on-condition', 'error', `${AUTHZ}.filter_enabled_metadata`, [
    { filter: 'some.filter', path: [{ key: 'ask' }], value: { bool_match: true } },
  ]),
  ...wrong('judged-on-condition', 'warning', `${AUTHZ}.filter_enabled_metadata`, [
    {
      filter: 'envoy.filters.http.rbac',
      path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
      value: { string_match: { prefix: 'istio-ext-authz' } },
    },
  ]),
  ...wrong('disabled-by-default', 'error', `${FILTER}.disabled`, [true]),
  ...wrong(
    'mutation-rules-wide',
    'warning',
    `${AUTHZ}.decoder_header_mutation_rules.disallow_system`,
    [undefined, false],
  ),
  ...wrong(
    'mutation-rules-wide',
    'warning',
    `${AUTHZ}.decoder_header_mutation_rules.allow_all_routing`,
    [true],
  ),
  ...wrong('outage-as-refusal', 'warning', `${AUTHZ}.status_on_error.code`, [
    'Forbidden',
    403,
    'TooManyRequests',
  ]),
  {
    name: 'no status for what could not be judged',
    change: [[`${AUTHZ}.status_on_error`]],
    rule: 'outage-as-refusal',
    severity: 'warning',
    at: `${AUTHZ}.status_on_error.code`,
  },
  ...wrong('error-as-success', 'error', `${AUTHZ}.status_on_error.code`, ['OK', 'NoContent', 202]),
  {
    name: 'the filter runs on a condition',
    change: [
      [`${FILTER}.typed_config`, { '@type': `type.googleapis.com/envoy.extensions.${MATCHING}` }],
      [`${FILTER}.typed_config.extension_config`, partOf(FILTER)],
      [
        `${FILTER}.typed_config.xds_matcher`,
        {
          matcher_tree: {
            input: {
              name: 'header',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
                header_name: 'x-internal',
              },
            },
            exact_match_map: {
              map: {
                yes: {
                  action: {
                    name: 'skip',
                    typed_config: {
                      '@type':
                        'type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter',
                    },
                  },
                },
              },
            },
          },
        },
      ],
    ],
    rule: 'judged-on-condition',
    severity: 'error',
    at: FILTER,
  },
]

const seeing: readonly Fault[] = [
  {
    name: 'authz is called over HTTP',
    change: [
      [`${AUTHZ}.grpc_service`],
      [
        `${AUTHZ}.http_service`,
        { server_uri: { uri: 'authz:80', cluster: 'countersign:authz', timeout: '5s' } },
      ],
    ],
    rule: 'http-service',
    severity: 'error',
    at: `${AUTHZ}.http_service`,
  },
  ...wrong('transport-version', 'error', `${AUTHZ}.transport_api_version`, ['V2', 1]).map(
    (fault): Fault => ({ ...fault, refused: true }),
  ),
  ...wrong('authz-timeout-missing', 'error', `${AUTHZ}.grpc_service.timeout`, [undefined]),
  ...wrong('authz-timeout-long', 'warning', `${AUTHZ}.grpc_service.timeout`, [
    '30.5s',
    '0s',
    { seconds: 60 },
  ]),
  ...wrong('raw-headers-missing', 'error', `${AUTHZ}.encode_raw_headers`, [undefined, false]),
  ...wrong('peer-certificate-missing', 'warning', `${AUTHZ}.include_peer_certificate`, [undefined]),
  ...wrong('tls-session-missing', 'warning', `${AUTHZ}.include_tls_session`, [undefined]),
  ...wrong('mutations-not-validated', 'error', `${AUTHZ}.validate_mutations`, [undefined]),
  ...wrong('headers-hidden-from-authz', 'error', `${AUTHZ}.allowed_headers`, [
    { patterns: [{ exact: 'x-request-id' }] },
    { patterns: [{ exact: 'authorization' }, { exact: 'cookie' }] },
  ]),
  ...wrong('headers-hidden-from-authz', 'error', `${AUTHZ}.disallowed_headers`, [
    { patterns: [{ exact: 'Authorization', ignore_case: true }] },
    { patterns: [{ safe_regex: { regex: 'cook.*' } }] },
    { patterns: [{ prefix: 'impersonate-' }] },
  ]),
  ...wrong('clear-route-cache', 'warning', `${AUTHZ}.clear_route_cache`, [true]),
  ...wrong('clear-route-cache', 'warning', `${AUTHZ}.clear_route_cache_headers`, [['x-tenant']]),
  ...wrong('mutation-rules-missing', 'warning', `${AUTHZ}.decoder_header_mutation_rules`, [
    undefined,
  ]),
  ...[
    { disallow_is_error: true },
    { allow_envoy: true, disallow_all: true, disallow_is_error: true },
    {
      allow_envoy: true,
      disallow_expression: { regex: 'x-remote-.*' },
      disallow_is_error: true,
    },
  ].flatMap((rules) =>
    wrong('mutation-rules-refuse-ours', 'error', `${AUTHZ}.decoder_header_mutation_rules`, [
      { disallow_system: true, ...rules },
    ]),
  ),
  ...wrong(
    'mutation-rules-silent',
    'warning',
    `${AUTHZ}.decoder_header_mutation_rules.disallow_is_error`,
    [undefined, false],
  ),
]

const cluster: readonly Fault[] = [
  {
    name: 'authz over HTTP/1.1',
    change: [[`${AUTHZ_CLUSTER}.${HTTP_OPTIONS}`]],
    rule: 'authz-not-http2',
    severity: 'error',
    at: `${AUTHZ_CLUSTER}.${HTTP_OPTIONS}.explicit_http_config`,
  },
  ...wrong(
    'authz-limit',
    'warning',
    `${AUTHZ_CLUSTER}.circuit_breakers.thresholds[0].max_requests`,
    [undefined, 1_024, { value: 10 }],
  ),
  {
    name: 'the limits are those of important requests only',
    change: [[`${AUTHZ_CLUSTER}.circuit_breakers.thresholds[0].priority`, 'HIGH']],
    rule: 'authz-limit',
    severity: 'warning',
    at: `${AUTHZ_CLUSTER}.circuit_breakers.thresholds`,
  },
  ...wrong('authz-plaintext', 'error', AUTHZ_ADDRESS, [TCP]),
  {
    name: 'authz is wherever a control plane says, without TLS',
    change: [
      [`${AUTHZ_CLUSTER}.load_assignment`],
      [`${AUTHZ_CLUSTER}.type`, 'EDS'],
      [`${AUTHZ_CLUSTER}.eds_cluster_config.eds_config.path_config_source.path`, '/pki/ca.pem'],
    ],
    rule: 'authz-plaintext',
    severity: 'warning',
    at: AUTHZ_CLUSTER,
  },
  {
    name: 'authz is called with the Google gRPC client',
    change: [
      [`${AUTHZ}.grpc_service`, { timeout: '5s' }],
      [
        `${AUTHZ}.grpc_service.google_grpc`,
        { target_uri: 'unix:/run/countersign/authz.sock', stat_prefix: 'authz' },
      ],
    ],
    rule: 'google-grpc',
    severity: 'warning',
    at: `${AUTHZ}.grpc_service.google_grpc`,
  },
]

const repeated: readonly Fault[] = [
  {
    name: 'a setting in both spellings',
    change: [[`${AUTHZ}.failureModeAllow`, true]],
    rule: 'repeated-setting',
    severity: 'error',
    at: `${AUTHZ}.failureModeAllow`,
  },
]

/** What can be wrong with ext_authz and its cluster. */
export const authzFaults: readonly Fault[] = [...failingOpen, ...seeing, ...cluster, ...repeated]
