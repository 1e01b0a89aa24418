// Rules about ext_authz: whether a request can pass although Countersign did not permit it.

import { when, type Hit, type Rule } from '../rule.ts'
import type { AuthzFilter } from '../view/manager.ts'
import type { Setting } from '../view/setting.ts'

/** Rules about ext_authz filters that ask Countersign. */
export const failOpenRules: readonly Rule<AuthzFilter>[] = [
  {
    id: 'failure-allowed',
    severity: 'error',
    problem: 'requests pass when authz does not answer',
    risk: 'whoever can overload or cut off authz is let through',
    remedy: 'failure_mode_allow: false',
    find: ({ config }) => whenSet(config.get('failure_mode_allow')),
  },
  {
    id: 'failure-allowed-header',
    severity: 'warning',
    problem: 'a header is to say that a request passed because authz did not answer',
    risk: 'it says so of requests that must not pass',
    remedy: 'failure_mode_allow_header_add: false',
    find: ({ config }) => whenSet(config.get('failure_mode_allow_header_add')),
  },
  {
    id: 'shadow-mode',
    severity: 'error',
    problem: 'what authz answers is noted and not obeyed',
    risk: 'every request passes',
    remedy: 'shadow_mode: false',
    find: ({ config }) => whenSet(config.get('shadow_mode')),
  },
  {
    id: 'judged-in-part',
    severity: 'error',
    problem: 'only a part of the requests is judged',
    risk: 'the others pass, or are refused, by chance',
    remedy: 'no filter_enabled',
    find: ({ config }) => {
      const at = config.get('filter_enabled')
      return when(at.isSet && fractionOf(at.get('default_value')) < 1, at)
    },
  },
  {
    id: 'disabled-lets-through',
    severity: 'error',
    problem: 'requests pass when the filter is turned off at runtime',
    risk: 'one runtime value opens everything',
    remedy: 'deny_at_disable: { runtime_key: KEY, default_value: true }, or no filter_enabled',
    find: ({ config }) => {
      const denies = config.get('deny_at_disable', 'default_value').flag
      return when(config.get('filter_enabled').isSet && !denies, config.get('deny_at_disable'))
    },
  },
  {
    id: 'judged-on-condition',
    severity: 'error',
    problem: 'another filter decides which requests are judged',
    risk: 'whatever that filter does not mark passes',
    remedy: 'ext_authz on its own in http_filters, without filter_enabled_metadata',
    find: ({ config, conditional, filter }) => {
      const at = config.get('filter_enabled_metadata')
      // An AuthorizationPolicy of Istio with the action CUSTOM comes out like this.
      const severity = isIstios(at) ? 'warning' : 'error'
      return [...when(at.isSet, at, { severity }), ...when(conditional, filter.at)]
    },
  },
  {
    id: 'disabled-by-default',
    severity: 'error',
    problem: 'the filter runs only where a route turns it on',
    risk: 'all other routes forward unjudged',
    remedy: 'disabled: false',
    find: ({ filter }) => whenSet(filter.at.get('disabled')),
  },
  {
    id: 'error-as-success',
    severity: 'error',
    problem: 'a request that could not be judged is answered with success',
    risk: 'callers, caches and health checks take the refusal for an answer of the upstream',
    remedy: 'status_on_error: { code: ServiceUnavailable }',
    find: ({ config }) => {
      const at = config.get('status_on_error', 'code')
      const code = at.count ?? SUCCESSES[at.text] ?? 0
      return when(code >= 200 && code < 300, at)
    },
  },
]

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

const isIstios = (matcher: Setting): boolean =>
  matcher.get('filter').text === 'envoy.filters.http.rbac' &&
  matcher
    .get('path')
    .items()
    .some((segment) => /^istio[-_]ext[-_]authz/.test(segment.get('key').text))
