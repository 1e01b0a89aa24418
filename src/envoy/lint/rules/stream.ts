// Rules about what takes long: upgraded connections, watches and logs that are followed.

import { when, type Rule } from '../rule.ts'
import { protocolOf } from '../view/cluster.ts'
import type { Manager } from '../view/manager.ts'
import type { Route } from '../view/route.ts'
import type { Setting } from '../view/setting.ts'
import type { Site } from '../view/site.ts'

/** A connection manager that asks Countersign. */
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
    problem: 'no upgrade is let through',
    risk: 'WebSockets, and kubectl exec, attach, cp and port-forward, end with 403',
    remedy: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: SPDY/3.1 }]',
    find: ({ manager: { config, routes } }) => {
      const at = config.get('upgrade_configs')
      const some = [at, ...routes.map(({ action }) => action.get('upgrade_configs'))]
      return when(forwards(routes) && some.every((upgrades) => upgrades.items().length === 0), at)
    },
  },
  {
    id: 'spdy-over-http2',
    severity: 'error',
    problem: 'SPDY upgrades are offered to callers, but the upstream is spoken to over HTTP/2',
    risk: 'HTTP/2 cannot carry them: kubectl exec fails, instead of falling back to WebSocket',
    remedy:
      'explicit_http_config: { http_protocol_options: {} }, or no SPDY/3.1 in upgrade_configs',
    find: ({ site, manager }) =>
      manager.routes
        .filter((route) => offersSpdy(manager, route))
        .flatMap(({ cluster }) => site.configuration.clusters.get(cluster?.text ?? '') ?? [])
        .map(protocolOf)
        .filter(({ kind }) => kind !== 'http1')
        .map(({ at }) => ({ at, detail: `by ${manager.listener.get('name').text}` })),
  },
  {
    id: 'stream-idle-timeout',
    severity: 'warning',
    problem: 'silent requests end after Envoy’s default of 5 minutes',
    risk: 'watches, logs -f and idle shells are cut off',
    remedy: 'stream_idle_timeout: 3600s, or idle_timeout on routes',
    find: ({ manager: { config, routes } }) => {
      const at = config.get('stream_idle_timeout')
      const left = routes.some(({ action }) => action.isSet && !action.get('idle_timeout').isSet)
      return when(!at.isSet && left, at)
    },
  },
]

const forwards = (routes: readonly Route[]): boolean => routes.some(({ action }) => action.isSet)

/** Whether a request that takes the route may ask for SPDY: the route's word counts first. */
const offersSpdy = ({ config }: Manager, { action }: Route): boolean => {
  const spdy = [action, config]
    .map((level) => spdyIn(level.get('upgrade_configs')))
    .find((upgrade) => upgrade !== undefined)
  if (spdy === undefined) return false
  const enabled = spdy.get('enabled')
  return !enabled.isSet || enabled.flag
}

const spdyIn = (upgrades: Setting): Setting | undefined =>
  upgrades.items().find((upgrade) => upgrade.get('upgrade_type').text.toLowerCase() === SPDY)
