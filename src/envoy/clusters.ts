// Where Envoy connects to: authz and the upstreams.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
import { authzAddresses } from '../configuration/workers.ts'
import { MOST_REQUESTS } from '../issuer/http/request-limit.ts'
import { CountersignError } from '../runtime/errors.ts'
import {
  endpoints,
  hostOf,
  limits,
  ownCertificate,
  protocol,
  threshold,
  tls,
} from './cluster-parts.ts'
import { forwardsCertificates, SIGNER_CLUSTER } from './identity-certificate.ts'
import { ISSUER_CLUSTER, knownIssuerAddresses } from './issuer.ts'
import { CONNECTION_WINDOW, hasNoPort, STREAM_WINDOW, type Message } from './message.ts'
import { collectorClusters } from './tracing.ts'
import { upstreamClusters } from './upstream-clusters.ts'

/** The cluster of authz; no upstream can have that name, since names hold no colon. */
export const AUTHZ_CLUSTER = 'countersign:authz'

/** Every cluster. */
export const clusters = (config: Config, envoy: EnvoyConfig): readonly Message[] => [
  authzCluster(config, envoy),
  ...(forwardsCertificates(config) ? [signerCluster(envoy)] : []),
  ...(config.issuer === undefined ? [] : [issuerCluster(config, envoy)]),
  ...Object.keys(envoy.upstreams).flatMap((name) => upstreamClusters(name, config, envoy)),
  ...collectorClusters(config),
]

// Every live identity has a stream of its own; the default of 1,024 would be the last identity.
const MOST_IDENTITIES = 1_000_000

/** The cluster of the signer that the configuration names. */
export const signerCluster = ({ signerAddress }: EnvoyConfig): Message => {
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
  ...endpoints(SIGNER_CLUSTER, [address]),
  connect_timeout: '1s',
  circuit_breakers: limits(MOST_IDENTITIES),
  typed_extension_protocol_options: protocol(keptAlive),
})

// For the key set and the metadata, which readers cache for minutes (`priority: HIGH` of their routes).
const MOST_DOCUMENT_CONNECTIONS = 64

const issuerCluster = (config: Config, envoy: EnvoyConfig): Message => {
  const addresses = knownIssuerAddresses(config)
  return {
    ...issuerClusterAt(addresses),
    ...mutualTls('issuer', config.listen.issuer?.tls, envoy.issuerTls, {
      address: addresses[0],
      alpn: 'http/1.1',
    }),
  }
}

const issuerClusterAt = (addresses: readonly Address[]): Message => ({
  ...endpoints(ISSUER_CLUSTER, addresses),
  connect_timeout: '2s',
  ...(addresses.length > 1 ? failsOver : {}),
  circuit_breakers: {
    // HTTP/1.1: a connection for each request that waits. Each priority has a pool of its own.
    thresholds: [
      { ...threshold(MOST_REQUESTS, MOST_REQUESTS), max_retries: MOST_REQUESTS },
      {
        priority: 'HIGH',
        ...threshold(MOST_DOCUMENT_CONNECTIONS, MOST_REQUESTS),
        max_retries: MOST_REQUESTS,
      },
    ],
  },
  typed_extension_protocol_options: protocol({
    // Below the time for which the listener keeps a connection that is silent.
    common_http_protocol_options: { idle_timeout: '15s' },
    explicit_http_config: { http_protocol_options: {} },
  }),
})

/** The cluster of authz. */
export const authzCluster = (config: Config, envoy: EnvoyConfig): Message => {
  const { listen } = config
  const addresses = authzAddresses(config)
  if (addresses.some(hasNoPort)) {
    throw new CountersignError(
      'configuration-invalid',
      'listen.authz has port 0: Envoy cannot know which the system chooses; set envoy.authzAddress',
    )
  }
  return {
    ...endpoints(AUTHZ_CLUSTER, addresses),
    connect_timeout: '2s',
    ...(addresses.length > 1 ? { ...leastRequest, ...failsOver, ...checksHealth } : {}),
    circuit_breakers: checkLimits(envoy),
    typed_extension_protocol_options: protocol(keptAlive),
    ...mutualTls('authz', listen.authz.tls, envoy.authzTls, { address: addresses[0], alpn: 'h2' }),
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
  { address, alpn }: { readonly address: Address | undefined; readonly alpn: string },
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

/** A check that waits for a directory takes long: the next goes to a worker with fewer. */
const leastRequest: Message = { lb_policy: 'LEAST_REQUEST' }

/**
 * A worker that accepts no connection is left after one attempt, and used again after a quarter of a second. A retry of
 * ext_authz cannot avoid the host of the attempt before (convertCoreToRouteRetryPolicy), so this takes it to another one. Where
 * all are left, Envoy uses all (healthy_panic_threshold). Responses of authz do not count: it refuses by design.
 */
const failsOver: Message = {
  outlier_detection: {
    split_external_local_origin_errors: true,
    consecutive_local_origin_failure: 1,
    enforcing_consecutive_local_origin_failure: 100,
    enforcing_local_origin_success_rate: 0,
    enforcing_consecutive_5xx: 0,
    enforcing_consecutive_gateway_failure: 0,
    enforcing_success_rate: 0,
    interval: '0.25s',
    base_ejection_time: '0.25s',
    max_ejection_time: '0.25s',
    max_ejection_percent: 100,
  },
}

/** A worker that accepts connections and answers nothing is left within three seconds. */
const checksHealth: Message = {
  health_checks: [
    {
      interval: '1s',
      timeout: '1s',
      unhealthy_threshold: 2,
      healthy_threshold: 1,
      // Envoy's default is a minute, until the cluster has had a request.
      no_traffic_interval: '1s',
      unhealthy_edge_interval: '0.25s',
      unhealthy_interval: '0.25s',
      grpc_health_check: {},
    },
  ],
}

// Envoy's default of 1,024 requests at once to a cluster would answer the rest with 503.
const MOST_CHECKS = 16_384

// Beyond it, and where authz is down for longer, checks fail at once. Envoy's default is 3.
const MOST_WAITING_CHECKS = 1_024

const checkLimits = ({ listener }: EnvoyConfig): Message => {
  const most = Math.max(listener.maxConnections, MOST_CHECKS)
  return { thresholds: [{ ...threshold(most, most), max_retries: MOST_WAITING_CHECKS }] }
}

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
