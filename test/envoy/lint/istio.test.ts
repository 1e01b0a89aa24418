// The ingress gateway of Istio: nothing that Istio itself has is held against it, and what a misspelt
// field of an EnvoyFilter, of MeshConfig or of a policy loses is found.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lint } from '../../../src/envoy/lint/lint.ts'
import type { Change } from './corpus/case.ts'
import { found } from './found.ts'
import {
  at,
  AUTHZ,
  CLUSTER,
  EXPECTING,
  faults,
  FILTERS,
  gateway,
  GATEWAY,
  LISTENER,
  MANAGER,
  SHADOW,
  TLS,
} from './istio-gateway.ts'

describe('a gateway of Istio', () => {
  it('reports only that another service is not checked, without countersign.yaml', () => {
    const result = lint(GATEWAY)
    assert.ok(result.ok)
    assert.deepEqual(
      result.findings.map(({ rule, severity }) => [rule, severity]),
      [
        ['judged-by-policy', 'warning'],
        ['judged-by-policy', 'warning'],
      ],
    )
    for (const { problem } of result.findings) {
      assert.match(problem, /policy\[countersign\]; not for shop\.test, shop\.test:PORT$/)
    }
    assert.equal(result.scope.istio, true)
  })

  it('has no error with countersign.yaml: plain HTTP has no certificates, and routes have no names for authz', () => {
    const all = found(GATEWAY, { expected: EXPECTING })
    assert.deepEqual(
      [...new Set(all.map(({ rule, severity }) => `${severity} ${rule}`))],
      [
        'warning client-certificate-not-requested',
        'warning judged-by-policy',
        'warning route-name-missing',
      ],
    )
    // The service of shop.test is not Countersign.
    assert.equal(all.filter(({ rule }) => rule === 'route-name-missing').length, 2)
  })
})

describe('what a misspelt field loses is found:', () => {
  const LOST: readonly {
    readonly field: string
    readonly rule: string
    readonly severity: 'error' | 'warning'
    /** Where it is found, where that is not the field. */
    readonly at?: string
  }[] = [
    {
      field: `${AUTHZ}.include_peer_certificate`,
      rule: 'peer-certificate-missing',
      severity: 'error',
    },
    { field: `${AUTHZ}.include_tls_session`, rule: 'tls-session-missing', severity: 'warning' },
    { field: `${AUTHZ}.encode_raw_headers`, rule: 'raw-headers-missing', severity: 'error' },
    { field: `${AUTHZ}.validate_mutations`, rule: 'mutations-not-validated', severity: 'error' },
    { field: `${AUTHZ}.status_on_error.code`, rule: 'outage-as-refusal', severity: 'warning' },
    { field: `${AUTHZ}.grpc_service.timeout`, rule: 'authz-timeout-missing', severity: 'error' },
    {
      field: `${AUTHZ}.decoder_header_mutation_rules`,
      rule: 'mutation-rules-missing',
      severity: 'warning',
    },
    {
      field: `${AUTHZ}.decoder_header_mutation_rules.allow_envoy`,
      rule: 'mutation-rules-refuse-ours',
      severity: 'error',
      at: `${AUTHZ}.decoder_header_mutation_rules`,
    },
    {
      field: `${AUTHZ}.decoder_header_mutation_rules.disallow_is_error`,
      rule: 'mutation-rules-silent',
      severity: 'warning',
    },
    { field: `${MANAGER}.merge_slashes`, rule: 'slashes-not-merged', severity: 'error' },
    { field: `${MANAGER}.normalize_path`, rule: 'path-not-normalized', severity: 'error' },
    {
      field: `${MANAGER}.path_with_escaped_slashes_action`,
      rule: 'escaped-slashes-accepted',
      severity: 'error',
    },
    {
      field: `${MANAGER}.common_http_protocol_options.headers_with_underscores_action`,
      rule: 'underscores-in-header-names',
      severity: 'error',
    },
    { field: `${MANAGER}.strip_trailing_host_dot`, rule: 'host-dot-kept', severity: 'warning' },
    {
      field: `${MANAGER}.internal_address_config`,
      rule: 'internal-addresses',
      severity: 'warning',
    },
    {
      field: `${MANAGER}.early_header_mutation_extensions`,
      rule: 'forgeable-headers',
      severity: 'warning',
    },
    {
      field: `${MANAGER}.upgrade_configs[1]`,
      rule: 'kubernetes-upgrade-missing',
      severity: 'error',
      at: `${MANAGER}.upgrade_configs`,
    },
    {
      field: `${TLS}.disable_stateless_session_resumption`,
      rule: 'client-session-resumed',
      severity: 'warning',
    },
    {
      field: `${FILTERS}[3]`,
      rule: 'repeated-headers-unwritten',
      severity: 'error',
      at: FILTERS,
    },
  ]
  for (const { field, rule, severity, at: place = field } of LOST) {
    it(`reports the loss by the misspelt field ${field.slice(LISTENER.length + 1)} (${rule})`, () => {
      assert.notEqual(at(field), undefined)
      assert.deepEqual(faults(gateway([field])), [{ rule, severity, at: place }])
    })
  }

  it('each of the headers that are removed early', () => {
    const mutations = `${MANAGER}.early_header_mutation_extensions[0].typed_config.mutations`
    const all = at(mutations)
    assert.ok(Array.isArray(all) && all.length > 10)
    for (const index of all.keys()) {
      const what: string = JSON.stringify(all[index])
      // What begins so is removed twice.
      if (what.includes('{"remove":"x-forwarded-')) continue
      const [rule] = faults(gateway([`${mutations}[${index}]`])).map((one) => one.rule)
      const others = [
        { rule: 'origin-forgeable', names: /"(forwarded|x-real-ip|x-forwarded-)"/ },
        { rule: 'steering-headers-kept', names: /"x-envoy-"/ },
        { rule: 'header-look-alikes', names: /safe_regex/ },
      ]
      const wanted: string =
        others.find(({ names }) => names.test(what))?.rule ?? 'forgeable-headers'
      assert.equal(rule, wanted, what)
    }
  })
})

describe('mistakes in resources of Istio are found:', () => {
  const ENDPOINT =
    'configs[2].dynamic_endpoint_configs[0].endpoint_config.endpoints[0].lb_endpoints[0]'
  const POLICY = 'istio-ext-authz-countersign-ns[istio-ingress]-policy[countersign]-rule[0]'
  const WRONG: readonly (readonly [string, Change, string])[] = [
    ['failOpen', [`${AUTHZ}.failure_mode_allow`, true], 'failure-allowed'],
    ['no timeout, which is 600 s', [`${AUTHZ}.grpc_service.timeout`, '600s'], 'authz-timeout-long'],
    [
      'X-Forwarded-Client-Cert of callers',
      [`${MANAGER}.forward_client_cert_details`, 'APPEND_FORWARD'],
      'client-certificate-header-forwarded',
    ],
    [
      'X-Forwarded-Client-Cert of callers alone',
      [`${MANAGER}.forward_client_cert_details`, 'FORWARD_ONLY'],
      'client-certificate-header-forwarded',
    ],
    [
      'a port that is no gRPC',
      [`${CLUSTER}[1].cluster.typed_extension_protocol_options`],
      'authz-not-http2',
    ],
    [
      'Countersign without a sidecar',
      [`${ENDPOINT}.metadata.filter_metadata["envoy.transport_socket_match"]`],
      'authz-plaintext',
    ],
    [
      'no host with a port',
      [
        `${SHADOW}.shadow_rules.policies["${POLICY}"].permissions[0].and_rules.rules[0].or_rules.rules[1]`,
      ],
      'policy-leaves-gap',
    ],
    [
      'another host',
      [
        `${SHADOW}.shadow_rules.policies["${POLICY}"].permissions[0].and_rules.rules[0].or_rules.rules`,
        [{ header: { name: ':authority', string_match: { exact: 'shop.test' } } }],
      ],
      'policy-leaves-gap',
    ],
    [
      'no certificates of callers',
      [`${TLS}.common_tls_context.combined_validation_context`],
      'client-certificate-not-requested',
    ],
    [
      'no certificate authority of an upstream',
      [
        `${CLUSTER}[1].cluster.transport_socket_matches[0].transport_socket.typed_config.common_tls_context.combined_validation_context`,
      ],
      'upstream-unverified',
    ],
    [
      'statistics on every address',
      ['configs[0].bootstrap.admin.address.socket_address.address', '0.0.0.0'],
      'admin-exposed',
    ],
  ]
  for (const [name, change, rule] of WRONG) {
    it(`reports the mistake ${name} (${rule})`, () => {
      assert.deepEqual([...new Set(faults(gateway(change)).map((one) => one.rule))], [rule])
    })
  }

  it('a listener of the mesh that does not ask, but none of the proxy itself', () => {
    const own = 'configs[3].static_listeners[0].listener.filter_chains[0].filters[0].typed_config'
    const route = `${own}.route_config.virtual_hosts[0].routes[0].route.cluster`
    const rules = (cluster: string): readonly string[] =>
      faults(gateway([route, cluster])).map(({ rule, severity }) => `${severity} ${rule}`)
    assert.deepEqual(rules('agent'), [])
    assert.deepEqual(rules('outbound|8080||backend.apps.svc.cluster.local'), [
      'error ext-authz-absent',
    ])
    assert.deepEqual(rules('outbound|8080||shop.apps.svc.cluster.local'), [
      'warning ext-authz-absent',
    ])
  })
})
