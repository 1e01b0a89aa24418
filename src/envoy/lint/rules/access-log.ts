// Rules about the access logs: authz does not see what Envoy refuses by itself.

import { when, type Rule } from '../rule.ts'
import type { Manager } from '../view/manager.ts'

/** Rules about connection managers that call Countersign. */
export const accessLogRules: readonly Rule<Manager>[] = [
  {
    id: 'refused-connections-unlogged',
    severity: 'warning',
    problem: 'the listener has no access log',
    risk: 'failed handshakes, expired client certificates and those of another CA are not logged',
    remedy: 'access_log of the listener, as `countersign envoy generate` writes it',
    istio:
      'EnvoyFilter, applyTo: LISTENER, MERGE of access_log, as `countersign envoy istio` writes it',
    find: ({ listener }) => {
      const at = listener.get('access_log')
      return when(at.items().length === 0, at)
    },
  },
  {
    id: 'failed-requests-unlogged',
    severity: 'warning',
    problem: 'the connection manager has no access log',
    risk: 'requests that Envoy itself refuses (400, 404, 426, 431, 503) are not logged',
    remedy: 'access_log of the connection manager, as `countersign envoy generate` writes it',
    istio:
      'EnvoyFilter, applyTo: NETWORK_FILTER on envoy.filters.network.http_connection_manager, MERGE of access_log, as `countersign envoy istio` writes it',
    find: ({ config }) => {
      const at = config.get('access_log')
      return when(at.items().length === 0, at)
    },
  },
]
