// Rules about an AuthorizationPolicy of Istio (action CUSTOM), which selects the requests that Countersign
// checks: all other requests pass without a check.

import { when, type Rule } from '../rule.ts'
import { covers, hostForPeople, hostsOf } from '../view/host.ts'
import { conditionOf, type Picked, type Policy } from '../view/istio.ts'
import type { Manager } from '../view/manager.ts'
import type { Route } from '../view/route.ts'
import { guardsOf, isTurnedOff, type Site } from '../view/site.ts'
import type { ChainSubject } from './chain.ts'

/** Rules about filter chains that call Countersign. */
export const policyRules: readonly Rule<ChainSubject>[] = [
  {
    id: 'policy-leaves-gap',
    severity: 'error',
    problem: 'an AuthorizationPolicy excludes hosts of requests that reach a protected upstream',
    risk: 'such requests pass without a check: a caller bypasses every rule with such a Host header',
    remedy:
      'AuthorizationPolicy (action: CUSTOM): rules: [{}], or to: [{ operation: { hosts: [HOST, "HOST:*"] } }], with and without a port, for every host',
    istio:
      'AuthorizationPolicy (action: CUSTOM): rules: [{}], or to: [{ operation: { hosts: [HOST, "HOST:*"] } }], with and without a port, for every host',
    find: (subject) =>
      policiesIn(subject).flatMap(({ at, ways }) => {
        const gaps = ways.filter((way) => isGap(subject.site, way)).map(({ host }) => host)
        return when(gaps.length > 0, at, { detail: listed(gaps) })
      }),
  },
  {
    id: 'judged-by-policy',
    severity: 'warning',
    problem: 'an AuthorizationPolicy selects the requests that Countersign checks',
    risk: 'all other requests pass without a check, which is right only for services that Countersign does not protect',
    remedy: 'AuthorizationPolicy (action: CUSTOM): rules: [{}] where nothing is to pass unjudged',
    istio: 'AuthorizationPolicy (action: CUSTOM): rules: [{}] where nothing is to pass unjudged',
    find: (subject) =>
      policiesIn(subject).flatMap(({ at, policy, ways }) => {
        const rest = ways.filter((way) => way.picked !== 'yes' && !isGap(subject.site, way))
        const hosts = (picked: Picked): string =>
          listed(rest.filter((way) => way.picked === picked).map(({ host }) => host))
        const details = [
          policy.names.join(', '),
          ...(hosts('no') === '' ? [] : [`not for ${hosts('no')}`]),
          ...(hosts('maybe') === '' ? [] : [`not for every request to ${hosts('maybe')}`]),
        ]
        return when(rest.length > 0, at, { detail: details.join('; ') })
      }),
  },
]

/** A host by which requests can come to a route, and whether they are judged. */
interface Way {
  readonly host: string
  readonly route: Route
  readonly picked: Picked
}

/** The policies of a chain, the place of each in the configuration, and their effect on the hosts of its routes. */
const policiesIn = ({ site, manager, chain }: ChainSubject) =>
  guardsOf(site, chain).flatMap((guard) => {
    const { policy, config } = guard
    if (policy === undefined) return []
    const routes = manager.routes.filter(
      (route) =>
        route.action.isSet &&
        !isTurnedOff(guard, route) &&
        !site.issuerClusters.has(route.cluster?.text ?? ''),
    )
    const known = [...policy.hosts, ...plainHosts(site)]
    const ways = routes.flatMap((route) => waysOf(route, { policy, known, manager }))
    return [{ at: conditionOf(config), policy, ways }]
  })

/** The hosts of countersign.yaml, without patterns. */
const plainHosts = ({ expected }: Site): readonly string[] =>
  [...(expected?.hosts ?? [])].filter((host) => !host.includes('*'))

const waysOf = (
  route: Route,
  { policy, known, manager }: { policy: Policy; known: readonly string[]; manager: Manager },
): readonly Way[] =>
  hostsOf(route, known)
    // The port is removed before matching.
    .filter((host) => !manager.config.get('strip_any_host_port').flag || !/:\d+$/.test(host))
    .map((host) => ({ host, route, picked: policy.picks(host) }))

/** Whether what is not judged there has to be: elsewhere it is, or countersign.yaml is about that host. */
const isGap = ({ protected: guarded, expected }: Site, { host, route, picked }: Way): boolean =>
  picked === 'no' &&
  (guarded.has(route.cluster?.text ?? '') ||
    [...(expected?.hosts ?? [])].some((pattern) => covers(pattern, host)))

const MOST_LISTED = 5

const listed = (hosts: readonly string[]): string => {
  const all = [...new Set(hosts.map(hostForPeople))]
  const more = all.length > MOST_LISTED ? ` and ${all.length - MOST_LISTED} more` : ''
  return `${all.slice(0, MOST_LISTED).join(', ')}${more}`
}
