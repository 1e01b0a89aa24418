// Extensions in an Envoy configuration, identified by the type of their configuration, as in Envoy; their
// names are labels.

import type { Setting } from './setting.ts'

/** An extension and its configuration. */
export interface Extension {
  /** The message that holds it, with `name` and `typed_config`. */
  readonly at: Setting
  readonly name: string
  /** The full name of the type of `config`; empty when it is not given. */
  readonly type: string
  readonly config: Setting
}

/** A kind of extension. */
interface Kind {
  readonly type: string
  /** What it is usually called: goes where no type is given. */
  readonly name: string
}

const kind = (type: string, name: string): Kind => ({ type: `envoy.extensions.${type}`, name })

/** The extensions that the lint knows. */
export const KINDS = {
  connectionManager: kind(
    'filters.network.http_connection_manager.v3.HttpConnectionManager',
    'envoy.filters.network.http_connection_manager',
  ),
  tcpProxy: kind('filters.network.tcp_proxy.v3.TcpProxy', 'envoy.filters.network.tcp_proxy'),
  connectionFilterState: kind(
    'filters.network.set_filter_state.v3.Config',
    'envoy.filters.network.set_filter_state',
  ),
  extAuthz: kind('filters.http.ext_authz.v3.ExtAuthz', 'envoy.filters.http.ext_authz'),
  filterState: kind(
    'filters.http.set_filter_state.v3.Config',
    'envoy.filters.http.set_filter_state',
  ),
  lua: kind('filters.http.lua.v3.Lua', 'envoy.filters.http.lua'),
  jsonTranscoder: kind(
    'filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder',
    'envoy.filters.http.grpc_json_transcoder',
  ),
  headerMutation: kind(
    'filters.http.header_mutation.v3.HeaderMutation',
    'envoy.filters.http.header_mutation',
  ),
  /** Of Envoy's contrib build. */
  clientCert: kind(
    'filters.http.client_cert.v3alpha.ClientCertConfig',
    'envoy.filters.http.client_cert',
  ),
  buffer: kind('filters.http.buffer.v3.Buffer', 'envoy.filters.http.buffer'),
  localRateLimit: kind(
    'filters.http.local_ratelimit.v3.LocalRateLimit',
    'envoy.filters.http.local_ratelimit',
  ),
  rateLimit: kind('filters.http.ratelimit.v3.RateLimit', 'envoy.filters.http.ratelimit'),
  rateLimitQuota: kind(
    'filters.http.rate_limit_quota.v3.RateLimitQuotaFilterConfig',
    'envoy.filters.http.rate_limit_quota',
  ),
  rbac: kind('filters.http.rbac.v3.RBAC', 'envoy.filters.http.rbac'),
  router: kind('filters.http.router.v3.Router', 'envoy.filters.http.router'),
  earlyHeaderMutation: kind(
    'http.early_header_mutation.header_mutation.v3.HeaderMutation',
    'envoy.http.early_header_mutation.header_mutation',
  ),
  rawBuffer: kind(
    'transport_sockets.raw_buffer.v3.RawBuffer',
    'envoy.transport_sockets.raw_buffer',
  ),
  certificateSelector: kind(
    'transport_sockets.tls.cert_selectors.on_demand_secret.v3.Config',
    'envoy.tls.certificate_selectors.on_demand_secret',
  ),
  certificateMapper: kind(
    'transport_sockets.tls.cert_mappers.filter_state_override.v3.Config',
    'envoy.tls.upstream_certificate_mappers.filter_state_override',
  ),
} as const satisfies Readonly<Record<string, Kind>>

/** The extension in a message with `name` and `typed_config`. */
export const extensionIn = (at: Setting): Extension => ({
  at,
  name: at.get('name').text,
  ...unpack(at.get('typed_config')),
})

/** The type and the contents of a google.protobuf.Any; control planes may pack them twice. */
export const unpack = (any: Setting): Pick<Extension, 'type' | 'config'> => {
  const type = shortType(any.entry('@type').text)
  if (type !== 'udpa.type.v1.TypedStruct' && type !== 'xds.type.v3.TypedStruct') {
    return { type, config: any }
  }
  return { type: shortType(any.get('type_url').text), config: any.get('value') }
}

/** Whether an extension is of that kind. */
export const isKind = (extension: Extension, { type, name }: Kind): boolean =>
  extension.type === '' ? extension.name === name : extension.type === type

/** The type's name, from its URL. */
const shortType = (url: string): string => url.slice(url.lastIndexOf('/') + 1)
