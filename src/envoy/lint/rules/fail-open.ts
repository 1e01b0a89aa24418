// Rules about ext_authz: whether a request can pass although Countersign did not permit it.

import { when, type Hit, type Rule } from '../rule.ts'
import { conditionOf, isPolicy } from '../view/istio.ts'
import type { AuthzFilter } from '../view/manager.ts'
import type { Setting } from '../view/setting.ts'

const PROVIDER = 'MeshConfig: extensionProviders[].envoyExtAuthzGrpc'

/** Rules about ext_authz filters that call Countersign. */
export const failOpenRules: readonly Rule<AuthzFilter>[] = [
  {
    id: 'failure-allowed',
    severity: 'error',
    problem: 'requests pass when authz does not answer',
    risk: 'an attacker who overloads or disconnects authz bypasses it',
    remedy: 'failure_mode_allow: false',
    istio: `${PROVIDER}.failOpen: false`,
    find: ({ config }) => whenSet(config.get('failure_mode_allow')),
  },
  {
    id: 'failure-allowed-header',
    severity: 'warning',
    problem: 'a header marks requests that passed because authz did not answer',
    risk: 'such requests must not pass at all',
    remedy: 'failure_mode_allow_header_add: false',
    find: ({ config }) => whenSet(config.get('failure_mode_allow_header_add')),
  },
  {
    id: 'shadow-mode',
    severity: 'error',
    problem: 'the decision of authz is recorded and not enforced',
    risk: 'every request passes',
    remedy: 'shadow_mode: false',
    find: ({ config }) => whenSet(config.get('shadow_mode')),
  },
  {
    id: 'judged-in-part',
    severity: 'error',
    problem: 'only a fraction of the requests is checked',
    risk: 'the remaining requests pass, or are refused, at random',
    remedy: 'no filter_enabled',
    find: ({ config }) => {
      const at = config.get('filter_enabled')
      return when(at.isSet && fractionOf(at.get('default_value')) < 1, at)
    },
  },
  {
    id: 'disabled-lets-through',
    severity: 'error',
    problem: 'requests pass when the filter is disabled at runtime',
    risk: 'one runtime value disables every check',
    remedy: 'deny_at_disable: { runtime_key: KEY, default_value: true }, or no filter_enabled',
    find: ({ config }) => {
      const denies = config.get('deny_at_disable', 'default_value').flag
      return when(config.get('filter_enabled').isSet && !denies, config.get('deny_at_disable'))
    },
  },
  {
    id: 'judged-on-condition',
    severity: 'error',
    problem: 'another filter decides which requests are checked',
    risk: 'a request that it does not mark passes',
    remedy: 'ext_authz on its own in http_filters, without filter_enabled_metadata',
    istio:
      'AuthorizationPolicy (action: CUSTOM), whose filter envoy.filters.http.rbac has to be in front',
    find: ({ config, conditional, filter, policy }) => {
      const at = conditionOf(config)
      // An AuthorizationPolicy of Istio comes out like this; where it can be read, it has its own rules.
      const severity = isPolicy(at) ? 'warning' : 'error'
      return [
        ...when(at.isSet && policy === undefined, at, { severity }),
        ...when(conditional, filter.at),
      ]
    },
  },
  {
    id: 'disabled-by-default',
    severity: 'error',
    problem: 'the filter runs only on routes that enable it',
    risk: 'all other routes forward without a check',
    remedy: 'disabled: false',
    find: ({ filter }) => whenSet(filter.at.get('disabled')),
  },
  {
    id: 'error-as-success',
    severity: 'error',
    problem: 'a request that could not be checked is answered with success',
    risk: 'clients, caches and health checks mistake the refusal for a response of the upstream',
    remedy: 'status_on_error: { code: ServiceUnavailable }',
    istio: `${PROVIDER}.statusOnError: "503"`,
    find: ({ config }) => {
      const at = config.get('status_on_error', 'code')
      return when(isSuccess(at), at)
    },
  },
  {
    id: 'outage-as-refusal',
    severity: 'warning',
    problem: 'a request that could not be checked is answered with 403, like a denied one',
    risk: 'clients mistake an outage for a decision: kubectl and similar clients do not retry, and users look for a missing permission',
    remedy: 'status_on_error: { code: ServiceUnavailable }',
    istio: `${PROVIDER}.statusOnError: "503"`,
    find: ({ config }) => {
      const at = config.get('status_on_error', 'code')
      return when(!isSuccess(at) && !isServerError(at), at)
    },
  },
]

const isSuccess = (status: Setting): boolean => {
  const code = status.count ?? SUCCESSES[status.text] ?? 0
  return code >= 200 && code < 300
}

const isServerError = (status: Setting): boolean =>
  (status.count ?? 0) >= 500 || SERVER_ERRORS.has(status.text)

/** envoy.type.v3.StatusCode, the faults of servers. */
const SERVER_ERRORS: ReadonlySet<string> = new Set([
  'InternalServerError',
  'NotImplemented',
  'BadGateway',
  'ServiceUnavailable',
  'GatewayTimeout',
  'HTTPVersionNotSupported',
  'VariantAlsoNegotiates',
  'InsufficientStorage',
  'LoopDetected',
  'NotExtended',
  'NetworkAuthenticationRequired',
])

/** envoy.type.v3.StatusCode, the successes. */
const SUCCESSES: Readonly<Record<string, number>> = {
  OK: 200,
  Created: 201,
  Accepted: 202,
  NonAuthoritativeInformation: 203,
  NoContent: 204,
  ResetContent: 205,
  PartialContent: 206,
  MultiStatus: 207,
  AlreadyReported: 208,
  IMUsed: 226,
}

const whenSet = (flag: Setting): readonly Hit[] => when(flag.flag, flag)

/** An envoy.type.v3.FractionalPercent, of 1. */
const fractionOf = (percent: Setting): number => {
  const denominator = percent.get('denominator').choice(['HUNDRED', 'TEN_THOUSAND', 'MILLION'])
  const whole = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 }[denominator] ?? 100
  return (percent.get('numerator').count ?? 0) / whole
}
