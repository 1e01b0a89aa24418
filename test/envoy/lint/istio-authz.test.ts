// In a gateway of Istio: which filter asks Countersign, which cluster is our issuer, and what to write.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Address } from '../../../src/config/values.ts'
import { lint, type LintOptions } from '../../../src/envoy/lint/lint.ts'
import { changedIn, type Change } from './corpus/case.ts'
import {
  at,
  AUTHZ,
  CLUSTER,
  EXPECTING,
  faults,
  gateway,
  GATEWAY,
  MANAGER,
  SHADOW,
} from './istio-gateway.ts'

describe('what to write', () => {
  const remedy = (change: Change): string => {
    const result = lint(gateway(change))
    assert.ok(result.ok)
    return result.findings.find(({ rule }) => rule !== 'judged-by-policy')?.remedy ?? ''
  }

  it('is the EnvoyFilter, MeshConfig or Gateway that says so', () => {
    assert.equal(
      remedy([`${AUTHZ}.include_peer_certificate`]),
      'EnvoyFilter, applyTo: HTTP_FILTER on envoy.filters.http.ext_authz, MERGE: include_peer_certificate: true',
    )
    assert.match(
      remedy([`${MANAGER}.strip_trailing_host_dot`]),
      /^EnvoyFilter, applyTo: NETWORK_FILTER on .*MERGE: strip_trailing_host_dot: true$/,
    )
    assert.equal(
      remedy([`${AUTHZ}.failure_mode_allow`, true]),
      'MeshConfig: extensionProviders[].envoyExtAuthzGrpc.failOpen: false',
    )
  })

  it('is a field of Envoy where Istio does not configure it', () => {
    const change: readonly Change[] = [
      ['configs[0].bootstrap.node.metadata'],
      [`${AUTHZ}.failure_mode_allow`, true],
    ]
    const result = lint(gateway(...change))
    assert.ok(result.ok)
    const [first] = result.findings.filter(({ rule }) => rule === 'failure-allowed')
    assert.equal(first?.remedy, 'failure_mode_allow: false')
  })
})

describe('which ext_authz filter asks Countersign', () => {
  const other = 'outbound|9000||policy.tools.svc.cluster.local'
  const renamed = (port: number): string =>
    GATEWAY.replaceAll('countersign', 'guard').replaceAll(
      'outbound|9000||guard',
      `outbound|${port}||guard`,
    )
  const withOther = (text: string): string =>
    JSON.stringify(changedIn(text, [[`${AUTHZ}.grpc_service.envoy_grpc.cluster_name`, other]]))
  const filters = (text: string, options: LintOptions): number => {
    const result = lint(text, options)
    return result.ok ? result.scope.filters : -1
  }
  const expecting = (host: string, port: number): LintOptions => ({
    expected: { ...EXPECTING, authz: [{ kind: 'tcp', host, port }] },
  })

  it('is identified by the name of the service', () => {
    assert.equal(filters(withOther(GATEWAY), {}), 1)
  })

  it('is identified by the port of authz, at every address', () => {
    assert.equal(filters(withOther(renamed(9001)), expecting('0.0.0.0', 9001)), 1)
    assert.equal(filters(withOther(renamed(9001)), expecting('::', 9001)), 1)
    assert.equal(filters(withOther(renamed(9001)), expecting('127.0.0.1', 9001)), 2) // unknown
  })

  it('is identified by the host and the port of envoy.authzAddress', () => {
    const address = 'guard.auth.svc.cluster.local'
    assert.equal(filters(withOther(renamed(9000)), expecting(address, 9000)), 1)
    assert.equal(filters(withOther(renamed(9000)), expecting(address, 9001)), 2)
  })

  it('is identified by --authz-cluster', () => {
    assert.equal(filters(withOther(GATEWAY), { authzCluster: other }), 1)
    assert.equal(filters(GATEWAY, { authzCluster: other }), 0)
  })
})

describe('our issuer behind Istio', () => {
  const ISSUER = 'outbound|8080||countersign.auth.svc.cluster.local'
  const HOST = 'configs[4].dynamic_route_configs[1].route_config.virtual_hosts[0]'
  const issuer: Address = { kind: 'tcp', host: '0.0.0.0', port: 8080 }
  const withIssuer = (): string => {
    const routes = at(`${HOST}.routes`)
    assert.ok(Array.isArray(routes))
    return gateway(
      [
        `${CLUSTER}[9]`,
        {
          cluster: {
            '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
            name: ISSUER,
            type: 'EDS',
          },
        },
      ],
      [
        `${HOST}.routes`,
        [
          { match: { prefix: '/.well-known/' }, route: { cluster: ISSUER, timeout: '15s' } },
          ...routes,
        ],
      ],
    )
  }

  it('is another port of the same service, and the policy must not be about it', () => {
    const rules = faults(withIssuer(), { expected: { ...EXPECTING, issuer: [issuer] } }).map(
      ({ rule }) => rule,
    )
    assert.deepEqual(new Set(rules), new Set(['issuer-judged', 'issuer-rate-unlimited']))
  })

  it('is not judged where the policy is not about its paths', () => {
    const permissions = `${SHADOW}.shadow_rules.policies["istio-ext-authz-countersign-ns[istio-ingress]-policy[countersign]-rule[0]"].permissions[0].and_rules.rules`
    const notPaths = { not_rule: { url_path: { path: { prefix: '/.well-known/' } } } }
    const text = JSON.stringify(changedIn(withIssuer(), [[`${permissions}[1]`, notPaths]]))
    const rules = faults(text, { expected: { ...EXPECTING, issuer: [issuer] } }).map(
      ({ rule }) => rule,
    )
    assert.deepEqual(rules, ['issuer-rate-unlimited'])
  })
})
