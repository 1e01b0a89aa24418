// Where Envoy connects to: authz and the upstreams.

import { isIP } from 'node:net'
import type { EnvoyConfig } from '../config/envoy-schema.ts'
import type { Config } from '../config/schema.ts'
import type { Address } from '../config/values.ts'
import { CountersignError } from '../runtime/errors.ts'
import {
  addressMessage,
  duration,
  extension,
  file,
  isResolved,
  typeUrl,
  type Message,
} from './message.ts'

/** The cluster of authz; no upstream can have that name, since names hold no colon. */
export const AUTHZ_CLUSTER = 'countersign:authz'

/** Every cluster. */
export const clusters = (config: Config, envoy: EnvoyConfig): readonly Message[] => [
  authzCluster(config, envoy),
  ...Object.entries(envoy.upstreams).map(([name, upstream]) => upstreamCluster(name, upstream)),
]

const BUFFER_LIMIT = 32_768

const upstreamCluster = (name: string, upstream: EnvoyConfig['upstreams'][string]): Message => ({
  ...endpoint(name, upstream.address),
  connect_timeout: duration(upstream.connectTimeout),
  per_connection_buffer_limit_bytes: BUFFER_LIMIT,
  circuit_breakers: limits(upstream.maxConnections),
  upstream_connection_options: {
    // A dead peer under a silent watch or exec shows after 60 + 3 × 10 s.
    tcp_keepalive: { keepalive_time: 60, keepalive_interval: 10, keepalive_probes: 3 },
  },
  typed_extension_protocol_options: protocol({
    // Below the idle timeout of common servers (kube-apiserver: 90 s), so that a pooled connection
    // does not end in the moment in which it is used.
    common_http_protocol_options: { idle_timeout: '60s' },
    // Upgrades to WebSocket and SPDY need HTTP/1.1.
    explicit_http_config: { http_protocol_options: {} },
  }),
  transport_socket: tls({
    ...upstream,
    serverName: upstream.serverName ?? hostOf(upstream.address),
    alpn: 'http/1.1',
  }),
})

const authzCluster = ({ listen }: Config, envoy: EnvoyConfig): Message => {
  const address = envoy.authzAddress ?? listen.authz.address
  if (address.kind === 'tcp' && address.port === 0) {
    throw new CountersignError(
      'configuration-invalid',
      'listen.authz has port 0: Envoy cannot know which the system chooses; set envoy.authzAddress',
    )
  }
  const wanted = listen.authz.tls !== undefined
  if (wanted !== (envoy.authzTls !== undefined)) {
    throw new CountersignError(
      'configuration-invalid',
      wanted
        ? 'listen.authz.tls asks Envoy for a client certificate: set envoy.authzTls'
        : 'envoy.authzTls is set, but listen.authz has no tls',
    )
  }
  return {
    ...endpoint(AUTHZ_CLUSTER, address),
    connect_timeout: '2s',
    circuit_breakers: limits(Math.max(envoy.listener.maxConnections, MOST_CHECKS)),
    typed_extension_protocol_options: protocol({
      explicit_http_config: {
        http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } },
      },
    }),
    ...(envoy.authzTls === undefined
      ? {}
      : {
          transport_socket: tls({
            ...envoy.authzTls,
            serverName: envoy.authzTls.serverName ?? hostOf(address),
            alpn: 'h2',
          }),
        }),
  }
}

// Envoy's default of 1,024 requests at once to a cluster would answer the rest with 503.
const MOST_CHECKS = 16_384

/** The fields that say what the cluster is called and where its one endpoint is. */
const endpoint = (name: string, address: Address): Message => ({
  name,
  type: isResolved(address) ? 'STATIC' : 'STRICT_DNS',
  ...(isResolved(address) ? {} : { dns_lookup_family: 'V4_PREFERRED', respect_dns_ttl: true }),
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: addressMessage(address) } }] }],
  },
})

const limits = (most: number): Message => ({
  thresholds: [{ max_connections: most, max_pending_requests: most, max_requests: most }],
})

const protocol = (options: Message): Message => ({
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': typeUrl('upstreams.http.v3.HttpProtocolOptions'),
    ...options,
  },
})

interface ClientTls {
  readonly serverName: string
  readonly ca: string
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly alpn: string
}

const tls = ({ serverName, ca, certificate, key, alpn }: ClientTls): Message => {
  const byAddress = isIP(serverName) !== 0
  return extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
    // RFC 6066 §3: an IP address is no server name.
    ...(byAddress ? {} : { sni: serverName }),
    max_session_keys: 0,
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: [alpn],
      ...(certificate === undefined || key === undefined
        ? {}
        : { tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }] }),
      validation_context: {
        trusted_ca: file(ca),
        match_typed_subject_alt_names: [
          {
            san_type: byAddress ? 'IP_ADDRESS' : 'DNS',
            matcher: { exact: byAddress ? canonicalAddress(serverName) : serverName },
          },
        ],
      },
    },
  })
}

const hostOf = (address: Address): string => (address.kind === 'tcp' ? address.host : 'localhost')

/** RFC 5952: the spelling in which Envoy prints the address of a certificate before it compares. */
const canonicalAddress = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address
