// The public listener: TLS and HTTP as strict as callers bear.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import { httpFilters } from './filters.ts'
import { localReplies } from './local-replies.ts'
import {
  addressMessage,
  CONNECTION_WINDOW,
  duration,
  extension,
  file,
  STREAM_WINDOW,
  type Message,
} from './message.ts'
import { connectionLog, requestLog, type RefusalLog } from './refusal-log.ts'
import { routeConfiguration } from './routes.ts'
import { EXPRESSION_LIMIT } from './runtime.ts'
import { earlyHeaderMutations } from './strip.ts'
import { tracingOf } from './tracing.ts'

/** The name of the public listener. */
export const EDGE_LISTENER = 'edge'

// https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
const CONNECTION_BUFFER = 32_768
/** What kubectl and browsers change to; Istio allows the first by itself. */
export const UPGRADES = ['websocket', 'SPDY/3.1'] as const

/**
 * Requests that one HTTP/2 connection may have under way. Floods of frames and of resets end it by Envoy's own
 * limits. How long it lives and how many requests it carries has no limit: a watch or shell would end with it, and
 * a connection that is not used ends by `idle_timeout`.
 */
const STREAMS = 100
/** How long a caller may take to send a request's headers. */
export const HEADERS_TIMEOUT = '10s'

/** The listener that callers connect to. */
export const edgeListener = (config: Config, envoy: EnvoyConfig, log: RefusalLog): Message => ({
  name: EDGE_LISTENER,
  address: addressMessage(envoy.listener.address),
  access_log: connectionLog(log),
  per_connection_buffer_limit_bytes: CONNECTION_BUFFER,
  filter_chains: [
    {
      transport_socket_connect_timeout: '10s',
      transport_socket: downstreamTls(envoy.listener),
      filters: [connectionManager(config, envoy, log)],
    },
  ],
})

/**
 * No other process can listen on the port, also none that begins later. The workers then share one socket, and
 * connections are distributed evenly among them by Envoy.
 */
export const exclusivePort: Message = {
  enable_reuse_port: false,
  connection_balance_config: { exact_balance: {} },
}

/** A resumed session would bring back a client certificate without validating it again. */
export const nothingResumed: Message = {
  disable_stateless_session_resumption: true,
  disable_stateful_session_resumption: true,
}

const downstreamTls = ({ certificate, key, clientCa }: EnvoyConfig['listener']): Message =>
  extension('envoy.transport_sockets.tls', 'transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: false,
    ...(clientCa === undefined ? {} : nothingResumed),
    common_tls_context: {
      tls_params: {
        tls_minimum_protocol_version: 'TLSv1_2',
        tls_maximum_protocol_version: 'TLSv1_3',
      },
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificates: [{ certificate_chain: file(certificate), private_key: file(key) }],
      ...(clientCa === undefined ? {} : { validation_context: { trusted_ca: file(clientCa) } }),
    },
  })

const connectionManager = (config: Config, envoy: EnvoyConfig, log: RefusalLog): Message =>
  extension(
    'envoy.filters.network.http_connection_manager',
    'filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: EDGE_LISTENER,
      access_log: requestLog(log),
      ...tracingOf(config),
      ...trust(envoy.listener),
      ...normalisation,
      ...bounds(envoy.listener),
      upgrade_configs: UPGRADES.map((type) => ({ upgrade_type: type })),
      early_header_mutation_extensions: earlyHeaderMutations(
        config,
        envoy.listener.trustedHops,
        EXPRESSION_LIMIT,
      ),
      route_config: routeConfiguration(config, envoy),
      http_filters: httpFilters(config, envoy),
      ...localReplies(config),
    },
  )

/**
 * An address without clients (RFC 1122 §3.2.1.3). Without a range, private and loopback
 * addresses are internal in 1.40, and their x-envoy-* headers are obeyed.
 */
export const nobodyInternal: Message = {
  unix_sockets: false,
  cidr_ranges: [{ address_prefix: '0.0.0.0', prefix_len: 32 }],
}

/** The client address: that of the connection, or the one that trusted proxies report. */
const trust = ({ trustedHops }: EnvoyConfig['listener']): Message => ({
  use_remote_address: true,
  xff_num_trusted_hops: trustedHops,
  internal_address_config: nobodyInternal,
  forward_client_cert_details: 'SANITIZE',
})

/** One spelling for each request, and refusal of what has two. */
export const normalisation: Message = {
  normalize_path: true,
  merge_slashes: true,
  path_with_escaped_slashes_action: 'REJECT_REQUEST',
  strip_trailing_host_dot: true,
}

/** What headers may be like, of `common_http_protocol_options`. */
export const headerBounds: Message = {
  max_headers_count: 100,
  headers_with_underscores_action: 'REJECT_REQUEST',
}

/** What an HTTP/2 connection may have under way, of `http2_protocol_options`. */
export const streamBounds: Message = {
  max_concurrent_streams: STREAMS,
  initial_stream_window_size: STREAM_WINDOW,
  initial_connection_window_size: CONNECTION_WINDOW,
}

const bounds = ({ streamIdleTimeout }: EnvoyConfig['listener']): Message => ({
  max_request_headers_kb: 60,
  request_headers_timeout: HEADERS_TIMEOUT,
  stream_idle_timeout: duration(streamIdleTimeout),
  // Uploads and upgraded connections may take as long as they do something.
  request_timeout: '0s',
  common_http_protocol_options: {
    idle_timeout: '900s',
    ...headerBounds,
  },
  http2_protocol_options: streamBounds,
})
