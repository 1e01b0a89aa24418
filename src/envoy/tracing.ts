// Envoy's own spans: one for the request, one for the call of authz, one for the upstream. authz' spans are children of the second.

import type { Config } from '../configuration/schema.ts'
import type { Address } from '../config/values.ts'
import { endpoints, limits, protocol, tls } from './cluster-parts.ts'
import type { Message } from './message.ts'

/** The cluster of the collector; no upstream can have that name, since names hold no colon. */
const COLLECTOR_CLUSTER = 'countersign:collector'

/** The headers of W3C Trace Context. */
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const

const EXPORT_TIMEOUT = '5s'
const MOST_EXPORTS = 64

/** `tracing` of the connection manager, where the configuration has it. */
export const tracingOf = ({ tracing }: Config): Message => {
  if (tracing === undefined) return {}
  const { otlp, sampling } = tracing
  const service =
    otlp.protocol === 'grpc'
      ? {
          grpc_service: {
            envoy_grpc: { cluster_name: COLLECTOR_CLUSTER },
            timeout: EXPORT_TIMEOUT,
          },
        }
      : {
          http_service: {
            http_uri: {
              uri: otlp.endpoint,
              cluster: COLLECTOR_CLUSTER,
              timeout: EXPORT_TIMEOUT,
            },
          },
        }
  return {
    tracing: {
      // x-client-trace-id would let a caller choose.
      client_sampling: { value: 0 },
      random_sampling: { value: sampling * 100 },
      spawn_upstream_span: true,
      provider: {
        name: 'envoy.tracers.opentelemetry',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig',
          ...service,
          service_name: 'countersign-envoy',
        },
      },
    },
  }
}

/** What is removed from what callers sent, so that none of them decides what is traced. */
export const untrustedTraceHeaders = ({ tracing }: Config): readonly string[] =>
  tracing === undefined || tracing.trustClients ? [] : TRACE_HEADERS

/** The cluster of the collector, where there is one. */
export const collectorClusters = ({ tracing }: Config): readonly Message[] => {
  if (tracing === undefined) return []
  const { endpoint, ca, protocol: transport } = tracing.otlp
  const url = new URL(endpoint)
  const host = url.hostname.replaceAll(/^\[|\]$/g, '')
  const isSecure = url.protocol === 'https:'
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const address: Address = { kind: 'tcp', host, port }
  const version = transport === 'grpc' ? 'http2_protocol_options' : 'http_protocol_options'
  const security =
    isSecure && ca?.kind === 'file'
      ? {
          transport_socket: tls({
            serverName: host,
            ca: ca.path,
            alpn: transport === 'grpc' ? 'h2' : 'http/1.1',
            present: {},
          }),
        }
      : {}
  return [
    {
      ...endpoints(COLLECTOR_CLUSTER, [address]),
      connect_timeout: '2s',
      circuit_breakers: limits(MOST_EXPORTS),
      typed_extension_protocol_options: protocol({ explicit_http_config: { [version]: {} } }),
      ...security,
    },
  ]
}
