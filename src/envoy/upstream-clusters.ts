// The clusters of upstreams.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Upstream } from '../configuration/upstream-schema.ts'
import { endpoints, hostOf, limits, ownCertificate, protocol, tls } from './cluster-parts.ts'
import {
  certificateCluster,
  certificateSelector,
  clusterOf,
  connectionBounds,
  shortestLifetime,
} from './identity-certificate.ts'
import { duration, type Message } from './message.ts'

/** The clusters of an upstream: one for each kind of client certificate that routes to the upstream want. */
export const upstreamClusters = (
  name: string,
  config: Config,
  envoy: EnvoyConfig,
): readonly Message[] => {
  const upstream = envoy.upstreams[name]
  if (upstream === undefined) return []
  const lifetime = shortestLifetime(config, name)
  const perIdentity = certificateCluster(name)
  const isUsed = config.routes.some((route) => clusterOf(route) === name)
  return [
    ...(isUsed || lifetime === undefined ? [upstreamCluster(name, upstream, undefined)] : []),
    ...(lifetime === undefined ? [] : [upstreamCluster(perIdentity, upstream, lifetime)]),
  ]
}

const BUFFER_LIMIT = 32_768
const MOST_CONNECTIONS = 1_024
// Every identity has at least one connection of its own, in each worker.
const MOST_CONNECTIONS_PER_IDENTITY = 16_384

/**
 * The cluster of an upstream.
 *
 * @param lifetime of the identities' certificates; absent where Envoy presents its own, or none
 */
export const upstreamCluster = (
  name: string,
  upstream: Upstream,
  lifetime: number | undefined,
): Message => {
  const { connectTimeout, maxConnections, protocol: version } = upstream
  const fallback = lifetime === undefined ? MOST_CONNECTIONS : MOST_CONNECTIONS_PER_IDENTITY
  return {
    ...endpoints(name, upstream.address),
    connect_timeout: duration(connectTimeout),
    per_connection_buffer_limit_bytes: BUFFER_LIMIT,
    circuit_breakers: limits(maxConnections ?? fallback),
    upstream_connection_options: {
      // A dead peer under a silent watch or exec shows after 60 + 3 × 10 s.
      tcp_keepalive: { keepalive_time: 60, keepalive_interval: 10, keepalive_probes: 3 },
    },
    typed_extension_protocol_options: protocol({
      common_http_protocol_options: connectionBounds(lifetime),
      explicit_http_config:
        version === 'http2' ? { http2_protocol_options: {} } : { http_protocol_options: {} },
    }),
    ...transport(upstream, lifetime),
    ...healthChecks(upstream),
  }
}

/** TLS, or nothing where the upstream speaks HTTP without TLS. */
const transport = (upstream: Upstream, lifetime: number | undefined): Message => {
  const { address, ca, serverName, protocol: version } = upstream
  if (ca === undefined) return {}
  return {
    transport_socket: tls({
      serverName: serverName ?? hostOf(address[0]),
      ca,
      alpn: version === 'http2' ? 'h2' : 'http/1.1',
      present: lifetime === undefined ? ownCertificate(upstream) : perIdentityCertificate,
    }),
  }
}

const UNHEALTHY_AFTER = 3
const HEALTHY_AFTER = 2

const healthChecks = ({
  address,
  serverName,
  healthCheck,
  protocol: version,
}: Upstream): Message => {
  if (healthCheck === undefined) return {}
  const { path, interval, timeout } = healthCheck
  return {
    health_checks: [
      {
        interval: duration(interval),
        timeout: duration(timeout),
        unhealthy_threshold: UNHEALTHY_AFTER,
        healthy_threshold: HEALTHY_AFTER,
        ...(path === undefined
          ? { tcp_health_check: {} }
          : {
              http_health_check: {
                host: serverName ?? hostOf(address[0]),
                path,
                ...(version === 'http2' ? { codec_client_type: 'HTTP2' } : {}),
              },
            }),
      },
    ],
  }
}

const perIdentityCertificate: Message = { custom_tls_certificate_selector: certificateSelector }
