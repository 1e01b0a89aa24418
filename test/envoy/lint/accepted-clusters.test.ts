// Clusters, and what goes with them, that differ from good.yaml and are as good.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Expectations } from '../../../src/envoy/lint/expectations.ts'
import {
  API,
  AUTHZ_CLUSTER,
  changed,
  CLUSTERS,
  EXPECTED,
  extension,
  FILTER_STATE,
  HOSTS,
  KUBE,
  partOf,
  type Change,
} from './corpus/case.ts'
import { found } from './found.ts'

const TLS = `${KUBE}.transport_socket.typed_config.common_tls_context`
const AUTHZ_ADDRESS = `${AUTHZ_CLUSTER}.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address`
const SOURCE = `${TLS}.custom_tls_certificate_selector.typed_config.config_source`
const FORMAT = '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%'

const at = (address: string): object => ({ socket_address: { address, port_value: 9001 } })

const ENDPOINTS = `${AUTHZ_CLUSTER}.load_assignment.endpoints[0].lb_endpoints`
const endpoints = (...addresses: readonly object[]): Change => [
  ENDPOINTS,
  addresses.map((address) => ({ endpoint: { address } })),
]
const socketOf = (address: string, port: number): object => ({
  socket_address: { address, port_value: port },
})

interface Case {
  readonly name: string
  readonly change: readonly Change[]
  /** What countersign.yaml says. */
  readonly expected?: Partial<Expectations>
}

const CASES: readonly Case[] = [
  {
    name: 'two workers whose folder Envoy knows by another name',
    change: [
      endpoints(
        { pipe: { path: '/sockets/authz-1.sock' } },
        { pipe: { path: '/sockets/authz.sock' } },
      ),
    ],
    expected: {
      authz: ['authz.sock', 'authz-1.sock'].map((name) => ({
        kind: 'unix',
        path: `/run/countersign/${name}`,
      })),
    },
  },
  {
    name: 'two workers on each of two machines',
    change: [
      endpoints(
        ...['127.0.0.2', '127.0.0.3'].flatMap((host) => [
          socketOf(host, 9001),
          socketOf(host, 9002),
        ]),
      ),
    ],
    expected: { authz: [9001, 9002].map((port) => ({ kind: 'tcp', host: '0.0.0.0', port })) },
  },
  {
    name: 'workers that are listed, with ports of their own',
    change: [endpoints(socketOf('127.0.0.2', 9001), socketOf('127.0.0.3', 9105))],
    expected: {
      authz: [
        { kind: 'tcp', host: '127.0.0.2', port: 9001 },
        { kind: 'tcp', host: '127.0.0.3', port: 9105 },
      ],
    },
  },
  {
    name: 'one worker behind two addresses that countersign.yaml does not know',
    change: [endpoints(socketOf('127.0.0.2', 443), socketOf('127.0.0.3', 443))],
    expected: { authz: [{ kind: 'tcp', host: '0.0.0.0', port: 9001 }] },
  },
  {
    name: 'authz on loopback',
    change: [[AUTHZ_ADDRESS, at('127.0.0.2')]],
  },
  {
    name: 'authz over TLS',
    change: [
      [AUTHZ_ADDRESS, at('10.0.0.7')],
      [`${AUTHZ_CLUSTER}.transport_socket`, partOf(`${API}.transport_socket`)],
    ],
  },
  {
    name: 'authz over TLS that something wraps',
    change: [
      [AUTHZ_ADDRESS, at('10.0.0.7')],
      [
        `${AUTHZ_CLUSTER}.transport_socket`,
        extension('wrapped', 'transport_sockets.tcp_stats.v3.Config', {
          transport_socket: partOf(`${API}.transport_socket`),
        }),
      ],
    ],
  },
  {
    name: 'two signers',
    change: [
      [
        `${SOURCE}.api_config_source.grpc_services[1]`,
        { envoy_grpc: { cluster_name: 'countersign:signer' } },
      ],
    ],
  },
  {
    name: 'the deprecated way to say HTTP/2 and the life of connections',
    change: [
      [`${AUTHZ_CLUSTER}.typed_extension_protocol_options`],
      [`${AUTHZ_CLUSTER}.http2_protocol_options`, {}],
      [`${KUBE}.typed_extension_protocol_options`],
      [
        `${KUBE}.common_http_protocol_options`,
        { idle_timeout: '30s', max_connection_duration: { seconds: 600 } },
      ],
    ],
  },
  {
    name: 'limits for high priority in addition to those for default priority',
    change: [
      [
        `${AUTHZ_CLUSTER}.circuit_breakers.thresholds`,
        [{ priority: 'HIGH' }, { priority: 'DEFAULT', max_requests: 16_384 }],
      ],
    ],
  },
  {
    name: 'the format in bytes',
    change: [
      [
        `${FILTER_STATE}.typed_config.on_request_headers[0].format_string.text_format_source`,
        { inline_bytes: Buffer.from(FORMAT).toString('base64') },
      ],
    ],
  },
  {
    name: 'a health check over a transport socket of its own',
    change: [
      [`${KUBE}.health_checks`, [{ transport_socket_match_criteria: { check: true } }]],
      [
        `${KUBE}.transport_socket_matches`,
        [
          {
            name: 'check',
            match: { check: true },
            transport_socket: partOf(`${API}.transport_socket`),
          },
        ],
      ],
    ],
  },
  {
    name: 'validation contexts from SDS',
    change: [
      [`${TLS}.validation_context`],
      [`${TLS}.validation_context_sds_secret_config`, { name: 'kube-ca' }],
    ],
  },
  {
    name: 'validation in two halves',
    change: [
      [`${TLS}.validation_context`],
      [
        `${TLS}.combined_validation_context`,
        {
          validation_context_sds_secret_config: { name: 'kube-ca' },
          default_validation_context: { match_subject_alt_names: [{ exact: 'kube' }] },
        },
      ],
    ],
  },
  {
    name: 'the SNI as the accepted name',
    change: [
      [`${TLS}.validation_context.match_typed_subject_alt_names`],
      [`${KUBE}.transport_socket.typed_config.auto_sni_san_validation`, true],
    ],
  },
  {
    name: 'statistics that are chosen one by one',
    change: [
      [
        'stats_config.stats_matcher',
        { inclusion_list: { patterns: [{ suffix: 'upstream_rq_total' }, { prefix: 'http.' }] } },
      ],
    ],
  },
  {
    name: 'statistics that are excluded by regular expressions, and for one cluster',
    change: [
      [
        'stats_config.stats_matcher.exclusion_list.patterns',
        [{ safe_regex: { regex: 'sds\\..*' } }],
      ],
      [
        `${KUBE}.stats_matcher`,
        { exclusion_list: { patterns: [{ contains: '.ssl.certificate.' }] } },
      ],
    ],
  },
  { name: 'no statistics at all', change: [['stats_config.stats_matcher', { reject_all: true }]] },
  {
    name: 'no certificates for each identity, and so no node',
    change: [
      ['node'],
      ['stats_config'],
      [`${HOSTS}[2]`],
      [`${CLUSTERS}[3]`],
      [`${CLUSTERS}[2]`],
      [FILTER_STATE],
    ],
  },
]

describe('nothing is found with', () => {
  for (const { name, change, expected } of CASES) {
    it(`reports nothing about ${name}`, () => {
      const options = { expected: { ...EXPECTED, ...expected } }
      assert.deepEqual(found(JSON.stringify(changed(change)), options), [])
    })
  }
})
