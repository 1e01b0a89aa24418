// Where Envoy connects to: authz and the upstreams.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
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
import { ISSUER_CLUSTER, issuerAddress } from './issuer.ts'
import { CONNECTION_WINDOW, STREAM_WINDOW, type Message } from './message.ts'
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
  ...endpoints(ISSUER_CLUSTER, [address]),
  connect_timeout: '2s',
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
export const authzCluster = ({ listen }: Config, envoy: EnvoyConfig): Message => {
  const address = envoy.authzAddress ?? listen.authz.address
  if (address.kind === 'tcp' && address.port === 0) {
    throw new CountersignError(
      'configuration-invalid',
      'listen.authz has port 0: Envoy cannot know which the system chooses; set envoy.authzAddress',
    )
  }
  return {
    ...endpoints(AUTHZ_CLUSTER, [address]),
    connect_timeout: '2s',
    circuit_breakers: checkLimits(envoy),
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
