// A cluster: its protocol, its TLS, its addresses and its limits, where Envoy keeps each of them.

import { isIP } from 'node:net'
import { isLoopback as isLoopbackAddress } from '../../../config/values.ts'
import { extensionIn, isKind, KINDS, unpack, type Extension } from './extension.ts'
import type { Setting } from './setting.ts'

/** Which HTTP is spoken; `several` where it is negotiated, or is that of the caller. */
export type Protocol = 'http1' | 'http2' | 'http3' | 'several'

/** TLS to an upstream. */
export interface UpstreamTls {
  /** The UpstreamTlsContext message. */
  readonly config: Setting
  /** Whether it is that of QUIC. */
  readonly quic: boolean
}

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** The HTTP options of a cluster; not set where it has none. */
export const httpOptions = (cluster: Setting): Setting =>
  unpack(cluster.get('typed_extension_protocol_options').entry(HTTP_OPTIONS)).config

/** Idle timeout, life of a connection and such. */
export const commonHttpOptions = (cluster: Setting): Setting => {
  const options = httpOptions(cluster)
  return (options.isSet ? options : cluster).get('common_http_protocol_options')
}

/** Which HTTP is spoken, and the setting that says so. */
export const protocolOf = (cluster: Setting): { readonly kind: Protocol; readonly at: Setting } => {
  const options = httpOptions(cluster)
  const explicit = options.get('explicit_http_config')
  const sayings: readonly (readonly [Protocol, Setting])[] = [
    ['http3', explicit.get('http3_protocol_options')],
    ['http2', explicit.get('http2_protocol_options')],
    ['http1', explicit.get('http_protocol_options')],
    ['several', options.get('auto_config')],
    ['several', options.get('use_downstream_protocol_config')],
    // Before HttpProtocolOptions there were fields of the cluster, which are deprecated.
    ['http2', cluster.get('http2_protocol_options')],
  ]
  const [kind, at] = sayings.find(([, setting]) => setting.isSet) ?? ['http1', explicit]
  return { kind, at }
}

/** The setting that lets HTTP/3 be spoken. */
export const http3Options = (cluster: Setting): Setting | undefined =>
  ['explicit_http_config', 'auto_config', 'use_downstream_protocol_config']
    .map((config) => httpOptions(cluster).get(config, 'http3_protocol_options'))
    .find(({ isSet }) => isSet)

/** The TLS of a cluster: of its transport socket, and of those that endpoints choose from. */
export const upstreamTls = (cluster: Setting): readonly UpstreamTls[] =>
  transportSockets(cluster).flatMap((socket) => tlsIn(extensionIn(socket)))

/** Whether nothing protects what is sent to the cluster. */
export const isPlaintext = (cluster: Setting): boolean =>
  transportSockets(cluster).every((socket) => isRaw(socket))

/** Whether nothing protects what is sent to an endpoint, whose metadata choose among sockets. */
export const isPlaintextTo = (cluster: Setting, endpoint: Setting): boolean => {
  if (cluster.get('transport_socket_matcher').isSet) return isPlaintext(cluster) // not followed
  const labels = endpoint.get('metadata', 'filter_metadata').entry('envoy.transport_socket_match')
  const chosen = cluster
    .get('transport_socket_matches')
    .items()
    .find((match) =>
      match
        .get('match')
        .entries()
        .every(([key, value]) => labels.entry(key).text === value.text),
    )
  return isRaw((chosen ?? cluster).get('transport_socket'))
}

const isRaw = (socket: Setting): boolean =>
  !socket.isSet || isKind(extensionIn(socket), KINDS.rawBuffer)

const transportSockets = (cluster: Setting): readonly Setting[] =>
  [
    cluster.get('transport_socket'),
    ...cluster
      .get('transport_socket_matches')
      .items()
      .map((match) => match.get('transport_socket')),
  ].filter(({ isSet }) => isSet)

/** TLS in a transport socket, or in one that it wraps (PROXY protocol, tap, QUIC and so on). */
const tlsIn = ({ config }: Pick<Extension, 'config'>, quic = false): readonly UpstreamTls[] => {
  if (config.get('common_tls_context').isSet) return [{ config, quic }]
  const wrapped = config.get('transport_socket')
  if (wrapped.isSet) return tlsIn(extensionIn(wrapped))
  const ofQuic = config.get('upstream_tls_context')
  if (ofQuic.isSet) return tlsIn({ config: ofQuic }, true)
  const ofStartTls = config.get('tls_socket_config')
  return ofStartTls.isSet ? tlsIn({ config: ofStartTls }) : []
}

/** The endpoints in a ClusterLoadAssignment. */
export const endpointsIn = (assignment: Setting): readonly Setting[] =>
  assignment
    .get('endpoints')
    .items()
    .flatMap((locality) => locality.get('lb_endpoints').items())

/** Where an endpoint is. */
export const addressOf = (endpoint: Setting): Setting => endpoint.get('endpoint', 'address')

/** The addresses of a cluster that its own configuration contains. */
export const addressesOf = (cluster: Setting): readonly Setting[] =>
  endpointsIn(cluster.get('load_assignment')).map(addressOf)

/** Whether only this machine can reach an address. */
export const isLocal = (address: Setting): boolean => {
  const socket = address.get('socket_address')
  if (!socket.isSet) return true // a pipe, or a listener of the same Envoy
  return isLoopback(socket.get('address').text)
}

/** Whether a host is this machine. */
export const isLoopback = (host: string): boolean =>
  isLoopbackAddress({ kind: 'tcp', host: canonical(host), port: 0 })

/** RFC 5952: one spelling of each IPv6 address. */
const canonical = (host: string): string =>
  isIP(host) === 6 ? new URL(`http://[${host}]`).hostname.slice(1, -1) : host

/** A limit of the circuit breaker for requests of ordinary priority. */
export const limitOf = (cluster: Setting, name: string): Setting => {
  const thresholds = cluster.get('circuit_breakers', 'thresholds')
  // "If multiple Thresholds are defined with the same RoutingPriority, the first one … is used."
  const ordinary = thresholds
    .items()
    .find((threshold) => threshold.get('priority').choice(['DEFAULT', 'HIGH']) === 'DEFAULT')
  return ordinary?.get(name) ?? thresholds
}
