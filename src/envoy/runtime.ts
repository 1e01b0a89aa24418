// Envoy's own limits that the bootstrap changes (https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime).

import type { Message } from './message.ts'

/**
 * How large an expression may be, in instructions of RE2. With Envoy's own limit of 100 the removal of headers needs five expressions,
 * and each takes as much of every request as one.
 */
export const EXPRESSION_LIMIT = 1_000

/** `layered_runtime` of the bootstrap. */
export const layeredRuntime: Message = {
  layers: [
    { name: 'countersign', static_layer: { 're2.max_program_size.error_level': EXPRESSION_LIMIT } },
  ],
}
