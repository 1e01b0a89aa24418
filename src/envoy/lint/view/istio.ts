// Resources of Istio as Envoy receives them: their names, and the filter before ext_authz by which an
// AuthorizationPolicy (action CUSTOM) selects the requests to check.

import { isKind, KINDS, type Extension } from './extension.ts'
import { hostsNamedBy } from './host.ts'
import { matches } from './matcher.ts'
import type { Setting } from './setting.ts'

/** Whether an Envoy is configured by Istio. */
export const isIstios = (bootstrap: Setting): boolean =>
  bootstrap.get('node', 'metadata').entry('ISTIO_VERSION').isSet

/** A service and one of its ports. */
export interface Service {
  readonly host: string
  readonly port: number
}

/** The service of a cluster: `outbound|PORT|SUBSET|HOST`. */
export const serviceOf = (cluster: string): Service | undefined => {
  const [, port, host] = /^outbound\|(\d+)\|[^|]*\|([^|]+)$/.exec(cluster) ?? []
  return host === undefined ? undefined : { host, port: Number(port) }
}

/**
 * Clusters in the bootstrap of every proxy of Istio that lead to the proxy itself (its health and its
 * statistics), and the one that leads nowhere.
 */
export const OWN_CLUSTERS: ReadonlySet<string> = new Set([
  'agent',
  'prometheus_stats',
  'BlackHoleCluster',
])

/** Whether a policy selects requests to a host. */
export type Picked = 'yes' | 'no' | 'maybe'

/** An AuthorizationPolicy in front of an ext_authz filter. */
export interface Policy {
  /** The names of the policies that count, as Istio writes them. */
  readonly names: readonly string[]
  /** Hosts that it is about, some of which it may leave out. */
  readonly hosts: readonly string[]
  /** Whether requests with that `Host`, in lower case, are judged. */
  readonly picks: (host: string) => Picked
}

/** What may decide whether an ext_authz filter runs at all. */
export const conditionOf = (extAuthz: Setting): Setting => extAuthz.get('filter_enabled_metadata')

/** Whether that is an AuthorizationPolicy, by the metadata that are looked at. */
export const isPolicy = (condition: Setting): boolean =>
  condition.get('filter').text === KINDS.rbac.name &&
  /^istio[-_]ext[-_]authz/.test(keyOf(condition))

/** The policy that selects the requests of an ext_authz filter; `undefined` when it is unknown. */
export const policyOf = (extAuthz: Setting, inFront: readonly Extension[]): Policy | undefined => {
  const condition = conditionOf(extAuthz)
  if (!isPolicy(condition)) return undefined
  const value = condition.get('value', 'string_match')
  const rules = inFront
    .filter((filter) => isKind(filter, KINDS.rbac))
    .filter(
      ({ config }) =>
        `${config.get('shadow_rules_stat_prefix').text}shadow_effective_policy_id` ===
        keyOf(condition),
    )
    .flatMap(({ config }) => config.get('shadow_rules', 'policies').entries())
    .filter(([name]) => matches(value, name))
  if (rules.length === 0) return undefined
  return {
    names: [...new Set(rules.map(([name]) => name.replace(/-rule\[\d+\]$/, '')))],
    hosts: rules
      .flatMap(([, rule]) => [...rule.walk()])
      .filter((setting) => isHost(setting))
      .flatMap((header) => hostsNamedBy(header.get('string_match'))),
    picks: (host) => any(rules.map(([, rule]) => picks(rule, host))),
  }
}

const keyOf = (condition: Setting): string => {
  const [first, ...others] = condition.get('path').items()
  return others.length === 0 ? (first?.get('key').text ?? '') : ''
}

/** Whether an envoy.config.rbac.v3.Policy matches requests for a host. */
const picks = (policy: Setting, host: string): Picked =>
  all([
    any(
      policy
        .get('permissions')
        .items()
        .map((one) => holds(one, PERMISSION, host)),
    ),
    any(
      policy
        .get('principals')
        .items()
        .map((one) => holds(one, PRINCIPAL, host)),
    ),
    ...(policy.get('condition').isSet || policy.get('checked_condition').isSet
      ? (['maybe'] as const)
      : []),
  ])

/** How the fields of a Permission and of a Principal are called. */
interface Names {
  readonly all: readonly [string, string]
  readonly any: readonly [string, string]
  readonly not: string
}

const PERMISSION: Names = {
  all: ['and_rules', 'rules'],
  any: ['or_rules', 'rules'],
  not: 'not_rule',
}
const PRINCIPAL: Names = { all: ['and_ids', 'ids'], any: ['or_ids', 'ids'], not: 'not_id' }

const holds = (one: Setting, names: Names, host: string): Picked => {
  if (one.get('any').flag) return 'yes'
  const below = (path: readonly string[]): readonly Picked[] =>
    one
      .get(...path)
      .items()
      .map((inner) => holds(inner, names, host))
  if (one.get(names.all[0]).isSet) return all(below(names.all))
  if (one.get(names.any[0]).isSet) return any(below(names.any))
  const not = one.get(names.not)
  if (not.isSet) return negated(holds(not, names, host))
  const header = one.get('header')
  return header.isSet ? headerHolds(header, host) : 'maybe'
}

const isHost = (header: Setting): boolean =>
  ['host', ':authority'].includes(header.get('name').text.toLowerCase())

const headerHolds = (header: Setting, host: string): Picked => {
  if (!isHost(header)) return 'maybe'
  const [match, present] = [header.get('string_match'), header.get('present_match')]
  if (!match.isSet && !present.isSet) return 'maybe'
  const held = match.isSet ? matches(match, host) : present.flag
  return held === header.get('invert_match').flag ? 'no' : 'yes'
}

const all = (parts: readonly Picked[]): Picked => {
  if (parts.includes('no')) return 'no'
  return parts.includes('maybe') ? 'maybe' : 'yes'
}

const any = (parts: readonly Picked[]): Picked => {
  if (parts.includes('yes')) return 'yes'
  return parts.includes('maybe') ? 'maybe' : 'no'
}

const negated = (picked: Picked): Picked => {
  if (picked === 'maybe') return picked
  return picked === 'yes' ? 'no' : 'yes'
}
