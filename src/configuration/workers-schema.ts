// `workers`: how many processes of authz there are.

import * as z from 'zod'

/** The most that may be configured: Envoy has that many addresses for a cluster. */
export const MOST_WORKERS = 64

/** `workers`. */
export const workersSchema = z
  .union(
    [z.int().min(1).max(MOST_WORKERS), z.literal('auto')],
    `must be 1 to ${MOST_WORKERS}, or "auto"`,
  )
  .default(1)
  .describe(
    'How many processes of authz there are. A process uses one core. Each has a socket or a port of its own, as an endpoint of Envoy’s cluster, and an audit file of its own: worker 0 has the configured name, worker 1 has `-1` before the extension, or the next port. `auto`: as many as the CPUs that the process may use. More than 1 needs `state` in SQLite or Redis where logins, lock-outs or DPoP proofs are counted.',
  )

/** `workers`, and the value of `--workers`. */
export type Workers = z.output<typeof workersSchema>
