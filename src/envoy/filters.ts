// The HTTP filters, in order: bound what goes to the issuer, ask authz, write repeated headers, hand on the certificate's name,
// strip trailers, forward.

import { locationsOf } from '../authenticate/kinds.ts'
import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import type { Config } from '../configuration/schema.ts'
import { AUTHZ_CLUSTER } from './clusters.ts'
import { forwardsCertificates, HANDLE, handleFilterBy } from './identity-certificate.ts'
import { issuerFilters } from './issuer-bounds.ts'
import { duration, extension, typeUrl, type Message } from './message.ts'
import { trailerFilter } from './strip.ts'

/** The name of the filter that calls authz. */
export const EXT_AUTHZ = 'envoy.filters.http.ext_authz'

/** The filter chain of the connection manager. */
export const httpFilters = (config: Config, envoy: EnvoyConfig): readonly Message[] => [
  ...(config.issuer === undefined ? [] : issuerFilters),
  ...authzFilters(config, envoy),
  extension('envoy.filters.http.router', 'filters.http.router.v3.Router'),
]

/** The filters that call authz and apply its answer. */
export const authzFilters = (
  config: Config,
  { authzTimeout, upstreams }: EnvoyConfig,
): readonly Message[] => [
  extension(EXT_AUTHZ, 'filters.http.ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    grpc_service: {
      // authz reads the message alone: no x-forwarded-for and x-envoy-* of the call.
      envoy_grpc: { cluster_name: AUTHZ_CLUSTER, skip_envoy_headers: true },
      timeout: duration(authzTimeout),
      retry_policy: untilItListens(authzTimeout),
    },
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    ...extAuthzSettings(config),
  }),
  repeatedHeadersFilter,
  ...(forwardsCertificates(config) ? [handleFilterBy(HANDLE)] : []),
  // Towards HTTP/1.1 Envoy drops all trailers.
  ...(Object.values(upstreams).some(({ protocol }) => protocol === 'http2')
    ? [trailerFilter(config)]
    : []),
]

/**
 * While authz restarts nothing accepts connections. A check that was not sent, or that authz declares unprocessed (RFC 9113
 * §8.7), is sent again until `authzTimeout`; one that may have been decided is not. Envoy takes `max_interval` as the time
 * for one attempt, too (convertCoreToRouteRetryPolicy).
 */
const untilItListens = (authzTimeout: number): Message => ({
  retry_on: 'connect-failure,refused-stream',
  num_retries: 20, // more than the time allows
  retry_back_off: { base_interval: '0.025s', max_interval: duration(authzTimeout) },
})

/** The parts of a request that authz receives, and those that it may change. */
export const extAuthzSettings = (config: Config): Message => ({
  include_peer_certificate: true,
  include_tls_session: true,
  encode_raw_headers: true,
  validate_mutations: true,
  clear_route_cache: false,
  decoder_header_mutation_rules: {
    // authz ends streams at the expiry of a credential: x-envoy-upstream-stream-duration-ms.
    allow_envoy: true,
    allow_all_routing: false,
    disallow_system: true,
    // A key in the query is taken out of the path.
    ...(takesParameters(config) ? { allow_expression: { regex: '^:path$' } } : {}),
    disallow_is_error: true,
  },
})

const takesParameters = ({ authenticators }: Config): boolean =>
  Object.values(authenticators).some((one) => locationsOf(one).some(({ kind }) => kind === 'query'))

/** `typed_per_filter_config` of an Envoy route: the name of the route for authz. */
export const contextExtensions = (extensions: Readonly<Record<string, string>>): Message => ({
  [EXT_AUTHZ]: {
    '@type': typeUrl('filters.http.ext_authz.v3.ExtAuthzPerRoute'),
    check_settings: { context_extensions: extensions },
  },
})

/** `typed_per_filter_config` of an Envoy route without a check by authz. */
export const unjudged: Message = {
  [EXT_AUTHZ]: {
    '@type': typeUrl('filters.http.ext_authz.v3.ExtAuthzPerRoute'),
    disabled: true,
  },
}

// ext_authz joins all values of a header into one line. kube-apiserver reads "dev,ops" as one group, so lists
// are sent as dynamic metadata and written here, one line for each value. Envoy continues after an error in a
// script, hence the pcall: a request without one of its headers must not be forwarded.
const REPEATED_HEADERS = `\
function envoy_on_request(handle)
  local ok, problem = pcall(write_repeated_headers, handle)
  if ok then return end
  handle:logErr("cannot write repeated headers: " .. tostring(problem))
  handle:respond({ [":status"] = "503" }, "")
end

function write_repeated_headers(handle)
  local metadata = handle:streamInfo():dynamicMetadata():get("${EXT_AUTHZ}")
  if metadata == nil or metadata["headers"] == nil then return end
  local headers = handle:headers()
  for name, values in pairs(metadata["headers"]) do
    if name:find("^:") or name:lower() == "host" then error(name .. " decides the route") end
    headers:remove(name)
    for _, value in ipairs(values) do headers:add(name, value) end
  end
end
`

/** Writes headers with several values, after the filter that calls authz. */
export const repeatedHeadersFilter: Message = extension(
  'envoy.filters.http.lua',
  'filters.http.lua.v3.Lua',
  {
    default_source_code: { inline_string: REPEATED_HEADERS },
    clear_route_cache: false,
  },
)
