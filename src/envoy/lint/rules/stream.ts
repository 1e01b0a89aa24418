// Rules about what takes long: upgraded connections, watches and logs that are followed.

import { when, type Rule } from '../rule.ts'
import { protocolOf } from '../view/cluster.ts'
import { guardsIn } from '../view/credentials.ts'
import type { Manager } from '../view/manager.ts'
import { ourRouteOf, type Route } from '../view/route.ts'
import type { Setting } from '../view/setting.ts'
import { isLeftOut, isTurnedOff, type Site } from '../view/site.ts'

/** A connection manager that calls Countersign. */
interface Subject {
  readonly site: Site
  readonly manager: Manager
}

const SPDY = 'spdy/3.1'

/** Rules about streams. */
export const streamRules: readonly Rule<Subject>[] = [
  {
    id: 'upgrades-missing',
    severity: 'warning',
    problem: 'no upgrade is allowed',
    risk: 'WebSocket, and kubectl exec, attach, cp and port-forward, fail with 403',
    remedy: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: SPDY/3.1 }]',
    find: ({ manager: { config, routes } }) => {
      const at = config.get('upgrade_configs')
      const some = [at, ...routes.map(({ action }) => action.get('upgrade_configs'))]
      return when(forwards(routes) && some.every((upgrades) => upgrades.items().length === 0), at)
    },
  },
  {
    id: 'kubernetes-upgrade-missing',
    severity: 'error',
    problem: 'an upgrade that kubectl requests is not allowed to an API server',
    risk: 'kubectl exec, attach, cp and port-forward fail with 403',
    remedy: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: SPDY/3.1 }]',
    find: (subject) => {
      const { config } = subject.manager
      const missing = new Set(kubernetesRoutes(subject).flatMap((route) => closed(subject, route)))
      const some = config.get('upgrade_configs').items().length > 0 // else the rule before this one
      return when(some && missing.size > 0, config.get('upgrade_configs'), {
        detail: [...missing].join(', '),
      })
    },
    istio:
      'EnvoyFilter, applyTo: NETWORK_FILTER on envoy.filters.network.http_connection_manager, MERGE: upgrade_configs: [{ upgrade_type: SPDY/3.1 }], once in all EnvoyFilters, since lists are joined and Envoy refuses a listener that has an upgrade twice; websocket is there by itself',
  },
  {
    id: 'spdy-over-http2',
    severity: 'error',
    problem: 'SPDY upgrades are offered to callers, but the upstream uses HTTP/2',
    risk: 'HTTP/2 cannot carry them: kubectl exec fails instead of falling back to WebSocket',
    remedy:
      'explicit_http_config: { http_protocol_options: {} }, or no SPDY/3.1 in upgrade_configs',
    istio:
      'in the Service (or ServiceEntry): ports: [{ name: http, … }] or https, not http2 or grpc; and no h2UpgradePolicy: UPGRADE in a DestinationRule',
    find: ({ site, manager }) =>
      manager.routes
        .filter((route) => offers(manager, route, SPDY))
        .filter((route) => guardsIn(site, manager).some((guard) => !isLeftOut(guard, route)))
        .flatMap(({ cluster }) => site.configuration.clusters.get(cluster?.text ?? '') ?? [])
        .map(protocolOf)
        .filter(({ kind }) => kind !== 'http1')
        .map(({ at }) => ({ at, detail: `by ${manager.listener.get('name').text}` })),
  },
  {
    id: 'stream-idle-timeout',
    severity: 'warning',
    problem: 'idle requests end after Envoy’s default of 5 minutes',
    risk: 'watches, logs -f and idle shells are terminated',
    remedy: 'stream_idle_timeout: 3600s, or idle_timeout on routes',
    find: ({ manager: { config, routes } }) => {
      const at = config.get('stream_idle_timeout')
      const left = routes.some(({ action }) => action.isSet && !action.get('idle_timeout').isSet)
      return when(!at.isSet && left, at)
    },
  },
]

const forwards = (routes: readonly Route[]): boolean => routes.some(({ action }) => action.isSet)

/** Whether a request that takes the route may ask for an upgrade: the route's word counts first. */
const offers = ({ config }: Manager, { action }: Route, type: string): boolean => {
  const upgrade = [action, config]
    .map((level) => upgradeIn(level.get('upgrade_configs'), type))
    .find((one) => one !== undefined)
  if (upgrade === undefined) return false
  const enabled = upgrade.get('enabled')
  return !enabled.isSet || enabled.flag
}

const upgradeIn = (upgrades: Setting, type: string): Setting | undefined =>
  upgrades.items().find((upgrade) => upgrade.get('upgrade_type').text.toLowerCase() === type)

/** The upgrades of kubectl that a route does not let through, though its upstream could have them. */
const closed = ({ site, manager }: Subject, route: Route): readonly string[] => {
  const cluster = site.configuration.clusters.get(route.cluster?.text ?? '')
  const http1 = cluster === undefined || protocolOf(cluster).kind === 'http1'
  return [...(http1 ? [SPDY] : []), 'websocket'].filter((type) => !offers(manager, route, type))
}

/** The routes that can be one to an API server, as countersign.yaml has it. */
const kubernetesRoutes = ({ site, manager }: Subject): readonly Route[] => {
  const all = site.expected?.kubernetes ?? new Set()
  if (all.size === 0) return []
  return guardsIn(site, manager).flatMap((guard) =>
    manager.routes
      .filter(({ action }) => action.isSet)
      .filter((route) => !isTurnedOff(guard, route) && !isLeftOut(guard, route))
      .filter((route) => {
        const name = ourRouteOf(route, guard.name, site.expected?.routes ?? new Set())
        return name === undefined || all.has(name)
      }),
  )
}
