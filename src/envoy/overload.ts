// What Envoy does before it runs out of memory or sockets.

import type { EnvoyConfig } from '../configuration/envoy-schema.ts'
import { extension, type Message } from './message.ts'

// https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge
const SHRINK_AT = 0.95
const REFUSE_AT = 0.98

/** The overload manager. */
export const overloadManager = ({ maxHeapBytes, listener }: EnvoyConfig): Message => ({
  refresh_interval: '0.25s',
  resource_monitors: [
    extension(HEAP, 'resource_monitors.fixed_heap.v3.FixedHeapConfig', {
      max_heap_size_bytes: maxHeapBytes,
    }),
    extension(
      CONNECTIONS,
      'resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
      { max_active_downstream_connections: listener.maxConnections },
    ),
  ],
  actions: [
    reduceTimeouts,
    action('envoy.overload_actions.shrink_heap', SHRINK_AT),
    action('envoy.overload_actions.stop_accepting_requests', REFUSE_AT),
  ],
})

const HEAP = 'envoy.resource_monitors.fixed_heap'
const CONNECTIONS = 'envoy.resource_monitors.global_downstream_max_connections'

/**
 * The fewer connections are left, the sooner idle ones are closed, so that one client cannot occupy all of them:
 * from 70 to 90 % of the connections, the timeouts shrink from those of the listener to these. At 90 %, holding
 * 10,000 idle connections takes 5,000 handshakes a second.
 */
const reduceTimeouts: Message = {
  name: 'envoy.overload_actions.reduce_timeouts',
  triggers: [scaled(CONNECTIONS, 0.7, 0.9), scaled(HEAP, 0.85, SHRINK_AT)],
  typed_config: {
    '@type': 'type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig',
    timer_scale_factors: [
      // No stream is open on it: neither a request, nor a watch or shell that is silent.
      { timer: 'HTTP_DOWNSTREAM_CONNECTION_IDLE', min_timeout: '2s' },
      { timer: 'TRANSPORT_SOCKET_CONNECT', min_timeout: '3s' },
    ],
  },
}

function scaled(name: string, from: number, to: number): Message {
  return { name, scaled: { scaling_threshold: from, saturation_threshold: to } }
}

const action = (name: string, value: number): Message => ({
  name,
  triggers: [{ name: HEAP, threshold: { value } }],
})
