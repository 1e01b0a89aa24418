// What is wrong with `forward` of a route beyond what each key may look like: headers that two things
// set, and credentials that do not go together or that no authenticator of the route proves. Whether a header may
// be set at all is checked where the route is built (`transform/build.ts`).

import type { ProofPart } from '../../authenticate/kind.ts'
import { kindOf } from '../../authenticate/kinds.ts'
import { authenticatorsNamed } from '../route-authenticators.ts'
import type { Locate } from '../../config/document.ts'
import type { HeaderPreset } from '../../transform/schema.ts'
import { placedRules } from '../../authorize/placed-rules.ts'
import type { Problem } from '../../config/problem.ts'
import type { Config, RouteConfig } from '../schema.ts'

/** Called with each problem, and its path below `forward`. */
type Report = (path: readonly PropertyKey[], message: string) => void

/** The problems of what the routes forward. */
export const forwardProblems = (config: Config, locate: Locate): readonly Problem[] => {
  const problems: Problem[] = []
  for (const [index, route] of config.routes.entries()) {
    const report: Report = (path, message) => {
      problems.push(locate(['routes', index, 'forward', ...path], message))
    }
    reportTwice(route, report)
    if (route.forward.headers.includes('impersonation')) {
      reportImpersonation(route, config, report)
    }
    reportCredentials(route, config, report)
    reportIssuer(route, config, report)
  }
  return problems
}

/** What each set of headers writes. */
const WRITTEN: Readonly<Record<HeaderPreset, RegExp>> = {
  kubernetes: /^x-remote-(user|uid|group|extra-.*)$/,
  impersonation: /^impersonate-(user|uid|group|extra-.*)$/,
  certificate: /^(x-cert-(subject|contents)|client-cert)$/,
  grafana: /^x-webauth-(user|groups)$/,
  headlamp: /^x-forwarded-(user|group)$/,
}

/** Of a header that is set twice the upstream would get either, or both. */
const reportTwice = ({ forward }: RouteConfig, report: Report): void => {
  const { headers, set, assertion } = forward
  const reportPresets = (name: string, path: readonly string[]): void => {
    const preset = headers.find((candidate) => WRITTEN[candidate].test(name))
    if (preset === undefined) return
    report(path, `"${name}" is set by "headers: ${preset}" too; leave one of them out`)
  }
  for (const name of Object.keys(set)) reportPresets(name, ['set', name])
  if (assertion === undefined) return
  reportPresets(assertion.header, ['assertion', 'header'])
  if (Object.hasOwn(set, assertion.header)) {
    const message = `"${assertion.header}" is set by "set" too; choose another header for one of them`
    report(['assertion', 'header'], message)
  }
}

/**
 * Impersonation needs a credential that may impersonate: Countersign's. With the caller's, the API server would check
 * whether the caller may impersonate.
 */
const reportImpersonation = (route: RouteConfig, { envoy }: Config, report: Report): void => {
  const { forward, name, upstream = name, authorize } = route
  const { bearer, passthrough, certificate } = forward
  const ours = 'a "bearer" of "token", "clientCredentials" or "mint"'
  const callers = [
    ...(passthrough ? ['passthrough'] : []),
    ...(bearer?.exchange === undefined ? [] : ['bearer.exchange']),
    ...(certificate === undefined ? [] : ['certificate']),
  ]
  for (const key of callers) {
    const message = `"impersonation" cannot be combined with "${key}", which is the caller’s credential and may not impersonate. Use ${ours}`
    report(['headers'], message)
  }
  // Without `envoy`, what Envoy presents is written down elsewhere.
  const server = envoy?.upstreams[upstream]
  const lacks = server !== undefined && server.certificate === undefined
  if (callers.length === 0 && bearer === undefined && lacks) {
    const message = `"impersonation" needs a credential that may impersonate. Set ${ours}, or the "certificate" of envoy.upstreams.${upstream}`
    report(['headers'], message)
  }
  for (const { rule, effect, name: ruleName } of placedRules(authorize)) {
    if (effect !== 'allow' || rule.impersonate === undefined) continue
    const message = `"impersonation" cannot be combined with the rule "${ruleName}", which lets callers impersonate other users: the headers can carry only one identity. Use "kubernetes", or remove "impersonate" from the rule`
    report(['headers'], message)
  }
}

const reportCredentials = (route: RouteConfig, config: Config, report: Report): void => {
  const { headers, bearer, passthrough, certificate, certificateHeaders } = route.forward
  const proves = (part: ProofPart): boolean =>
    authenticatorsOf(route, config).some((one) => kindOf(one).kind.proves.includes(part))
  if (passthrough && bearer !== undefined) {
    const message =
      'cannot be combined with "bearer": the upstream gets the caller’s credential or another, not both'
    report(['passthrough'], message)
  }
  const told = headers.includes('certificate') && certificateHeaders.missing === 'refuse'
  if (told && !proves('certificate')) {
    const message =
      '"certificate" tells of a proven client certificate, and "authenticate" has no authenticator of that kind, so that every request would be refused; add one, or let "certificateHeaders.missing" be "omit"'
    report(['headers'], message)
  }
  if (certificate?.delegate !== undefined && !proves('certificate')) {
    const message =
      'copies a proven client certificate, and "authenticate" has no authenticator of kind "certificate"; add one'
    report(['certificate', 'delegate'], message)
  }
  if (bearer?.exchange !== undefined && !proves('token')) {
    const message =
      'no caller has a token to exchange: "authenticate" has no authenticator of a kind that proves one, such as "bearer"'
    report(['bearer', 'exchange'], message)
  }
}

/** Those that exist; the rest have been reported. */
const authenticatorsOf = (route: RouteConfig, { authenticators }: Config) =>
  authenticatorsNamed(route).flatMap((name) =>
    Object.hasOwn(authenticators, name) ? (authenticators[name] ?? []) : [],
  )

const reportIssuer = ({ forward }: RouteConfig, { issuer }: Config, report: Report): void => {
  if (issuer !== undefined) return
  const message = 'needs "issuer", whose keys sign the token'
  if (forward.assertion !== undefined) report(['assertion'], message)
  if (forward.bearer?.mint !== undefined) report(['bearer', 'mint'], message)
}
