// Listeners → connection managers with their chains of HTTP filters, and what else forwards.

import type { Configuration } from './configuration.ts'
import { extensionIn, isKind, KINDS, unpack, type Extension } from './extension.ts'
import { policyOf, type Policy } from './istio.ts'
import { routesOf, type Route } from './route.ts'
import type { Setting } from './setting.ts'

/** An ext_authz filter, wherever in a chain it hides. */
export interface AuthzFilter {
  /** Its place in the chain. */
  readonly index: number
  /** The filter of the chain that is ext_authz or contains it. */
  readonly filter: Extension
  /** The name under which routes configure it. */
  readonly name: string
  /** The ExtAuthz message. */
  readonly config: Setting
  /** Whether it is inside another filter, which decides whether it runs. */
  readonly conditional: boolean
  /** What picks the requests that it judges, where Istio has it do so. */
  readonly policy: Policy | undefined
}

/** HTTP filters, in the order in which a request passes them. */
export interface Chain {
  /** The list. */
  readonly at: Setting
  /** The upgrade that this chain is for; `undefined` for the chain of all other requests. */
  readonly upgrade: string | undefined
  readonly filters: readonly Extension[]
  readonly authz: readonly AuthzFilter[]
}

/** A connection manager: what Envoy does with HTTP on one filter chain of a listener. */
export interface Manager {
  readonly listener: Setting
  readonly filterChain: Setting
  /** The HttpConnectionManager message. */
  readonly config: Setting
  /** The chain of `http_filters` first, then those of upgrades. */
  readonly chains: readonly [Chain, ...Chain[]]
  readonly routes: readonly Route[]
  /** The RouteConfiguration messages of the routes. */
  readonly tables: readonly Setting[]
  /** What of it is configured elsewhere, and so was not seen. */
  readonly elsewhere: readonly Setting[]
}

/** A proxy of raw connections. */
export interface TcpProxy {
  readonly at: Setting
  readonly clusters: readonly Setting[]
}

/** A filter of connections, and the listener's filter chain that has it. */
interface ConnectionFilter {
  readonly listener: Setting
  readonly filterChain: Setting
  readonly filter: Extension
}

/** Every filter of connections, in order. */
const connectionFilters = ({ listeners }: Configuration): readonly ConnectionFilter[] =>
  listeners.flatMap((listener) =>
    [...listener.get('filter_chains').items(), listener.get('default_filter_chain')].flatMap(
      (filterChain) =>
        filterChain
          .get('filters')
          .items()
          .map((filter) => ({ listener, filterChain, filter: extensionIn(filter) })),
    ),
  )

/** The connection managers of all listeners. */
export const managersOf = (configuration: Configuration): readonly Manager[] =>
  connectionFilters(configuration)
    .filter(({ filter }) => isKind(filter, KINDS.connectionManager))
    .map(({ listener, filterChain, filter: { config } }) => {
      const upgrades = config
        .get('upgrade_configs')
        .items()
        .filter((upgrade) => upgrade.get('filters').items().length > 0)
      const main = chainAt(config.get('http_filters'), undefined, configuration)
      const others = upgrades.map((upgrade) =>
        chainAt(upgrade.get('filters'), upgrade.get('upgrade_type').text, configuration),
      )
      const { routes, tables, elsewhere } = routesOf(config, configuration)
      return {
        listener,
        filterChain,
        config,
        chains: [main, ...others],
        routes,
        tables,
        elsewhere: [...elsewhere, ...[main, ...others].flatMap(discovered(configuration))],
      }
    })

/** The proxies of raw connections of all listeners. */
export const tcpProxiesOf = (configuration: Configuration): readonly TcpProxy[] =>
  connectionFilters(configuration)
    .filter(({ filter }) => isKind(filter, KINDS.tcpProxy))
    .map(({ filter: { at, config } }) => ({
      at,
      clusters: [
        config.get('cluster'),
        ...config
          .get('weighted_clusters', 'clusters')
          .items()
          .map((weighted) => weighted.get('name')),
      ].filter(({ isSet }) => isSet),
    }))

const chainAt = (
  at: Setting,
  upgrade: string | undefined,
  { filters: known }: Configuration,
): Chain => {
  const filters = at.items().map((item): Extension => {
    const filter = extensionIn(item)
    if (!item.get('config_discovery').isSet) return filter
    const delivered = known.get(filter.name)
    return delivered === undefined
      ? { ...filter, type: 'unknown' } // its name says nothing
      : { ...extensionIn(delivered), at: item }
  })
  return { at, upgrade, filters, authz: filters.flatMap(authzIn) }
}

/** The ext_authz filters that are this filter or inside it. */
const authzIn = (
  filter: Extension,
  index: number,
  filters: readonly Extension[],
): readonly AuthzFilter[] => {
  const { name } = filter
  if (isKind(filter, KINDS.extAuthz)) {
    const policy = policyOf(filter.config, filters.slice(0, index))
    return [{ index, filter, name, config: filter.config, conditional: false, policy }]
  }
  return [...filter.config.walk()]
    .map(unpack)
    .filter(({ type }) => type === KINDS.extAuthz.type)
    .map(({ config }) => ({ index, filter, name, config, conditional: true, policy: undefined }))
}

/** The filters of a chain that are configured elsewhere. */
const discovered =
  ({ filters: known }: Configuration) =>
  ({ filters }: Chain): readonly Setting[] =>
    filters
      .map(({ at }) => at)
      .filter((at) => at.get('config_discovery').isSet && !known.has(at.get('name').text))
      .map((at) => at.get('config_discovery'))
