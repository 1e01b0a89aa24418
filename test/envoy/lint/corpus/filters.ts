// Faults of the chain of filters: requests that are forwarded unjudged, routes that are chosen again
// after they were judged, headers that are not written.

import {
  API_ROUTE,
  extension,
  FILTERS,
  LUA,
  MANAGER,
  partOf,
  type Change,
  type Fault,
} from './case.ts'

const [authz, lua, state, router] = [0, 1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`))
const SECOND_LISTENER = 'static_resources.listeners[1]'
const BACK_DOOR = `${SECOND_LISTENER}.filter_chains[0].filters[0].typed_config.http_filters`

/** A listener that does not ask authz, in front of a cluster. */
const unguarded = (cluster: string): Change => [
  SECOND_LISTENER,
  {
    name: 'back-door',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [
      {
        filters: [
          extension('http', 'filters.network.http_connection_manager.v3.HttpConnectionManager', {
            stat_prefix: 'back-door',
            route_config: {
              virtual_hosts: [
                {
                  name: 'all',
                  domains: ['*'],
                  routes: [{ match: { prefix: '/' }, route: { cluster } }],
                },
              ],
            },
            http_filters: [router],
          }),
        ],
      },
    ],
  },
]

const unjudged: readonly Fault[] = [
  {
    name: 'no ext_authz',
    change: [[`${FILTERS}[0]`]],
    rule: 'ext-authz-missing',
    severity: 'error',
    at: '',
  },
  {
    name: 'another listener leads to a protected cluster',
    change: [unguarded('api')],
    rule: 'ext-authz-absent',
    severity: 'error',
    at: BACK_DOOR,
  },
  {
    name: 'another listener leads to a cluster of its own',
    change: [
      unguarded('pictures'),
      ['static_resources.clusters[4]', { name: 'pictures', connect_timeout: '1s', type: 'STATIC' }],
    ],
    rule: 'ext-authz-absent',
    severity: 'warning',
    at: BACK_DOOR,
  },
  {
    name: 'upgrades have filters of their own',
    change: [[`${MANAGER}.upgrade_configs[1].filters`, [router]]],
    rule: 'upgrade-unjudged',
    severity: 'error',
    at: `${MANAGER}.upgrade_configs[1].filters`,
  },
  {
    name: 'the router comes before ext_authz',
    change: [
      [FILTERS, [router, authz, lua]],
      [`${MANAGER}.route_config.virtual_hosts[2]`], // whose requests would need set_filter_state
    ],
    rule: 'ext-authz-after-router',
    severity: 'error',
    at: `${FILTERS}[1]`,
    refused: true,
  },
]

const chosenAgain: readonly Fault[] = [
  {
    name: 'set_filter_state clears the route',
    change: [[`${FILTERS}[2].typed_config.clear_route_cache`, true]],
    rule: 'route-chosen-again',
    severity: 'error',
    at: `${FILTERS}[2].typed_config.clear_route_cache`,
  },
  {
    name: 'external processing clears the route',
    change: [
      [
        FILTERS,
        [
          authz,
          extension('processor', 'filters.http.ext_proc.v3.ExternalProcessor', {
            grpc_service: { envoy_grpc: { cluster_name: 'countersign:authz' } },
            route_cache_action: 'CLEAR',
          }),
          lua,
          state,
          router,
        ],
      ],
    ],
    rule: 'route-chosen-again',
    severity: 'error',
    at: `${FILTERS}[1].typed_config.route_cache_action`,
  },
  {
    name: 'a transcoder clears the route by default',
    change: [
      [
        FILTERS,
        [
          authz,
          extension('json', 'filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder', {
            proto_descriptor_bin: '',
            services: [],
          }),
          lua,
          state,
          router,
        ],
      ],
    ],
    rule: 'route-chosen-again',
    severity: 'error',
    at: `${FILTERS}[1].typed_config.match_incoming_request_route`,
  },
  {
    name: 'a script clears the route',
    change: [
      [
        `${LUA}.typed_config.default_source_code.inline_string`,
        'function envoy_on_request(handle)\n  handle:clearRouteCache() -- envoy.filters.http.ext_authz\nend',
      ],
    ],
    rule: 'route-chosen-again',
    severity: 'error',
    at: `${LUA}.typed_config.default_source_code.inline_string`,
  },
  {
    name: 'a route matches headers, which the script changes',
    change: [[`${API_ROUTE}.match.headers`, [{ name: 'x-remote-user', present_match: true }]]],
    rule: 'route-chosen-again',
    severity: 'warning',
    at: `${LUA}.typed_config.clear_route_cache`,
  },
]

const unwritten: readonly Fault[] = [
  {
    name: 'no Lua filter',
    change: [[LUA]],
    rule: 'repeated-headers-unwritten',
    severity: 'error',
    at: FILTERS,
  },
  {
    name: 'a Lua filter that does something else',
    change: [[`${LUA}.typed_config.default_source_code.inline_string`, 'function other() end']],
    rule: 'repeated-headers-unwritten',
    severity: 'error',
    at: FILTERS,
  },
  {
    name: 'the Lua filter comes before ext_authz',
    change: [[FILTERS, [lua, authz, state, router]]],
    rule: 'repeated-headers-early',
    severity: 'error',
    at: `${FILTERS}[0]`,
  },
]

/** What can be wrong with the filters. */
export const filterFaults: readonly Fault[] = [...unjudged, ...chosenAgain, ...unwritten]
