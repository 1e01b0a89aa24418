// A bootstrap, or what the administration interface shows of a running Envoy (`/config_dump`) → the
// listeners, clusters and routes in it, wherever they came from.

import { endpointsIn } from './cluster.ts'
import { unpack } from './extension.ts'
import { Setting } from './setting.ts'
import { refusedIn, waitingIn, type Update } from './update.ts'

/** The resources of one Envoy. */
export interface Configuration {
  /** The bootstrap; not set where a config dump leaves it out. */
  readonly bootstrap: Setting
  readonly listeners: readonly Setting[]
  readonly clusters: ReadonlyMap<string, Setting>
  /** Route configurations that listeners name (RDS). */
  readonly routes: ReadonlyMap<string, Setting>
  /** Configurations of filters that listeners name (ECDS). */
  readonly filters: ReadonlyMap<string, Setting>
  /** Endpoints of clusters, where they come by themselves (EDS), by the name of the cluster. */
  readonly endpoints: ReadonlyMap<string, Setting>
  /** What comes from somewhere else, and so was not seen. */
  readonly elsewhere: readonly Setting[]
  /** Updates that Envoy refused, so that it runs with what it had before. */
  readonly refused: readonly Update[]
  /** Updates that wait for something before they count. */
  readonly waiting: readonly Update[]
}

/** The configuration in a document, or `undefined` for another document. */
export const readConfiguration = (root: Setting): Configuration | undefined => {
  if (root.get('configs').items().length > 0) return readConfigDump(root)
  return BOOTSTRAP_FIELDS.some((field) => root.get(field).isSet) ? readBootstrap(root) : undefined
}

const BOOTSTRAP_FIELDS = ['static_resources', 'dynamic_resources', 'node', 'admin']

const readBootstrap = (bootstrap: Setting): Configuration => {
  const resources = bootstrap.get('static_resources')
  return {
    bootstrap,
    listeners: resources.get('listeners').items(),
    clusters: byName(resources.get('clusters').items()),
    routes: new Map(),
    filters: new Map(),
    endpoints: new Map(),
    refused: [],
    waiting: [],
    elsewhere: [bootstrap.get('dynamic_resources', 'lds_config')].filter(({ isSet }) => isSet),
  }
}

// https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
const readConfigDump = (root: Setting): Configuration | undefined => {
  const dumped = root.get('configs').items()
  if (!dumped.some((config) => config.entry('@type').text.includes('envoy.admin.v3.'))) {
    return undefined
  }
  const resources = dumped.flatMap((config) => [...resourcesIn(config)])
  const ofType = (type: string): readonly Setting[] =>
    resources.filter((resource) => resource.type === type).map(({ config }) => config)
  const bootstrap =
    dumped.map((config) => config.get('bootstrap')).find(({ isSet }) => isSet) ??
    new Setting(undefined, ['bootstrap'])
  const written = readBootstrap(bootstrap)
  const listeners = ofType('envoy.config.listener.v3.Listener')
  return {
    bootstrap,
    // What runs is in the other sections; a dump that was cut down may have the bootstrap only.
    listeners: listeners.length > 0 ? listeners : written.listeners,
    clusters: new Map([...written.clusters, ...byName(ofType('envoy.config.cluster.v3.Cluster'))]),
    routes: byName(ofType('envoy.config.route.v3.RouteConfiguration')),
    filters: byName(ofType('envoy.config.core.v3.TypedExtensionConfig')),
    endpoints: byName(ofType('envoy.config.endpoint.v3.ClusterLoadAssignment'), 'cluster_name'),
    elsewhere: listeners.length > 0 ? [] : written.elsewhere,
    refused: refusedIn(dumped),
    waiting: waitingIn(dumped),
  }
}

/** The endpoints of a cluster, as far as they were seen. */
export const endpointsOf = ({ endpoints }: Configuration, cluster: Setting): readonly Setting[] => {
  const own = cluster.get('load_assignment')
  if (own.isSet) return endpointsIn(own)
  const name = cluster.get('eds_cluster_config', 'service_name').text || cluster.get('name').text
  const delivered = endpoints.get(name)
  return delivered === undefined ? [] : endpointsIn(delivered)
}

// A resource may have several states; in these two it receives no requests, or no new ones.
const PAST: ReadonlySet<string> = new Set([
  'draining_state',
  'drainingState',
  'error_state',
  'errorState',
])

/** The outermost typed messages below a section of a config dump. */
function* resourcesIn(section: Setting): Generator<ReturnType<typeof unpack>> {
  for (const [name, member] of section.entries()) {
    if (PAST.has(name) || name === 'bootstrap') continue
    for (const setting of [member, ...member.items()]) {
      if (setting.entry('@type').isSet) yield unpack(setting)
      else if (setting.isMessage) yield* resourcesIn(setting)
    }
  }
}

/** The first of each name: of a cluster that is being replaced, the one that is in use. */
const byName = (resources: readonly Setting[], field = 'name'): ReadonlyMap<string, Setting> =>
  new Map(resources.toReversed().map((resource) => [resource.get(field).text, resource]))
