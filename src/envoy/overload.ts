// What Envoy does before it runs out of memory or sockets.

import type { EnvoyConfig } from '../config/envoy-schema.ts'
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
      'envoy.resource_monitors.global_downstream_max_connections',
      'resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig',
      { max_active_downstream_connections: listener.maxConnections },
    ),
  ],
  actions: [
    action('envoy.overload_actions.shrink_heap', SHRINK_AT),
    action('envoy.overload_actions.stop_accepting_requests', REFUSE_AT),
  ],
})

const HEAP = 'envoy.resource_monitors.fixed_heap'

const action = (name: string, value: number): Message => ({
  name,
  triggers: [{ name: HEAP, threshold: { value } }],
})
