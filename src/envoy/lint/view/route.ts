// The routes of a connection manager, one for each cluster that a request can reach, with the
// settings of each for the filters.

import { ROUTE_EXTENSION } from '../../../request/request.ts'
import type { Configuration } from './configuration.ts'
import { unpack } from './extension.ts'
import type { Setting } from './setting.ts'

/** A route to one cluster, or one that forwards nothing. */
export interface Route {
  /** The Route message. */
  readonly at: Setting
  /** Its `route`: how it forwards; not set where it redirects or answers by itself. */
  readonly action: Setting
  /** The setting with the name of the cluster; `undefined` when it is unknown. */
  readonly cluster: Setting | undefined
  /** The VirtualHost message. */
  readonly host: Setting
  /** The RouteConfiguration message. */
  readonly table: Setting
  /** The settings for filters (`typed_per_filter_config`), the most specific first. */
  readonly perFilter: readonly Setting[]
  /** Where headers are removed and added on the way to the cluster, in the order in which it happens. */
  readonly headerLevels: readonly Setting[]
}

/** The settings of a route for one filter, without the wrapper. */
export interface PerFilter {
  /** Whether the filter is turned off. */
  readonly disabled: Setting
  /** The filter's own message. */
  readonly config: Setting
}

/** What a config dump shows in place of context extensions. */
export const REDACTED = '[redacted]'

/** What a connection manager knows of routes. */
interface Routing {
  readonly routes: readonly Route[]
  /** The RouteConfiguration messages. */
  readonly tables: readonly Setting[]
  /** What of it is configured elsewhere. */
  readonly elsewhere: readonly Setting[]
}

/** The routes of a connection manager. */
export const routesOf = (manager: Setting, { routes: known }: Configuration): Routing => {
  const scopes = manager
    .get('scoped_routes', 'scoped_route_configurations_list', 'scoped_route_configurations')
    .items()
  const names = [
    manager.get('rds', 'route_config_name'),
    ...scopes.map((scope) => scope.get('route_configuration_name')),
  ].filter(({ isSet }) => isSet)
  const tables = [
    manager.get('route_config'),
    ...scopes.map((scope) => scope.get('route_configuration')),
    ...names.flatMap((name) => known.get(name.text) ?? []),
  ].filter(({ isSet }) => isSet)
  return {
    routes: tables.flatMap(routesIn),
    tables,
    elsewhere: [
      ...names.filter((name) => !known.has(name.text)),
      ...tables.map((table) => table.get('vhds')),
      manager.get('scoped_routes', 'scoped_rds'),
    ].filter(({ isSet }) => isSet),
  }
}

/** The settings of the route for the filter of that name: the most specific ones count. */
export const perFilterOf = ({ perFilter }: Route, filter: string): PerFilter | undefined => {
  const said = perFilter.map((map) => map.entry(filter)).find(({ isSet }) => isSet)
  return said === undefined ? undefined : readPerFilter(said)
}

/** The route name that authz receives: all levels are merged, the most specific wins. */
export const routeNameOf = ({ perFilter }: Route, filter: string): Setting | undefined =>
  perFilter
    .map((map) => readPerFilter(map.entry(filter)).config)
    .map((config) => config.get('check_settings', 'context_extensions').entry(ROUTE_EXTENSION))
    .find(({ isSet }) => isSet)

/**
 * The route of countersign.yaml that authz receives. When a config dump does not show it, the name of the Envoy
 * route is used, if countersign.yaml contains it.
 */
export const ourRouteOf = (
  route: Route,
  filter: string,
  ours: ReadonlySet<string>,
): string | undefined => {
  const said = routeNameOf(route, filter)?.text
  if (said !== REDACTED) return said
  const name = route.at.get('name').text
  return ours.has(name) ? name : undefined
}

/** Reads an ExtAuthzPerRoute or such, alone or in a FilterConfig. */
const readPerFilter = (said: Setting): PerFilter => {
  const { type, config } = unpack(said)
  if (type !== 'envoy.config.route.v3.FilterConfig') {
    return { disabled: config.get('disabled'), config }
  }
  const inner = unpack(config.get('config')).config
  const disabled = config.get('disabled')
  return { disabled: disabled.flag ? disabled : inner.get('disabled'), config: inner }
}

const routesIn = (table: Setting): readonly Route[] =>
  table
    .get('virtual_hosts')
    .items()
    .flatMap((host) =>
      [...host.get('routes').items(), ...routesInMatcher(host.get('matcher'))].flatMap((route) =>
        destinations(route, host, table),
      ),
    )

const perFilterAt = (level: Setting): Setting => level.get('typed_per_filter_config')

/** The routes that a matching tree leads to. */
const routesInMatcher = (matcher: Setting): readonly Setting[] =>
  [...matcher.walk()].map(unpack).flatMap(({ type, config }) => {
    if (type === 'envoy.config.route.v3.Route') return [config]
    return type === 'envoy.config.route.v3.RouteList' ? config.get('routes').items() : []
  })

const destinations = (at: Setting, host: Setting, table: Setting): readonly Route[] => {
  const action = at.get('route')
  const levels = [at, host, table]
  const perFilter = levels.map(perFilterAt)
  // The most general mutation is last and wins, unless the route table reverses the order.
  const specificWins = table.get('most_specific_header_mutations_wins').flag
  const headerLevels = specificWins ? levels.toReversed() : levels
  const weighted = action.get('weighted_clusters', 'clusters').items()
  if (weighted.length === 0) {
    const cluster = named(action.get('cluster'))
    return [{ at, action, cluster, host, table, perFilter, headerLevels }]
  }
  return weighted.map((part) => ({
    at,
    action,
    cluster: named(part.get('name')),
    host,
    table,
    perFilter: [perFilterAt(part), ...perFilter],
    headerLevels: [part, ...headerLevels], // the part comes first either way (measured, 1.40)
  }))
}

const named = (setting: Setting): Setting | undefined => (setting.isSet ? setting : undefined)
