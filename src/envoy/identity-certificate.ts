// The parts of the bootstrap that give every identity its own client certificate: who decides which
// one (a filter), where it comes from (the signer), and what keeps two identities apart. Each of
// these settings fails open and silently when it is missing; `countersign envoy lint` looks for them.

import type { Config, RouteConfig } from '../configuration/schema.ts'
import { duration, extension, type Message } from './message.ts'

/** The cluster of the signer; no upstream can have that name, since names hold no colon. */
export const SIGNER_CLUSTER = 'countersign:signer'

/** The cluster to which a route forwards: one for callers' own certificates, one for Envoy's. */
export const clusterOf = ({ name, upstream = name, forward }: RouteConfig): string =>
  forward.certificate === undefined ? upstream : certificateCluster(upstream)

/** The cluster in which every identity has connections of its own to the upstream. */
export const certificateCluster = (upstream: string): string => `${upstream}:certificate`

/** The shortest lifetime of a certificate for the upstream, in milliseconds, if it gets any. */
export const shortestLifetime = ({ routes }: Config, upstream: string): number | undefined => {
  const lifetimes = routes.flatMap(({ name, upstream: target = name, forward }) =>
    target === upstream && forward.certificate !== undefined ? [forward.certificate.lifetime] : [],
  )
  return lifetimes.length === 0 ? undefined : Math.min(...lifetimes)
}

/** Whether any route forwards a certificate. */
export const forwardsCertificates = ({ routes }: Config): boolean =>
  routes.some(({ forward }) => forward.certificate !== undefined)

/** Where authz puts the handle, as Envoy's formats name it. */
export const HANDLE = '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:upstream_secret)%'

/**
 * Puts the handle into the connection's identity: the mapper below reads it, and its hash is part of
 * the key of the connection pool (with `envoy.string` in place of `envoy.hashable_string` it is not,
 * and callers share connections).
 *
 * @param format where the handle is
 */
export const handleFilterBy = (format: string): Message =>
  extension('envoy.filters.http.set_filter_state', 'filters.http.set_filter_state.v3.Config', {
    on_request_headers: [
      {
        object_key: 'envoy.tls.certificate_mappers.on_demand_secret',
        factory_key: 'envoy.hashable_string',
        shared_with_upstream: 'ONCE',
        skip_if_empty: true,
        format_string: {
          omit_empty_values: true,
          text_format_source: { inline_string: format },
        },
      },
    ],
  })

// Not a handle, so the signer refuses it: a request without one ends there.
const NO_IDENTITY = 'deny.no-identity'

/** `CommonTlsContext.custom_tls_certificate_selector`: the certificate by the handle, on demand. */
export const certificateSelector: Message = extension(
  'envoy.tls.certificate_selectors.on_demand_secret',
  'transport_sockets.tls.cert_selectors.on_demand_secret.v3.Config',
  {
    config_source: {
      resource_api_version: 'V3',
      api_config_source: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [
          {
            envoy_grpc: {
              cluster_name: SIGNER_CLUSTER,
              // The default waits up to 30 s before it connects to a restarted signer again.
              retry_policy: { retry_back_off: { base_interval: '0.1s', max_interval: '2s' } },
            },
          },
        ],
      },
    },
    certificate_mapper: extension(
      'envoy.tls.upstream_certificate_mappers.filter_state_override',
      'transport_sockets.tls.cert_mappers.filter_state_override.v3.Config',
      { default_value: NO_IDENTITY },
    ),
  },
)

const IDLE_MS = 60_000

/**
 * How long a connection lives: one that was opened at the end of a certificate's first half (where
 * authz changes to the next one) must end before the certificate does.
 */
export const connectionBounds = (lifetime: number | undefined): Message =>
  lifetime === undefined
    ? // Below the idle timeout of common servers (kube-apiserver: 90 s), so that a pooled connection
      // does not end in the moment in which it is used.
      { idle_timeout: duration(IDLE_MS) }
    : {
        idle_timeout: duration(Math.min(IDLE_MS, Math.floor(lifetime / 4))),
        max_connection_duration: duration(Math.floor(lifetime * 0.4)),
      }

/** Names of secrets out of the statistics: they are long, and there are as many as identities. */
export const statistics: Message = {
  stats_config: {
    stats_matcher: {
      exclusion_list: {
        patterns: [{ prefix: 'sds.' }, { contains: '.on_demand_secret.ssl.certificate.' }],
      },
    },
  },
}
