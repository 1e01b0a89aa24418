// The metrics of the store behind `state`, and its health for operators. Without the store authz
// continues to serve checks that do not need it, so readiness does not depend on it.

import type { Condition, HealthCheck } from '../runtime/health.ts'
import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import { describeError } from '../runtime/errors.ts'
import { RECORD_KINDS } from '../state/record-store.ts'
import type { StoreHealth } from '../state/opened-state.ts'

/** Its readiness check; none for memory, which is always available. */
export const stateChecks = ({ kind, failure }: StoreHealth): readonly HealthCheck[] => {
  if (kind === 'memory') return []
  const condition = (): Condition => {
    const cause = failure()
    return cause === undefined
      ? { state: 'ok' }
      : { state: 'warning', reason: describeError(cause) }
  }
  return [{ name: 'state', condition }]
}

/** Its metrics. */
export const stateMetrics = (store: StoreHealth): readonly Metric[] => {
  const { kind, statistics, usage = () => [] } = store
  return [
    gauge(
      'countersign_state_up',
      '1, or 0 while the store of `state` cannot be read or written.',
      () => [{ labels: { kind }, value: store.failure() === undefined ? 1 : 0 }],
      { kind: ['memory', 'sqlite', 'redis'] },
    ),
    statistics.unopened,
    statistics.rollbacks,
    gauge(
      'countersign_state_bytes',
      'Size of the records in `state` by kind, about, with records that have ended and are not yet removed. Logins, sessions and refresh tokens are of the kind login. Absent for Redis.',
      () => usage().map(({ kind: of, bytes }) => ({ labels: { kind: of }, value: bytes })),
      { kind: RECORD_KINDS },
    ),
    gauge(
      'countersign_state_max_bytes',
      'How much room each kind has. When it is used up, anonymous and public records are evicted, and records of another kind are refused.',
      () => usage().map(({ kind: of, maxBytes }) => ({ labels: { kind: of }, value: maxBytes })),
      { kind: RECORD_KINDS },
    ),
    counter(
      'countersign_state_dropped_total',
      'Records of unauthenticated clients that were evicted before their expiry because the store was full.',
      () => store.dropped(),
    ),
  ]
}
