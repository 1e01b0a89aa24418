// Faults of what brings credentials to authz: each is one only because of an authenticator of a route
// that this Envoy serves.

import type { Credential } from '../../../../src/envoy/lint/credentials.ts'
import {
  AUTHZ,
  DOWNSTREAM_TLS,
  extension,
  FILTERS,
  MANAGER,
  partOf,
  type Change,
  type Fault,
} from './case.ts'

/** What an authenticator of the route `api` wants. */
export const wanting = (...places: readonly Place[]): Pick<Fault, 'expected'> => ({
  expected: {
    credentials: new Map([
      ['api', places.map((place): Credential => ({ ...place, authenticator: 'staff' }))],
    ]),
  },
})

type Place = Credential extends infer One
  ? One extends Credential
    ? Omit<One, 'authenticator'>
    : never
  : never

// Authenticators.

export const CONNECTION = { kind: 'connection-certificate' } as const
export const FORWARDED = { kind: 'forwarded-certificate', element: 'only', chain: true } as const
export const FORWARDED_LAST = { ...FORWARDED, element: 'last' } as const
export const CLIENT_CERT = { kind: 'client-cert' } as const
export const API_KEY = { kind: 'header', name: 'x-api-key' } as const
export const QUERY_KEY = { kind: 'parameter', name: 'api_key' } as const
export const TOKEN = { kind: 'header', name: 'authorization' } as const
export const PROOF = { kind: 'header', name: 'dpop' } as const

// Settings that they want, or that differ.

const TLS = `${DOWNSTREAM_TLS}.common_tls_context`
export const VALIDATION = `${TLS}.validation_context`
const RULES = `${AUTHZ}.decoder_header_mutation_rules`
export const EARLY = `${MANAGER}.early_header_mutation_extensions`
export const MUTATIONS = `${EARLY}[0].typed_config.mutations`
export const DETAILS = `${MANAGER}.forward_client_cert_details`
export const CURRENT = `${MANAGER}.set_current_client_cert_details`
export const CONDITION = `${MANAGER}.forward_client_cert_matcher.on_no_match.action`
export const WRITTEN: readonly Change[] = [
  [DETAILS, 'SANITIZE_SET'],
  [CURRENT, { cert: true, chain: true }],
]
/** The removal of Client-Cert, as which good.yaml has it. */
export const REMOVAL = `${MUTATIONS}[2]`
/** A harmless removal. */
// One more.
const OTHER = `${MUTATIONS}[19]`
/** X-Forwarded-Client-Cert is no longer removed early. */
export const FORWARDED_KEPT: readonly Change[] = [
  [
    `${MUTATIONS}[11].remove_on_match.key_matcher`,
    { safe_regex: { regex: 'x-forwarded-(host|port|prefix|server)' } },
  ],
  [`${MUTATIONS}[1]`],
]
/** Client-Cert and Client-Cert-Chain are no longer removed. */
export const KEPT: readonly Change[] = [[`${MUTATIONS}[3]`], [REMOVAL]]

/** How X-Forwarded-Client-Cert is handled on a condition. */
export const onCondition = (fields: object): object =>
  extension(
    'condition',
    'filters.network.http_connection_manager.v3.HttpConnectionManager.ForwardClientCertConfig',
    fields,
  )

/** A filter that changes headers. */
const mutator = (...mutations: readonly object[]): object =>
  extension('mutator', 'filters.http.header_mutation.v3.HeaderMutation', {
    mutations: { request_mutations: mutations },
  })

/** A filter that removes a header. */
export const removing = (name: string): object => mutator({ remove: name })

/** A filter in front of ext_authz that changes headers. */
export const mutating = (...mutations: readonly object[]): Change => inFront(mutator(...mutations))

/** A filter in front of ext_authz. */
export const inFront = (filter: object): Change => [
  FILTERS,
  [filter, ...[0, 1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`))],
]

const removed: readonly Fault[] = [
  ...[API_KEY, TOKEN, PROOF].map((place): Fault => ({
    name: `${place.name} is removed early`,
    change: [[OTHER, { remove: place.name.toUpperCase() }]],
    rule: 'credential-removed',
    severity: 'error',
    at: `${OTHER}.remove`,
    ...wanting(place),
  })),
  {
    name: 'API keys are removed early, with other headers',
    change: [[OTHER, { remove_on_match: { key_matcher: { suffix: '-KEY', ignore_case: true } } }]],
    rule: 'credential-removed',
    severity: 'error',
    at: `${OTHER}.remove_on_match`,
    ...wanting(API_KEY),
  },
  {
    name: 'a key in a header that Countersign may set',
    change: [],
    rule: 'credential-removed',
    severity: 'error',
    at: `${MUTATIONS}[8].remove_on_match`,
    ...wanting({ kind: 'header', name: 'x-cert-key' }),
  },
  {
    name: 'keys are for callers from inside',
    change: [[`${MANAGER}.route_config.internal_only_headers`, ['X-Other', 'X-Api-Key']]],
    rule: 'credential-removed',
    severity: 'error',
    at: `${MANAGER}.route_config.internal_only_headers[1]`,
    ...wanting(API_KEY),
  },
  ...[API_KEY, { ...FORWARDED, name: 'x-forwarded-client-cert' }].map((place): Fault => ({
    name: `a filter in front of ext_authz removes ${place.name}`,
    change: [...WRITTEN, mutating({ remove: 'x-other' }, { remove: place.name })],
    rule: 'credential-removed',
    severity: 'error',
    at: `${FILTERS}[0].typed_config.mutations.request_mutations[1].remove`,
    ...wanting(place),
  })),
  ...[
    ['allowed_headers', { patterns: [{ safe_regex: { regex: '[^k]*' } }] }] as const,
    ['disallowed_headers', { patterns: [{ exact: 'x-api-key' }] }] as const,
  ].map(([field, value]): Fault => ({
    name: `keys are hidden from authz by ${field}`,
    change: [[`${AUTHZ}.${field}`, value]],
    rule: 'headers-hidden-from-authz',
    severity: 'error',
    at: `${AUTHZ}.${field}`,
    ...wanting({ kind: 'header', name: 'x-api-key' }),
  })),
  {
    name: 'authz may not remove keys',
    change: [[`${RULES}.disallow_expression`, { regex: 'x-api-.*' }]],
    rule: 'mutation-rules-refuse-ours',
    severity: 'error',
    at: RULES,
    ...wanting(API_KEY),
  },
]

const unchangeable = (name: string, change: readonly Change[], at: string): Fault => ({
  name,
  change,
  rule: 'path-not-changeable',
  severity: 'error',
  at: `${RULES}.${at}`,
  ...wanting(QUERY_KEY),
})

const parameters: readonly Fault[] = [
  unchangeable('keys in the query', [], 'allow_expression'),
  unchangeable(
    'keys in the query, and a part of the name',
    [[`${RULES}.allow_expression`, { regex: 'pat' }]],
    'allow_expression',
  ),
  unchangeable(
    'keys in the query, and a pattern for both',
    [
      [`${RULES}.allow_expression`, { regex: '^:path$' }],
      [`${RULES}.disallow_expression`, { regex: ':.*' }],
    ],
    'disallow_expression',
  ),
  unchangeable(
    'keys in the query, and a list of what may change',
    [
      [`${RULES}.disallow_system`, false],
      [`${RULES}.disallow_all`, true],
      [`${RULES}.allow_expression`, { regex: '[a-z].*' }],
    ],
    'allow_expression',
  ),
  // Sessions that end with their credential: authz says when, in a header of Envoy's.
  {
    name: 'authz may not say when a stream ends',
    change: [[`${RULES}.allow_envoy`, false]],
    rule: 'mutation-rules-refuse-ours',
    severity: 'error',
    at: RULES,
    ...wanting(TOKEN),
  },
]

/** What can be wrong with the way of credentials. */
export const credentialFaults: readonly Fault[] = [...removed, ...parameters]
