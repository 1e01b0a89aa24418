// Rules about ext_authz: what Countersign gets to see, and whether its answer is carried out.

import { STRIPPED_NAMES, STRIPPED_PREFIXES } from '../../../request/stripped-headers.ts'
import { when, type Hit, type Rule } from '../rule.ts'
import type { Credential } from '../credentials.ts'
import { authenticatorsOf, type Guard } from '../view/credentials.ts'
import { matchesAny, matchesRegex } from '../view/matcher.ts'
import type { Setting } from '../view/setting.ts'

const LONGEST_TIMEOUT_MS = 30_000

// Istio's own default is 600 s.
const TIMEOUT = 'MeshConfig: extensionProviders[].envoyExtAuthzGrpc.timeout: 5s'

// `x-remote-` represents any header with that prefix.
const STRIPPED = [...STRIPPED_NAMES, ...STRIPPED_PREFIXES.map((prefix) => `${prefix}user`)]
// authz reads the credentials, and judges what `Connection` nominates; what it does not see, it
// cannot remove.
const READ = [...STRIPPED, 'connection', 'cookie']
const WRITTEN = [...STRIPPED, 'x-envoy-upstream-stream-duration-ms']

/** Rules about ext_authz filters that call Countersign. */
export const extAuthzRules: readonly Rule<Guard>[] = [
  {
    id: 'http-service',
    severity: 'error',
    problem: 'authz is called over HTTP',
    risk: 'Countersign serves gRPC: every request is refused',
    remedy: 'grpc_service: { envoy_grpc: { cluster_name: NAME }, timeout: 5s }',
    istio: 'MeshConfig: extensionProviders[].envoyExtAuthzGrpc, in place of envoyExtAuthzHttp',
    find: ({ config }) => [config.get('http_service')].flatMap((at) => when(at.isSet, at)),
  },
  {
    id: 'transport-version',
    severity: 'error',
    problem: 'the transport API version is V2',
    risk: 'Envoy refuses the configuration',
    remedy: 'transport_api_version: V3',
    find: ({ config }) => {
      const at = config.get('transport_api_version')
      return when(at.choice(['AUTO', 'V2', 'V3']) === 'V2', at)
    },
  },
  {
    id: 'authz-timeout-missing',
    severity: 'error',
    problem: 'there is no time limit for authz, so Envoy’s default of 200 ms applies',
    risk: 'a password hash or a directory takes longer: requests are refused with 503 at random',
    remedy: 'grpc_service: { …, timeout: 5s }',
    istio: TIMEOUT,
    find: ({ config }) => {
      const service = config.get('grpc_service')
      return when(service.isSet && !service.get('timeout').isSet, service.get('timeout'))
    },
  },
  {
    id: 'authz-timeout-long',
    severity: 'warning',
    problem: 'Envoy waits for authz for longer than 30 s, or without limit',
    risk: 'when authz hangs, requests accumulate instead of being refused',
    remedy: 'grpc_service: { …, timeout: 5s }',
    istio: TIMEOUT,
    find: ({ config }) => {
      const at = config.get('grpc_service', 'timeout')
      const limit = at.milliseconds
      return when(limit !== undefined && (limit > LONGEST_TIMEOUT_MS || limit === 0), at)
    },
  },
  {
    id: 'raw-headers-missing',
    severity: 'error',
    problem: 'authz does not receive the raw headers',
    risk: 'repeated lines are joined and bytes other than UTF-8 are lost, so that authz checks another request than the upstream receives',
    remedy: 'encode_raw_headers: true',
    find: ({ config }) => unless(config.get('encode_raw_headers')),
  },
  {
    id: 'peer-certificate-missing',
    severity: 'warning',
    problem: 'authz does not receive client certificates',
    risk: 'authentication with a certificate always fails, and none can be delegated',
    remedy: 'include_peer_certificate: true',
    find: ({ config, credentials }) => {
      const at = config.get('include_peer_certificate')
      const wanted = credentials.filter(({ kind }) => kind === 'connection-certificate')
      if (wanted.length === 0) return unless(at)
      return when(!at.flag, at, { severity: 'error', detail: authenticatorsOf(wanted) })
    },
  },
  {
    id: 'tls-session-missing',
    severity: 'warning',
    problem: 'authz does not receive the TLS server name',
    risk: 'a request cannot be bound to the name for which its connection was made',
    remedy: 'include_tls_session: true',
    find: ({ config }) => unless(config.get('include_tls_session')),
  },
  {
    id: 'mutations-not-validated',
    severity: 'error',
    problem: 'headers that authz sets are not validated before they are sent',
    risk: 'bytes that are invalid in a header reach the upstream, which may interpret them differently',
    remedy: 'validate_mutations: true',
    find: ({ config }) => unless(config.get('validate_mutations')),
  },
  {
    id: 'headers-hidden-from-authz',
    severity: 'error',
    problem: 'authz does not receive all headers',
    risk: 'it can neither check nor remove hidden headers: credentials are ignored, forged headers pass',
    remedy: 'neither allowed_headers nor disallowed_headers',
    find: ({ config, credentials }) => {
      const [allowed, hidden] = [config.get('allowed_headers'), config.get('disallowed_headers')]
      const read = withHeadersOf(credentials, READ)
      return [
        ...whenAny(allowed, allowed.isSet ? read.filter((name) => !matchesAny(allowed, name)) : []),
        ...whenAny(hidden, hidden.isSet ? read.filter((name) => matchesAny(hidden, name)) : []),
      ]
    },
  },
  {
    id: 'clear-route-cache',
    severity: 'warning',
    problem: 'the route cache is cleared after authz has checked the request',
    risk: 'a header that authz sets can select a route for which the request was not checked',
    remedy: 'clear_route_cache: false',
    find: ({ config }) => [
      ...when(config.get('clear_route_cache').flag, config.get('clear_route_cache')),
      ...[config.get('clear_route_cache_headers')].flatMap((at) => when(at.items().length > 0, at)),
    ],
  },
  {
    id: 'mutation-rules-missing',
    severity: 'warning',
    problem: 'authz may change the destination of a request',
    risk: 'a fault or a compromise of authz could redirect requests, with their credentials, to any host',
    remedy:
      'decoder_header_mutation_rules: { allow_envoy: true, allow_all_routing: false, disallow_system: true, disallow_is_error: true }',
    find: ({ config }) => unlessSet(config.get('decoder_header_mutation_rules')),
  },
  {
    id: 'mutation-rules-wide',
    severity: 'warning',
    problem: 'authz may change the path of a request, or its host and method',
    risk: 'a fault or a compromise of authz could turn a checked request into another one',
    remedy: 'decoder_header_mutation_rules: { …, disallow_system: true, allow_all_routing: false }',
    find: ({ config, credentials }) => {
      const rules = config.get('decoder_header_mutation_rules')
      if (credentials.some(({ kind }) => kind === 'parameter')) return [] // keys leave the path
      const [system, routing] = [rules.get('disallow_system'), rules.get('allow_all_routing')]
      const all = rules.get('disallow_all').flag
      return [
        ...when(rules.isSet && !all && !system.flag, system),
        ...when(rules.isSet && routing.flag, routing),
      ]
    },
  },
  {
    id: 'mutation-rules-refuse-ours',
    severity: 'error',
    problem: 'authz may not change headers that it has to set or remove',
    risk: 'the upstream receives the request without its identity, or with headers of the caller',
    remedy: 'decoder_header_mutation_rules: { allow_envoy: true, disallow_is_error: true }',
    find: ({ config, credentials }) => {
      const rules = config.get('decoder_header_mutation_rules')
      const written = withHeadersOf(credentials, WRITTEN)
      return whenAny(rules, rules.isSet ? written.filter((name) => !mayChange(rules, name)) : [])
    },
  },
  {
    id: 'path-not-changeable',
    severity: 'error',
    problem: 'authz may not remove API keys from the path',
    risk: 'requests with a key in the query are refused, or the upstream and its logs receive the key',
    remedy:
      "decoder_header_mutation_rules: { …, allow_expression: { regex: '^:path$' }, disallow_is_error: true }",
    find: ({ config, credentials }) => {
      const rules = config.get('decoder_header_mutation_rules')
      const keys = credentials.filter(({ kind }) => kind === 'parameter')
      const broken = keys.length > 0 && !mayChange(rules, ':path')
      const outcome = rules.get('disallow_is_error').flag
        ? 'such requests end with 500'
        : 'the change is dropped, and the key reaches the upstream'
      const forbidding = rules.get('disallow_expression')
      return when(
        broken,
        matchesRegex(forbidding, ':path') ? forbidding : rules.get('allow_expression'),
        {
          detail: `${authenticatorsOf(keys)}; ${outcome}`,
        },
      )
    },
  },
  {
    id: 'mutation-rules-silent',
    severity: 'warning',
    problem: 'changes that authz may not make are dropped silently',
    risk: 'a request continues with other headers than authz returned',
    remedy: 'decoder_header_mutation_rules: { …, disallow_is_error: true }',
    find: ({ config }) => {
      const rules = config.get('decoder_header_mutation_rules')
      return rules.isSet ? unless(rules.get('disallow_is_error')) : []
    },
  },
]

const unless = (flag: Setting): readonly Hit[] => when(!flag.flag, flag)

const unlessSet = (setting: Setting): readonly Hit[] => when(!setting.isSet, setting)

const whenAny = (at: Setting, names: readonly string[]): readonly Hit[] =>
  when(names.length > 0, at, { detail: names.join(', ') })

const withHeadersOf = (
  credentials: readonly Credential[],
  names: readonly string[],
): readonly string[] => [
  ...new Set([...names, ...credentials.flatMap((one) => (one.kind === 'header' ? one.name : []))]),
]

/** Whether envoy.config.common.mutation_rules.v3.HeaderMutationRules let a header be changed. */
const mayChange = (rules: Setting, name: string): boolean => {
  if (matchesRegex(rules.get('disallow_expression'), name)) return false
  if (matchesRegex(rules.get('allow_expression'), name)) return true
  if (rules.get('disallow_all').flag) return false
  if (name.startsWith(':')) return !rules.get('disallow_system').flag
  return !name.startsWith('x-envoy-') || rules.get('allow_envoy').flag
}
