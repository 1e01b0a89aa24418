// Rules about the cluster from which Envoy fetches certificates.

import { when, type Rule } from '../rule.ts'
import { addressesOf, limitOf, protocolOf } from '../view/cluster.ts'
import type { Setting } from '../view/setting.ts'

const DEFAULT_LIMIT = 1_024

/** Rules about clusters of the signer. */
export const signerRules: readonly Rule<Setting>[] = [
  {
    id: 'signer-limit',
    severity: 'error',
    problem: 'the signer is limited to Envoy’s default of 1,024 concurrent requests',
    risk: 'every certificate occupies one request: the 1,025th identity gets none, and its requests get 503',
    remedy:
      'circuit_breakers: { thresholds: [{ max_connections: 1000000, max_pending_requests: 1000000, max_requests: 1000000 }] }',
    find: (cluster) =>
      ['max_connections', 'max_pending_requests', 'max_requests']
        .map((name) => limitOf(cluster, name))
        .flatMap((at) => when((at.count ?? 0) <= DEFAULT_LIMIT, at)),
  },
  {
    id: 'signer-over-network',
    severity: 'warning',
    problem: 'private keys are fetched from the signer over TCP',
    risk: 'a client of the signer, or an attacker on the network, can obtain any certificate that it may issue',
    remedy: 'address: { pipe: { path: PATH } }, with the signer on the same machine',
    find: (cluster) =>
      addressesOf(cluster)
        .filter((address) => !address.get('pipe').isSet)
        .map((at) => ({ at })),
  },
  {
    id: 'signer-not-http2',
    severity: 'error',
    problem: 'the signer is not called over HTTP/2',
    risk: 'gRPC requires it: no certificate is fetched',
    remedy:
      'typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { …, explicit_http_config: { http2_protocol_options: {} } } }',
    find: (cluster) => {
      const { kind, at } = protocolOf(cluster)
      return when(kind !== 'http2', at)
    },
  },
]
