// How the ext_authz filters of Countersign are identified among several, and the effect of countersign.yaml.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { configOf, routesOf } from '../edge.ts'
import {
  API_ROUTE,
  AUTHZ,
  AUTHZ_CLUSTER,
  changed,
  CLUSTERS,
  EXPECTED,
  FILTERS,
  HOSTS,
  HTTP_OPTIONS,
  KUBE,
  KUBE_ROUTE,
  LUA,
  MANAGER,
  partOf,
  PER_FILTER,
  type Change,
} from './corpus/case.ts'
import { found } from './found.ts'

const NAME = `${PER_FILTER}.check_settings.context_extensions`
const AUTHZ_NAME = `${AUTHZ}.grpc_service.envoy_grpc.cluster_name`

/** The rules that are broken. */
const rules = (
  changes: readonly Change[],
  options: Parameters<typeof found>[1] = {},
): readonly string[] => found(JSON.stringify(changed(changes)), options).map(({ rule }) => rule)

/** Another ext_authz filter, which lets everything through. */
const OTHER = {
  ...Object(partOf(`${FILTERS}[0]`)),
  name: 'opa',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    grpc_service: { envoy_grpc: { cluster_name: 'opa' } },
    failure_mode_allow: true,
  },
}
const OPA: Change = [`${CLUSTERS}[4]`, { name: 'opa', type: 'STATIC' }]

/** No names that give Countersign away: of the filter's cluster, and of routes. */
const ANONYMOUS: readonly Change[] = [
  [AUTHZ_NAME, 'judge'],
  [`${AUTHZ_CLUSTER}.name`, 'judge'],
  [`${HOSTS}[0]`],
  [`${HOSTS}[0].routes[1]`],
  ...[0, 1].map((host): Change => [`${HOSTS}[${host}].routes[0].typed_per_filter_config`]),
]

const both = (...others: readonly unknown[]): Change => [
  FILTERS,
  [partOf(`${FILTERS}[0]`), ...others, ...[1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`))],
]

describe('another ext_authz service', () => {
  it('is ignored next to a service with the name Countersign', () => {
    assert.deepEqual(rules([OPA, both(OTHER)]), [])
  })

  it('is taken for Countersign where it is the only one', () => {
    const changes: readonly Change[] = [...ANONYMOUS, [`${AUTHZ}.failure_mode_allow`, true]]
    assert.deepEqual(rules(changes), ['failure-allowed'])
  })

  it('is ignored next to the service that receives route names', () => {
    const changes: readonly Change[] = [both(OTHER), OPA, ...ANONYMOUS]
    assert.ok(rules(changes).includes('failure-allowed'))
    const named: Change = [`${HOSTS}[0].routes[0].${NAME}`, { 'countersign.route': 'api' }]
    assert.deepEqual(rules([...changes, named]), [])
  })

  it('is ignored next to the service at the address of authz', () => {
    const changes: readonly Change[] = [both(OTHER), OPA, ...ANONYMOUS]
    const expected = { ...EXPECTED, routes: new Set<string>() }
    assert.deepEqual(
      rules(changes, { expected }).filter((rule) => rule !== 'route-name-missing'),
      [],
    )
    const elsewhere = { ...expected, authz: [{ kind: 'unix', path: '/run/other.sock' } as const] }
    assert.ok(rules(changes, { expected: elsewhere }).includes('failure-allowed'))
  })

  it('is checked with --authz-cluster', () => {
    const broken = rules([OPA, both(OTHER)], { authzCluster: 'opa' })
    assert.ok(broken.includes('failure-allowed'))
    assert.deepEqual(rules([], { authzCluster: 'opa' }), ['ext-authz-missing'])
  })
})

describe('without countersign.yaml', () => {
  it('repeated headers may be needed', () => {
    assert.deepEqual(found(JSON.stringify(changed([[LUA]]))), [
      { rule: 'repeated-headers-unwritten', severity: 'warning', at: FILTERS },
    ])
  })

  it('routes may have any name, or none', () => {
    assert.deepEqual(rules([[`${API_ROUTE}.${NAME}`, { 'countersign.route': 'any' }]]), [])
    assert.deepEqual(rules([[`${API_ROUTE}.${NAME}`, {}]]), [])
  })

  it('certificates are taken to last an hour', () => {
    const at = `${KUBE}.${HTTP_OPTIONS}.common_http_protocol_options.max_connection_duration`
    assert.deepEqual(found(JSON.stringify(changed([[at, '3600s']]))), [
      { rule: 'connection-outlives-certificate', severity: 'warning', at },
    ])
  })
})

describe('with countersign.yaml', () => {
  const expected = expectationsOf(
    configOf('/etc/countersign', { routes: routesOf([{ name: 'api' }, { name: 'kube' }]) }),
  )

  it('repeated headers are not needed where no route forwards headers', () => {
    assert.equal(expected.headers, false)
    assert.deepEqual(rules([[LUA]], { expected }), [])
  })

  it('knows the names of routes, and where authz is', () => {
    assert.deepEqual(expected.routes, new Set(['api', 'kube']))
    assert.deepEqual(expected.authz, [{ kind: 'unix', path: '/etc/countersign/authz.sock' }])
    assert.deepEqual(expected.lifetimes, new Map())
  })
})

describe('early removals', () => {
  const REMOVALS = `${MANAGER}.early_header_mutation_extensions`

  it('are an error where a route does not ask authz', () => {
    const changes: readonly Change[] = [
      [REMOVALS],
      [`${KUBE_ROUTE}.${PER_FILTER}`, { disabled: true }],
    ]
    assert.deepEqual(found(JSON.stringify(changed(changes))), [
      { rule: 'forgeable-headers', severity: 'error', at: REMOVALS },
      {
        rule: 'ext-authz-disabled',
        severity: 'error',
        at: `${KUBE_ROUTE}.${PER_FILTER}.disabled`,
      },
    ])
  })
})
