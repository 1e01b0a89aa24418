// Rules about the connection manager: who the caller is, and one spelling for each request.

import { when, type Rule } from '../rule.ts'
import type { Manager } from '../view/manager.ts'

const ESCAPED_SLASHES = [
  'IMPLEMENTATION_SPECIFIC_DEFAULT',
  'KEEP_UNCHANGED',
  'REJECT_REQUEST',
  'UNESCAPE_AND_REDIRECT',
  'UNESCAPE_AND_FORWARD',
] as const

/** Rules about connection managers that call Countersign. */
export const listenerRules: readonly Rule<Manager>[] = [
  {
    id: 'underscores-in-header-names',
    severity: 'error',
    problem: 'header names with underscores are accepted',
    risk: 'X_Remote_User bypasses every removal of X-Remote-User, and many servers treat both as the same header',
    remedy: 'common_http_protocol_options: { headers_with_underscores_action: REJECT_REQUEST }',
    find: ({ config }) => {
      const at = config.get('common_http_protocol_options', 'headers_with_underscores_action')
      return when(at.choice(['ALLOW', 'REJECT_REQUEST', 'DROP_HEADER']) === 'ALLOW', at)
    },
  },
  {
    id: 'remote-address-from-caller',
    severity: 'error',
    problem: 'the client address is taken from X-Forwarded-For',
    risk: 'callers choose the address that is checked and audited, and can appear as internal ones',
    remedy: 'use_remote_address: true, with xff_num_trusted_hops for proxies in front',
    istio:
      'MeshConfig: defaultConfig.gatewayTopology.numTrustedProxies: N, and no EnvoyFilter that changes use_remote_address',
    find: ({ config, listener }) => {
      const at = config.get('use_remote_address')
      const isEdge =
        !listener.get('address', 'pipe').isSet && !listener.get('internal_listener').isSet
      const detected = config.get('original_ip_detection_extensions').items().length > 0
      return when(isEdge && !detected && !at.flag, at)
    },
  },
  {
    id: 'internal-addresses',
    severity: 'warning',
    problem: 'callers at private or loopback addresses count as internal',
    risk: 'Envoy obeys their x-envoy-* headers: timeouts, retries and more',
    remedy:
      'internal_address_config: { cidr_ranges: [{ address_prefix: 0.0.0.0, prefix_len: 32 }] }, or the ranges that are',
    find: ({ config }) => {
      const at = config.get('internal_address_config')
      const ranges = at.get('cidr_ranges').items()
      if (ranges.length === 0) return [{ at }]
      const everybody = ranges.filter((range) => (range.get('prefix_len').count ?? 0) === 0)
      return everybody.map((range) => ({ at: range, detail: 'the range is every address' }))
    },
  },
  {
    id: 'path-not-normalized',
    severity: 'error',
    problem: 'paths are not normalised',
    risk: '/public/../secrets matches the route of /public; authz refuses only the forms that it recognises',
    remedy: 'normalize_path: true',
    istio: 'MeshConfig: pathNormalization.normalization: MERGE_SLASHES',
    find: ({ config }) => when(!config.get('normalize_path').flag, config.get('normalize_path')),
  },
  {
    id: 'slashes-not-merged',
    severity: 'error',
    problem: 'repeated slashes are not merged',
    risk: '//secrets matches another route than /secrets, although upstreams may treat them as the same path',
    remedy: 'merge_slashes: true',
    istio:
      'MeshConfig: pathNormalization.normalization: MERGE_SLASHES (for the whole mesh); or EnvoyFilter, applyTo: NETWORK_FILTER on envoy.filters.network.http_connection_manager, MERGE: merge_slashes: true',
    find: ({ config }) => when(!config.get('merge_slashes').flag, config.get('merge_slashes')),
  },
  {
    id: 'escaped-slashes-accepted',
    severity: 'error',
    problem: 'encoded slashes in paths are not refused',
    risk: '/public%2f..%2fsecrets matches one route here and is another path at the upstream',
    remedy: 'path_with_escaped_slashes_action: REJECT_REQUEST',
    find: ({ config }) => {
      const at = config.get('path_with_escaped_slashes_action')
      return when(at.choice(ESCAPED_SLASHES) !== 'REJECT_REQUEST', at)
    },
  },
  {
    id: 'headers-without-end',
    severity: 'warning',
    problem: 'there is no time limit for receiving the headers of a request',
    risk: 'idle connections accumulate until there is no room for other clients',
    remedy: 'request_headers_timeout: 10s',
    find: ({ config }) => {
      const at = config.get('request_headers_timeout')
      return when((at.milliseconds ?? 0) === 0, at)
    },
  },
  {
    id: 'host-dot-kept',
    severity: 'warning',
    problem: 'a trailing dot of the host is kept',
    risk: 'app.example.org. is the same host, and matches another virtual host with other routes',
    remedy: 'strip_trailing_host_dot: true',
    find: ({ config }) =>
      when(!config.get('strip_trailing_host_dot').flag, config.get('strip_trailing_host_dot')),
  },
]
