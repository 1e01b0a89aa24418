// Faults of an AuthorizationPolicy of Istio: what it leaves out. What it becomes in Envoy was read from
// the config dump of a gateway (Istio 1.31).

import { AUTHZ, extension, FILTERS, partOf, type Change, type Fault } from './case.ts'

const ANY = { any: true }

const header = (match: object): object => ({ header: { name: ':authority', ...match } })

const host = (match: object): object => header({ string_match: { ...match, ignore_case: true } })

/** One rule of a policy; `hosts` are its `to.operation.hosts`. */
const rule = (permissions: readonly object[], principals: readonly object[] = [ANY]): object => ({
  permissions: [{ and_rules: { rules: permissions } }],
  principals: [{ and_ids: { ids: principals } }],
})

const oneOf = (...rules: readonly object[]): object => ({ or_rules: { rules } })

const named = (name: string): object => oneOf(host({ exact: name }), host({ prefix: `${name}:` }))

const CONDITION = {
  filter: 'envoy.filters.http.rbac',
  path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
  value: { string_match: { prefix: 'istio-ext-authz-countersign' } },
}

const AT = `${FILTERS}[1].typed_config.filter_enabled_metadata`

/** A policy of these rules in front of ext_authz. */
export const policyOf = (rules: readonly object[], provider = 'countersign'): readonly Change[] => [
  [`${AUTHZ}.filter_enabled_metadata`, CONDITION],
  [
    FILTERS,
    [
      extension('envoy.filters.http.rbac', 'filters.http.rbac.v3.RBAC', {
        shadow_rules: {
          action: 'DENY',
          policies: Object.fromEntries(
            rules.map((one, index) => [
              `istio-ext-authz-${provider}-ns[ingress]-policy[all]-rule[${index}]`,
              one,
            ]),
          ),
        },
        shadow_rules_stat_prefix: 'istio_ext_authz_',
      }),
      {
        ...Object(partOf(`${FILTERS}[0]`)),
        typed_config: {
          ...Object(partOf(AUTHZ)),
          filter_enabled_metadata: CONDITION,
        },
      },
      ...[1, 2, 3].map((index) => partOf(`${FILTERS}[${index}]`)),
    ],
  ],
]

/** Every request is judged. */
export const EVERYTHING = rule([ANY])

/** Those to all other hosts. */
export const notForHost = (name: string): object => rule([{ not_rule: named(name) }])

/** The same, said in another way. */
export const forOtherHosts = (name: string): object =>
  rule([header({ string_match: { prefix: name }, invert_match: true })])

/** Those to hosts that match. */
export const forMatches = (...matches: readonly object[]): object =>
  rule([oneOf(...matches.map(host))])

/** Those to these hosts, with and without a port. */
export const forHosts = (...hosts: readonly string[]): object => rule([oneOf(...hosts.map(named))])

const gap = (name: string, rules: readonly object[]): Fault => ({
  name,
  change: policyOf(rules),
  rule: 'policy-leaves-gap',
  severity: 'error',
  at: AT,
})

const part = (name: string, rules: readonly object[]): Fault => ({
  name,
  change: policyOf(rules),
  rule: 'judged-by-policy',
  severity: 'warning',
  at: AT,
})

const BOTH = ['api.example.org', 'kube.example.org']

/** What can be wrong with a policy. */
export const policyFaults: readonly Fault[] = [
  gap('a host with a port is not judged', [
    rule([oneOf(...BOTH.map((name) => host({ exact: name })))]),
  ]),
  gap('a host of countersign.yaml is not judged', [forHosts('api.example.org')]),
  gap('what is not some host is judged', [notForHost('kube.example.org')]),
  gap('a header is to be another', [forOtherHosts('kube.example.org')]),
  part('only some paths are judged', [
    rule([oneOf(...BOTH.map(named)), { url_path: { path: { prefix: '/api/' } } }]),
  ]),
  part('only some callers are judged', [
    rule([ANY], [{ remote_ip: { address_prefix: '10.0.0.0', prefix_len: 8 } }]),
  ]),
  part('a condition in CEL', [{ ...EVERYTHING, condition: { const_expr: { bool_value: true } } }]),
  {
    name: 'the rules are those of another provider',
    change: policyOf([EVERYTHING], 'other'),
    rule: 'judged-on-condition',
    severity: 'warning',
    at: AT,
  },
]
