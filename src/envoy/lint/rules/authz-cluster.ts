// Rules about the cluster through which Envoy calls authz.

import { when, type Rule } from '../rule.ts'
import {
  addressOf,
  isLocal,
  isPlaintext,
  isPlaintextTo,
  limitOf,
  protocolOf,
  upstreamTls,
} from '../view/cluster.ts'
import type { Setting } from '../view/setting.ts'

/** A cluster of authz. */
export interface AuthzCluster {
  readonly cluster: Setting
  /** Its endpoints, as far as they were seen. */
  readonly endpoints: readonly Setting[]
}

const DEFAULT_LIMIT = 1_024

/** Rules about clusters of authz. */
export const authzClusterRules: readonly Rule<AuthzCluster>[] = [
  {
    id: 'authz-not-http2',
    severity: 'error',
    problem: 'authz is not called over HTTP/2',
    risk: 'gRPC requires it: every request is refused',
    remedy:
      'typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { …, explicit_http_config: { http2_protocol_options: {} } } }',
    find: ({ cluster }) => {
      const { kind, at } = protocolOf(cluster)
      const negotiated = kind === 'several' && upstreamTls(cluster).length > 0
      return when(kind !== 'http2' && !negotiated, at)
    },
    istio: 'in the Service of Countersign: ports: [{ name: grpc, appProtocol: grpc, … }]',
  },
  {
    id: 'authz-limit',
    severity: 'warning',
    problem: 'authz is limited to Envoy’s default of 1,024 concurrent requests',
    risk: 'all further requests get 503 with an empty body, although authz could handle them',
    remedy:
      'circuit_breakers: { thresholds: [{ max_connections: 16384, max_pending_requests: 16384, max_requests: 16384 }] }',
    find: ({ cluster }) => {
      const at = limitOf(cluster, 'max_requests')
      return when((at.count ?? DEFAULT_LIMIT) <= DEFAULT_LIMIT, at)
    },
    istio:
      'DestinationRule for its host: trafficPolicy: { connectionPool: { http: { http2MaxRequests: 16384 } } }',
  },
  {
    id: 'authz-plaintext',
    severity: 'error',
    problem: 'authz is called over a network without TLS',
    risk: 'passwords and tokens are sent in the clear, and an attacker on the network can permit any request',
    remedy: 'a pipe on the same machine, or a transport_socket with TLS and a client certificate',
    find: ({ cluster, endpoints }) => {
      const open = endpoints.filter(
        (endpoint) => !isLocal(addressOf(endpoint)) && isPlaintextTo(cluster, endpoint),
      )
      const detail = 'its addresses are not in the file'
      return [
        ...open.map((endpoint) => ({ at: addressOf(endpoint) })),
        ...when(endpoints.length === 0 && isPlaintext(cluster), cluster, {
          detail,
          severity: 'warning',
        }),
      ]
    },
    istio:
      'the way is encrypted where the pods of Countersign have a sidecar or are in the ambient mesh (and a PeerAuthentication with mtls.mode: STRICT keeps it so); else a DestinationRule for its host with trafficPolicy.tls.mode: MUTUAL',
  },
]
