// A fault: good.yaml with one thing changed, and what the lint has to find.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Expectations } from '../../../../src/envoy/lint/expectations.ts'
import type { Severity } from '../../../../src/envoy/lint/rule.ts'

/** A setting and its new value; without one it is taken out. */
export type Change = readonly [path: string, value?: unknown]

/** One thing wrong. */
export interface Fault {
  readonly name: string
  readonly change: readonly Change[]
  /** The rule that finds it, and how grave it is. */
  readonly rule: string
  readonly severity: Severity
  /** The path of the finding; several if the rule finds it in several places. */
  readonly at: string | readonly string[]
  /** What countersign.yaml says. */
  readonly expected?: Partial<Expectations>
  /** Envoy itself refuses such a configuration. */
  readonly refused?: true
}

/** Faults of one setting: each value is one, and `undefined` that it is missing. */
export const wrong = (
  rule: string,
  severity: Severity,
  path: string,
  values: readonly unknown[],
): readonly Fault[] =>
  values.map((value) => ({
    name: `${path.slice(path.lastIndexOf('.') + 1)}: ${JSON.stringify(value) ?? 'missing'}`,
    change: [[path, value]],
    rule,
    severity,
    at: path,
  }))

/** What countersign.yaml says in these tests, unless a fault says otherwise. */
export const EXPECTED: Expectations = {
  routes: new Set(['api', 'kube']),
  lifetimes: new Map([['kube', 3_600_000]]),
  credentials: new Map(),
  headers: true,
  authz: [{ kind: 'unix', path: '/run/countersign/authz.sock' }],
  issuer: [{ kind: 'unix', path: '/run/countersign/issuer.sock' }],
  issuerTls: false,
  sessionHosts: new Set(),
  certificateLogin: false,
  hosts: new Set(['api.example.org', 'kube.example.org']),
  kubernetes: new Set(),
  ownHeaders: [],
}

/** The text of good.yaml. */
export const GOOD = readFileSync(join(import.meta.dirname, '../good.yaml'), 'utf8')

// Where things are in good.yaml.

export const LISTENER = 'static_resources.listeners[0]'
export const FILTER_CHAIN = `${LISTENER}.filter_chains[0]`
export const DOWNSTREAM_TLS = `${FILTER_CHAIN}.transport_socket.typed_config`
export const MANAGER = `${FILTER_CHAIN}.filters[0].typed_config`
export const AUTHZ = `${MANAGER}.http_filters[0].typed_config`
export const FILTERS = `${MANAGER}.http_filters`
export const LUA = `${FILTERS}[1]`
export const FILTER_STATE = `${FILTERS}[2]`
export const HOSTS = `${MANAGER}.route_config.virtual_hosts`
export const API_ROUTE = `${HOSTS}[1].routes[0]`
export const KUBE_ROUTE = `${HOSTS}[2].routes[0]`
export const CLUSTERS = 'static_resources.clusters'
export const AUTHZ_CLUSTER = `${CLUSTERS}[0]`
export const API = `${CLUSTERS}[1]`
export const KUBE = `${CLUSTERS}[2]`
export const SIGNER = `${CLUSTERS}[3]`
export const PER_FILTER = 'typed_per_filter_config["envoy.filters.http.ext_authz"]'
export const HTTP_OPTIONS =
  'typed_extension_protocol_options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]'

/** An extension, with its type from below `envoy.extensions`. */
export const extension = (name: string, type: string, config: object = {}): object => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.${type}`, ...config },
})

/** A filter that removes from trailers what callers may not send, for upstreams of HTTP/2. */
const TRAILERS = extension(
  'envoy.filters.http.header_mutation',
  'filters.http.header_mutation.v3.HeaderMutation',
  {
    mutations: {
      request_trailers_mutations: [
        'authorization|dpop|(proxy|client|audit).*',
        '(x.remote|impersonate|x.cert|x.webauth|x.countersign|x.forwarded).+',
      ].map((regex) => ({ remove_on_match: { key_matcher: { safe_regex: { regex } } } })),
    },
  },
)

/** That filter, in front of the router; and no word of trailers. */
export const WITHOUT_TRAILERS = (): readonly Change[] => [
  [`${FILTERS}[4]`, partOf(`${FILTERS}[3]`)],
  [`${FILTERS}[3]`, TRAILERS],
  [
    `${MANAGER}.early_header_mutation_extensions[0].typed_config.mutations[21]`,
    { remove: 'trailer' },
  ],
]

/** A part of a document, good.yaml unless another is given. */
export const partOf = (path: string, document: unknown = parse(GOOD)): unknown =>
  stepsOf(path).reduce<unknown>(
    (value, step) => (isMessage(value) ? value[step] : undefined),
    document,
  )

/** good.yaml as a document, with changes. */
export const changed = (changes: readonly Change[]): unknown => changedIn(GOOD, changes)

/** Any document, with changes. */
export const changedIn = (yaml: string, changes: readonly Change[]): unknown => {
  const document: unknown = parse(yaml)
  // A copy: a later change may be within what an earlier one put in.
  for (const [path, value] of changes) change(document, stepsOf(path), structuredClone(value))
  return document
}

const stepsOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\["([^"]+)"\]|\[(\d+)\]|(\w+)/g)].map(
    ([, key, index, name]) => key ?? name ?? Number(index),
  )

const change = (parent: unknown, [step, ...rest]: readonly (string | number)[], value: unknown) => {
  if (Array.isArray(parent)) {
    if (rest.length > 0) change(parent[Number(step)], rest, value)
    else if (value === undefined) parent.splice(Number(step), 1)
    else parent.splice(Number(step), Number(step) < parent.length ? 1 : 0, value)
  } else if (isMessage(parent) && step !== undefined) {
    if (rest.length > 0) change((parent[step] ??= {}), rest, value)
    else if (value === undefined) delete parent[step]
    else parent[step] = value
  } else {
    throw new Error(`there is no ${step} in the document`)
  }
}

const isMessage = (value: unknown): value is Record<string | number, unknown> =>
  typeof value === 'object' && value !== null

/** A message as JSON, with its type. */
export const typed = (type: string, value: unknown): object => ({
  '@type': `type.googleapis.com/${type}`,
  ...Object(value),
})
