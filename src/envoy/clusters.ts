// Where Envoy connects to: authz and the upstreams.

import { isIP } from 'node:net'
import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
import { MOST_REQUESTS } from '../issuer/http/request-limit.ts'
import { CountersignError } from '../runtime/errors.ts'
import {
  certificateCluster,
  certificateSelector,
  clusterOf,
  connectionBounds,
  forwardsCertificates,
  shortestLifetime,
  SIGNER_CLUSTER,
} from './identity-certificate.ts'
import { ISSUER_CLUSTER, issuerAddress } from './issuer.ts'
import {
  addressMessage,
  CONNECTION_WINDOW,
  duration,
  extension,
  file,
  isResolved,
  STREAM_WINDOW,
  typeUrl,
  type Message,
} from './message.ts'

/** The cluster of authz; no upstream can have that name, since names hold no colon. */
export const AUTHZ_CLUSTER = 'countersign:authz'

/** Every cluster. */
export const clusters = (config: Config, envoy: EnvoyConfig): readonly Message[] => [
  authzCluster(config, envoy),
  ...(forwardsCertificates(config) ? [signerCluster(envoy)] : []),
  ...(config.issuer === undefined ? [] : [issuerCluster(config, envoy)]),
  ...Object.keys(envoy.upstreams).flatMap((name) => upstreamClusters(name, config, envoy)),
]

/** An upstream of the `envoy` section. */
export type Upstream = EnvoyConfig['upstreams'][string]

/** One for each kind of client certificate that routes to the upstream want. */
const upstreamClusters = (name: string, config: Config, envoy: EnvoyConfig): readonly Message[] => {
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
    ...endpoint(name, upstream.address),
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
    transport_socket: tls({
      serverName: upstream.serverName ?? hostOf(upstream.address),
      ca: upstream.ca,
      alpn: version === 'http2' ? 'h2' : 'http/1.1',
      present: lifetime === undefined ? ownCertificate(upstream) : perIdentityCertificate,
    }),
  }
}

// Every live identity has a stream of its own; the default of 1,024 would be the last identity.
const MOST_IDENTITIES = 1_000_000

const signerCluster = ({ signerAddress }: EnvoyConfig): Message => {
  if (signerAddress === undefined) {
    throw new CountersignError(
      'configuration-invalid',
      'a route forwards a certificate: set envoy.signerAddress, where Envoy reaches the signer',
    )
  }
  return signerClusterAt(signerAddress)
}

/** The cluster of the signer. */
export const signerClusterAt = (address: Address): Message => ({
  ...endpoint(SIGNER_CLUSTER, address),
  connect_timeout: '1s',
  circuit_breakers: limits(MOST_IDENTITIES),
  typed_extension_protocol_options: protocol(keptAlive),
})

// For the key set and the metadata, which readers cache for minutes (`priority: HIGH` of their routes).
const MOST_DOCUMENT_CONNECTIONS = 64

const issuerCluster = (config: Config, envoy: EnvoyConfig): Message => {
  const address = issuerAddress(config, envoy)
  return {
    ...issuerClusterAt(address),
    ...mutualTls('issuer', config.listen.issuer?.tls, envoy.issuerTls, {
      address,
      alpn: 'http/1.1',
    }),
  }
}

const issuerClusterAt = (address: Address): Message => ({
  ...endpoint(ISSUER_CLUSTER, address),
  connect_timeout: '2s',
  circuit_breakers: {
    // HTTP/1.1: a connection for each request that waits. Each priority has a pool of its own.
    thresholds: [
      threshold(MOST_REQUESTS, MOST_REQUESTS),
      { priority: 'HIGH', ...threshold(MOST_DOCUMENT_CONNECTIONS, MOST_REQUESTS) },
    ],
  },
  typed_extension_protocol_options: protocol({
    // Below the time for which the listener keeps a connection that is silent.
    common_http_protocol_options: { idle_timeout: '15s' },
    explicit_http_config: { http_protocol_options: {} },
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
  return {
    ...endpoint(AUTHZ_CLUSTER, address),
    connect_timeout: '2s',
    circuit_breakers: limits(Math.max(envoy.listener.maxConnections, MOST_CHECKS)),
    typed_extension_protocol_options: protocol(keptAlive),
    ...mutualTls('authz', listen.authz.tls, envoy.authzTls, { address, alpn: 'h2' }),
  }
}

/**
 * TLS to a listener of Countersign that uses TLS.
 *
 * @throws CountersignError `configuration-invalid` when one side uses TLS and the other does not
 */
const mutualTls = (
  name: 'authz' | 'issuer',
  server: object | undefined,
  client: EnvoyConfig['authzTls'],
  { address, alpn }: { readonly address: Address; readonly alpn: string },
): Message => {
  if ((server === undefined) !== (client === undefined)) {
    throw new CountersignError(
      'configuration-invalid',
      client === undefined
        ? `listen.${name}.tls asks Envoy for a client certificate: set envoy.${name}Tls`
        : `envoy.${name}Tls is set, but listen.${name} has no tls`,
    )
  }
  if (client === undefined) return {}
  const { serverName = hostOf(address), ca } = client
  return { transport_socket: tls({ serverName, ca, alpn, present: ownCertificate(client) }) }
}

// Envoy's default of 1,024 requests at once to a cluster would answer the rest with 503.
const MOST_CHECKS = 16_384

/** The fields that say what the cluster is called and where its one endpoint is. */
const endpoint = (name: string, address: Address): Message => ({
  name,
  type: isResolved(address) ? 'STATIC' : 'STRICT_DNS',
  ...(isResolved(address) ? {} : { dns_lookup_family: 'V4_PREFERRED' }),
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: addressMessage(address) } }] }],
  },
})

const limits = (most: number): Message => ({ thresholds: [threshold(most, most)] })

const threshold = (connections: number, requests: number): Message => ({
  max_connections: connections,
  max_pending_requests: requests,
  max_requests: requests,
})

const protocol = (options: Message): Message => ({
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': typeUrl('upstreams.http.v3.HttpProtocolOptions'),
    ...options,
  },
})

/**
 * gRPC over a connection with keepalive. Responses have some kilobytes: Envoy buffers as much of them as of a
 * caller's requests, while its default is 16 MiB for each stream.
 */
const keptAlive: Message = {
  explicit_http_config: {
    http2_protocol_options: {
      initial_stream_window_size: STREAM_WINDOW,
      initial_connection_window_size: CONNECTION_WINDOW,
      connection_keepalive: { interval: '30s', timeout: '5s' },
    },
  },
}

interface ClientTls {
  readonly serverName: string
  readonly ca: string
  readonly alpn: string
  /** Fields of CommonTlsContext: the client certificate, if any. */
  readonly present: Message
}

const ownCertificate = ({
  certificate,
  key,
}: {
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}): Message =>
  certificate === undefined || key === undefined
    ? {}
    : { tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }] }

const perIdentityCertificate: Message = { custom_tls_certificate_selector: certificateSelector }

const tls = ({ serverName, ca, alpn, present }: ClientTls): Message => {
  const byAddress = isIP(serverName) !== 0
  return extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.UpstreamTlsContext', {
    // RFC 6066 §3: an IP address is not a server name.
    ...(byAddress ? {} : { sni: serverName }),
    max_session_keys: 0,
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: [alpn],
      ...present,
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
