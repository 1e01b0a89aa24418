// Rules about the order of HTTP filters: authz before every filter that acts on a request, and no filter
// after it that selects another route.

import { when, type Hit, type Rule } from '../rule.ts'
import { isKind, KINDS, type Extension } from '../view/extension.ts'
import { OWN_CLUSTERS } from '../view/istio.ts'
import type { Chain, Manager } from '../view/manager.ts'
import type { Route } from '../view/route.ts'
import type { Setting } from '../view/setting.ts'
import { guardsOf, type Site } from '../view/site.ts'

/** A chain of filters and where it belongs. */
export interface ChainSubject {
  readonly site: Site
  readonly manager: Manager
  readonly chain: Chain
}

/** Rules about chains of HTTP filters. */
export const chainRules: readonly Rule<ChainSubject>[] = [
  {
    id: 'ext-authz-absent',
    severity: 'error',
    problem: 'a listener forwards requests without a check by Countersign',
    risk: 'any client of the listener bypasses every rule',
    remedy: 'ext_authz in its http_filters as well, or no route to these clusters',
    istio:
      'an AuthorizationPolicy (action: CUSTOM) whose selector takes in this gateway, or no route to these services',
    find: ({ site, manager, chain }) => {
      if (site.guards.size === 0 || chain.upgrade !== undefined) return []
      if (guardsOf(site, chain).length > 0) return []
      const clusters = manager.routes
        .filter(({ action }) => action.isSet)
        .map(nameOf)
        .filter((name) => !site.issuerClusters.has(name))
        .filter((name) => !site.istio || !OWN_CLUSTERS.has(name))
      const open = clusters.filter((name) => site.protected.has(name))
      const detail = [...new Set(open.length > 0 ? open : clusters)].join(', ')
      const severity = open.length > 0 ? 'error' : 'warning'
      return when(clusters.length > 0, chain.at, { detail, severity })
    },
  },
  {
    id: 'upgrade-unjudged',
    severity: 'error',
    problem: 'requests for an upgrade pass a filter chain without ext_authz',
    risk: 'any request with that upgrade is forwarded without a check',
    remedy: 'upgrade_configs without filters, or ext_authz among them',
    find: ({ site, manager, chain }) => {
      const unjudged = chain.upgrade !== undefined && guardsOf(site, chain).length === 0
      const judged = guardsOf(site, manager.chains[0]).length > 0
      return when(unjudged && judged, chain.at, { detail: chain.upgrade ?? '' })
    },
  },
  {
    id: 'ext-authz-after-router',
    severity: 'error',
    problem: 'ext_authz comes after the router',
    risk: 'requests are forwarded before they are checked',
    remedy: 'ext_authz before envoy.filters.http.router, which is last',
    find: ({ site, chain }) => {
      const router = chain.filters.findIndex((filter) => isKind(filter, KINDS.router))
      return guardsOf(site, chain)
        .filter(({ index }) => router !== -1 && router < index)
        .map(({ filter }) => ({ at: filter.at }))
    },
  },
  {
    id: 'route-chosen-again',
    severity: 'error',
    problem: 'a filter after ext_authz clears the route cache',
    risk: 'the request can match a route for which authz did not check it',
    remedy: 'clear_route_cache: false there, or the filter before ext_authz',
    istio: 'clear_route_cache: false in the EnvoyFilter that adds this filter',
    find: ({ site, manager, chain }) =>
      after(site, chain).flatMap((filter) => clearing(filter, manager.routes)),
  },
  {
    id: 'repeated-headers-unwritten',
    severity: 'warning',
    problem: 'no Lua filter writes headers with several values',
    risk: 'ext_authz joins the values into one line: an upstream receives one group "dev,ops", or none',
    remedy: 'the Lua filter that `countersign envoy generate` writes, behind ext_authz',
    find: (subject) =>
      needsHeaders(subject) && writers(subject).length === 0
        ? [{ at: subject.chain.at, ...severityOf(subject) }]
        : [],
  },
  {
    id: 'repeated-headers-early',
    severity: 'warning',
    problem: 'the Lua filter that writes headers with several values precedes ext_authz',
    risk: 'it has no values to write yet: the upstream receives no such headers',
    remedy: 'the Lua filter behind ext_authz',
    istio:
      'EnvoyFilter, applyTo: HTTP_FILTER, INSERT_AFTER envoy.filters.http.ext_authz: the Lua filter',
    find: (subject) => {
      const all = writers(subject)
      const [first] = guardsOf(subject.site, subject.chain)
      const late = all.some((writer) => subject.chain.filters.indexOf(writer) > (first?.index ?? 0))
      return needsHeaders(subject) && !late
        ? all.map(({ at }) => ({ at, ...severityOf(subject) }))
        : []
    },
  },
]

const nameOf = ({ cluster }: Route): string => cluster?.text ?? 'a cluster of the caller’s choice'

/** The filters that a request passes after it was judged. */
const after = (site: Site, chain: Chain): readonly Extension[] => {
  const [first] = guardsOf(site, chain)
  if (first === undefined) return []
  const guards = new Set(guardsOf(site, chain).map(({ filter }) => filter))
  return chain.filters.slice(first.index + 1).filter((filter) => !guards.has(filter))
}

/** Where a filter says, or leaves it at its default, that the route is chosen again. */
const clearing = (filter: Extension, routes: readonly Route[]): readonly Hit[] => {
  const { config } = filter
  const said = [...config.walk()].flatMap((setting) => [
    ...when(setting.get('clear_route_cache').flag, setting.get('clear_route_cache')),
    ...when(
      setting.get('route_cache_action').choice(['DEFAULT', 'CLEAR', 'RETAIN']) === 'CLEAR',
      setting.get('route_cache_action'),
    ),
  ])
  if (said.length > 0) return said
  if (isKind(filter, KINDS.jsonTranscoder)) {
    const keeps = config.get('match_incoming_request_route')
    return when(!keeps.flag, keeps)
  }
  if (!isKind(filter, KINDS.lua)) return []
  // By default a script that changes a header clears the cache (measured, 1.40). This has no effect
  // where no route looks at more than host and path.
  const clear = config.get('clear_route_cache')
  const detail = 'it does so by default when a script changes a header, and a route matches headers'
  const more = { detail, severity: 'warning' } as const
  const chosen = !clear.isSet && routes.some(({ at }) => looksAtHeaders(at.get('match')))
  return [
    ...when(chosen, clear, more),
    ...scriptsOf(config).flatMap((script) => when(/clearRouteCache/.test(script.text), script)),
  ]
}

const looksAtHeaders = (match: Setting): boolean =>
  ['headers', 'cookies', 'dynamic_metadata', 'filter_state'].some((name) => match.get(name).isSet)

/** The inline scripts of a Lua filter. */
const scriptsOf = (config: Setting): readonly Setting[] => [
  config.get('inline_code'),
  config.get('default_source_code', 'inline_string'),
  config.get('default_source_code', 'filename'),
]

/** The Lua filters that may be the one that writes repeated headers; a file is not opened. */
const writers = ({ chain }: ChainSubject): readonly Extension[] =>
  chain.filters
    .filter((filter) => isKind(filter, KINDS.lua))
    .filter(({ config }) => {
      const [code, inline, file] = scriptsOf(config).map(({ text }) => text)
      return file !== '' || [code, inline].some((text) => text?.includes(KINDS.extAuthz.name))
    })

/** Whether headers may have several values; unknown without countersign.yaml. */
const needsHeaders = ({ site, chain }: ChainSubject): boolean =>
  guardsOf(site, chain).length > 0 && site.expected?.headers !== false

const severityOf = ({ site }: ChainSubject): Pick<Hit, 'severity'> =>
  site.expected?.headers === true ? { severity: 'error' } : {}
