// Listeners, filters and routes that differ from good.yaml and are as good.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  API,
  API_ROUTE,
  AUTHZ,
  changed,
  DOWNSTREAM_TLS,
  EXPECTED,
  extension,
  FILTER_CHAIN,
  FILTERS,
  HOSTS,
  HTTP_OPTIONS,
  KUBE_ROUTE,
  LISTENER,
  LUA,
  MANAGER,
  partOf,
  PER_FILTER,
  WITHOUT_TRAILERS,
  type Change,
} from './corpus/case.ts'
import { found } from './found.ts'

const MUTATION = 'http.early_header_mutation.header_mutation.v3.HeaderMutation'
const MUTATIONS = `${MANAGER}.early_header_mutation_extensions[0].typed_config.mutations`

const removal = (matcher: object): object => ({ remove_on_match: { key_matcher: matcher } })

const at = (address: string): object => ({ socket_address: { address, port_value: 9001 } })

const HTTP2 = {
  '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  explicit_http_config: { http2_protocol_options: {} },
}

/** A listener that redirects all clients to HTTPS. */
const REDIRECT = {
  name: 'redirect',
  address: at('0.0.0.0'),
  filter_chains: [
    {
      filters: [
        extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
          stat_prefix: 'redirect',
          route_config: {
            virtual_hosts: [
              {
                name: 'all',
                domains: ['*'],
                routes: [{ match: { prefix: '/' }, redirect: { https_redirect: true } }],
              },
            ],
          },
          http_filters: [partOf(`${FILTERS}[3]`)],
        }),
      ],
    },
  ],
}

const CASES: readonly { readonly name: string; readonly change: readonly Change[] }[] = [
  {
    name: 'headers with underscores are dropped',
    change: [
      [`${MANAGER}.common_http_protocol_options.headers_with_underscores_action`, 'DROP_HEADER'],
    ],
  },
  {
    name: 'Envoy says itself which client certificate there was',
    change: [[`${MANAGER}.forward_client_cert_details`, 'SANITIZE_SET']],
  },
  {
    name: 'no word about client certificates in headers',
    change: [[`${MANAGER}.forward_client_cert_details`]],
  },
  {
    name: 'another way to detect the address of the caller',
    change: [
      [`${MANAGER}.use_remote_address`, false],
      [`${MANAGER}.original_ip_detection_extensions`, [{ name: 'any' }]],
    ],
  },
  {
    name: 'a listener on a UNIX socket, behind another Envoy',
    change: [
      [`${MANAGER}.use_remote_address`],
      [`${LISTENER}.address`, { pipe: { path: '/run/countersign/edge.sock' } }],
    ],
  },
  {
    name: 'real internal ranges',
    change: [
      [
        `${MANAGER}.internal_address_config.cidr_ranges`,
        [{ address_prefix: '10.1.0.0', prefix_len: { value: 16 } }],
      ],
    ],
  },
  {
    name: 'no client certificates, and sessions that are resumed',
    change: [
      [`${DOWNSTREAM_TLS}.common_tls_context.validation_context`],
      [`${DOWNSTREAM_TLS}.disable_stateless_session_resumption`],
    ],
  },
  {
    name: 'removals by other matchers',
    change: [
      [`${MUTATIONS}[7]`, removal({ safe_regex: { regex: 'x-(remote|cert)-.*' } })],
      [`${MUTATIONS}[8]`, removal({ contains: 'countersign' })],
      [`${MUTATIONS}[9]`, removal({ prefix: 'X-', ignore_case: true })],
      [`${MUTATIONS}[2]`, removal({ exact: 'Client-Cert', ignore_case: true })],
    ],
  },
  {
    name: 'removals in two extensions',
    change: [
      [
        `${MANAGER}.early_header_mutation_extensions[1]`,
        extension('more', MUTATION, { mutations: [{ remove: 'audit-id' }] }),
      ],
      [`${MUTATIONS}[4]`],
    ],
  },
  {
    name: 'HTTP/2 to an upstream, and no SPDY',
    change: [
      [`${API}.${HTTP_OPTIONS}`, HTTP2],
      [`${MANAGER}.upgrade_configs`, [{ upgrade_type: 'websocket' }]],
      ...WITHOUT_TRAILERS(),
    ],
  },
  {
    name: 'HTTP/2 to an upstream, and no SPDY on its route',
    change: [
      ...WITHOUT_TRAILERS(),
      [`${API}.${HTTP_OPTIONS}`, HTTP2],
      [`${API_ROUTE}.route.upgrade_configs`, [{ upgrade_type: 'SPDY/3.1', enabled: false }]],
    ],
  },
  {
    name: 'upgrades on routes only',
    change: [
      [`${MANAGER}.upgrade_configs`],
      [`${API_ROUTE}.route.upgrade_configs`, [{ upgrade_type: 'websocket' }]],
    ],
  },
  {
    name: 'idle timeouts on routes',
    change: [
      [`${MANAGER}.stream_idle_timeout`],
      [`${API_ROUTE}.route.idle_timeout`, '600s'],
      [`${KUBE_ROUTE}.route.idle_timeout`, '0s'],
    ],
  },
  {
    name: 'upgrades with filters of their own, which ask',
    change: [
      [
        `${MANAGER}.upgrade_configs[0].filters`,
        [0, 1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`)),
      ],
    ],
  },
  {
    name: 'a listener that only redirects',
    change: [['static_resources.listeners[1]', REDIRECT]],
  },
  {
    name: 'a filter that can be turned off, and then denies',
    change: [
      [
        `${AUTHZ}.filter_enabled`,
        { default_value: { numerator: 1_000_000, denominator: 'MILLION' } },
      ],
      [`${AUTHZ}.deny_at_disable`, { default_value: { value: true }, runtime_key: 'deny' }],
    ],
  },
  {
    name: 'headers that authz may see, all of them',
    change: [[`${AUTHZ}.allowed_headers`, { patterns: [{ safe_regex: { regex: '.*' } }] }]],
  },
  {
    name: 'mutation rules that list the headers of Countersign',
    change: [
      [
        `${AUTHZ}.decoder_header_mutation_rules`,
        {
          disallow_all: true,
          allow_expression: {
            regex:
              '(x-(remote|cert|countersign|webauth|envoy|forwarded)|impersonate|client|audit|proxy)-.*|authorization|dpop',
          },
          disallow_is_error: true,
        },
      ],
    ],
  },
  {
    name: 'the script in a file',
    change: [[`${LUA}.typed_config.default_source_code`, { filename: 'repeated.lua' }]],
  },
  {
    name: 'a route that matches headers, and a script that clears nothing',
    change: [
      [`${API_ROUTE}.match.headers`, [{ name: 'x-tenant', present_match: true }]],
      [`${LUA}.typed_config.clear_route_cache`, false],
    ],
  },
  {
    name: 'no version of the protocol',
    change: [[`${AUTHZ}.transport_api_version`]],
  },
  {
    name: 'routes in a matching tree, and in parts of a weighted cluster',
    change: [
      [`${HOSTS}[1].routes`],
      [
        `${HOSTS}[1].matcher.on_no_match.action`,
        {
          name: 'route',
          typed_config: {
            '@type': 'type.googleapis.com/envoy.config.route.v3.Route',
            ...Object(partOf(API_ROUTE)),
            route: { weighted_clusters: { clusters: [{ name: 'api', weight: 1 }] }, timeout: '0s' },
          },
        },
      ],
    ],
  },
  {
    name: 'a virtual host that does not ask, and a route of it that does',
    change: [
      [
        `${HOSTS}[1].typed_per_filter_config`,
        {
          'envoy.filters.http.ext_authz': {
            ...Object(partOf(`${API_ROUTE}.${PER_FILTER}`)),
            disabled: true,
          },
        },
      ],
    ],
  },
  {
    name: 'extensions without types, which have the usual names',
    change: [
      [`${FILTERS}[0].typed_config["@type"]`],
      [`${FILTERS}[3].typed_config`],
      [`${FILTER_CHAIN}.filters[0].typed_config["@type"]`],
    ],
  },
  {
    name: 'a configuration that a control plane packed',
    change: [
      [
        `${FILTERS}[0].typed_config`,
        {
          '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
          type_url: 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
          value: partOf(AUTHZ),
        },
      ],
    ],
  },
]

describe('nothing is found with', () => {
  for (const { name, change } of CASES) {
    it(name, () => {
      assert.deepEqual(found(JSON.stringify(changed(change)), { expected: EXPECTED }), [])
    })
  }
})
