// Faults of routes: those that go around authz, and those that it takes for another.

import {
  API,
  API_ROUTE,
  EXPECTED,
  HOSTS,
  HTTP_OPTIONS,
  KUBE,
  KUBE_ROUTE,
  MANAGER,
  PER_FILTER,
  wrong,
  type Change,
  type Fault,
} from './case.ts'

const OFF = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
  disabled: true,
}
const FILTER_CONFIG = { '@type': 'type.googleapis.com/envoy.config.route.v3.FilterConfig' }
const NAME = `${PER_FILTER}.check_settings.context_extensions["countersign.route"]`
const RETRY = 'retry_policy.retry_on'

/** A route for all other hosts, which does not ask authz. */
const open = (action: object): Change => [
  `${HOSTS}[0].routes[0]`,
  { match: { prefix: '/' }, ...action, typed_per_filter_config: { [EXT_AUTHZ]: OFF } },
]
const EXT_AUTHZ = 'envoy.filters.http.ext_authz'

/** What Envoy asks for besides the request that was permitted. */
const further: readonly Fault[] = [
  {
    name: 'a route mirrors its requests',
    change: [[`${API_ROUTE}.route.request_mirror_policies`, [{ cluster: 'kube:certificate' }]]],
    rule: 'requests-mirrored',
    severity: 'warning',
    at: `${API_ROUTE}.route.request_mirror_policies[0]`,
  },
  {
    name: 'a virtual host mirrors its requests',
    change: [[`${HOSTS}[1].request_mirror_policies`, [{ cluster: 'kube:certificate' }]]],
    rule: 'requests-mirrored',
    severity: 'warning',
    at: `${HOSTS}[1].request_mirror_policies[0]`,
  },
  ...wrong('redirects-followed', 'warning', `${API_ROUTE}.route.internal_redirect_policy`, [
    { max_internal_redirects: 3 },
  ]),
]

const around: readonly Fault[] = [
  {
    name: 'no route asks any more',
    change: [1, 2].map((host): Change => [`${HOSTS}[${host}].routes[0].${PER_FILTER}`, OFF]),
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: [1, 2].map((host) => `${HOSTS}[${host}].routes[0].${PER_FILTER}.disabled`),
  },
  ...wrong('ext-authz-disabled', 'error', `${KUBE_ROUTE}.${PER_FILTER}`, [OFF]).map(
    (fault): Fault => ({ ...fault, at: `${KUBE_ROUTE}.${PER_FILTER}.disabled` }),
  ),
  {
    name: 'a route that shares a protected cluster does not ask',
    change: [open({ route: { cluster: 'api', timeout: '0s' } })],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${HOSTS}[0].routes[0].${PER_FILTER}.disabled`,
  },
  {
    name: 'a route that answers by itself does not ask',
    change: [open({ direct_response: { status: 200 } })],
    rule: 'ext-authz-disabled',
    severity: 'warning',
    at: `${HOSTS}[0].routes[0].${PER_FILTER}.disabled`,
  },
  {
    name: 'the filter is turned off by the wrapper of its configuration',
    change: [[`${KUBE_ROUTE}.${PER_FILTER}`, { ...FILTER_CONFIG, config: {}, disabled: true }]],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${KUBE_ROUTE}.${PER_FILTER}.disabled`,
  },
  {
    name: 'the filter is turned off inside the wrapper',
    change: [[`${KUBE_ROUTE}.${PER_FILTER}`, { ...FILTER_CONFIG, config: OFF }]],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${KUBE_ROUTE}.${PER_FILTER}.config.disabled`,
  },
  {
    name: 'a virtual host does not ask',
    change: [
      [`${KUBE_ROUTE}.typed_per_filter_config`],
      [`${HOSTS}[2].typed_per_filter_config`, { [EXT_AUTHZ]: OFF }],
    ],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${HOSTS}[2].${PER_FILTER}.disabled`,
  },
  {
    name: 'no route asks that does not say otherwise',
    change: [
      [`${KUBE_ROUTE}.typed_per_filter_config`],
      [`${MANAGER}.route_config.typed_per_filter_config`, { [EXT_AUTHZ]: OFF }],
    ],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${MANAGER}.route_config.${PER_FILTER}.disabled`,
  },
  {
    name: 'a part of a weighted cluster does not ask',
    change: [
      [`${KUBE_ROUTE}.route.cluster`],
      [
        `${KUBE_ROUTE}.route.weighted_clusters.clusters`,
        [
          { name: 'kube:certificate', weight: 1 },
          {
            name: 'kube:certificate',
            weight: 1,
            typed_per_filter_config: { [EXT_AUTHZ]: OFF },
          },
        ],
      ],
    ],
    rule: 'ext-authz-disabled',
    severity: 'error',
    at: `${KUBE_ROUTE}.route.weighted_clusters.clusters[1].${PER_FILTER}.disabled`,
  },
  ...wrong(
    'ext-authz-elsewhere',
    'error',
    `${KUBE_ROUTE}.${PER_FILTER}.check_settings.grpc_service`,
    [{ envoy_grpc: { cluster_name: 'api' } }],
  ),
  {
    name: 'a header names the cluster',
    change: [[`${API_ROUTE}.route.cluster`], [`${API_ROUTE}.route.cluster_header`, 'x-cluster']],
    rule: 'cluster-from-header',
    severity: 'error',
    at: `${API_ROUTE}.route.cluster_header`,
  },
  {
    name: 'a header names the cluster, which callers cannot send',
    change: [
      [`${API_ROUTE}.route.cluster`],
      [`${API_ROUTE}.route.cluster_header`, 'X-Countersign-Cluster'],
    ],
    rule: 'cluster-from-header',
    severity: 'warning',
    at: `${API_ROUTE}.route.cluster_header`,
  },
]

const timing: readonly Fault[] = [
  ...wrong('route-timeout', 'warning', `${API_ROUTE}.route.timeout`, [undefined]),
  ...wrong('refusals-retried', 'warning', `${KUBE_ROUTE}.route.${RETRY}`, [
    'connect-failure',
    'reset, 5xx',
  ]),
  {
    name: 'the virtual host has failed connections retried',
    change: [
      [`${KUBE_ROUTE}.route.retry_policy`],
      [`${HOSTS}[2].retry_policy`, { retry_on: 'gateway-error' }],
    ],
    rule: 'refusals-retried',
    severity: 'warning',
    at: `${HOSTS}[2].${RETRY}`,
  },
  {
    name: 'the cluster has failed connections retried',
    change: [
      [`${KUBE_ROUTE}.route.retry_policy`],
      [`${KUBE}.${HTTP_OPTIONS}.retry_policy`, { retry_on: 'connect-failure' }],
    ],
    rule: 'refusals-retried',
    severity: 'warning',
    at: `${KUBE}.${HTTP_OPTIONS}.${RETRY}`,
  },
]

const named: readonly Fault[] = [
  ...wrong('route-name-missing', 'warning', `${API_ROUTE}.typed_per_filter_config`, [undefined]),
  ...wrong('route-name-unknown', 'error', `${API_ROUTE}.${NAME}`, ['apis']),
  {
    name: 'a route that forwards a certificate leads to a cluster that presents none',
    change: [],
    rule: 'certificate-not-presented',
    severity: 'error',
    at: `${API}.transport_socket`,
    expected: { lifetimes: new Map([...EXPECTED.lifetimes, ['api', 3_600_000]]) },
  },
]

const elsewhere: readonly Fault[] = [
  {
    name: 'the routes are not in the file',
    change: [
      [
        `${MANAGER}.rds`,
        {
          route_config_name: 'edge',
          config_source: { path_config_source: { path: '/pki/ca.pem' } },
        },
      ],
      [`${MANAGER}.scoped_routes`],
    ],
    rule: 'not-in-file',
    severity: 'warning',
    at: `${MANAGER}.rds.route_config_name`,
    refused: true, // route_config must be absent then
  },
  {
    name: 'listeners are not in the file',
    change: [['dynamic_resources.lds_config', { path_config_source: { path: '/pki/ca.pem' } }]],
    rule: 'not-in-file',
    severity: 'warning',
    at: 'dynamic_resources.lds_config',
  },
  {
    name: 'a cluster is not in the file',
    change: [[`${API}.name`, 'apis']],
    rule: 'not-in-file',
    severity: 'warning',
    at: `${API_ROUTE}.route.cluster`,
    refused: true,
  },
]

/** What can be wrong with routes. */
export const routeFaults: readonly Fault[] = [
  ...further,
  ...around,
  ...timing,
  ...named,
  ...elsewhere,
]
