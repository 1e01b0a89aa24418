// What is told of the store behind `state`: metrics, and whether somebody should look. Without it authz
// goes on with what needs none, so it never says that nothing should be asked.

import type { Condition, HealthCheck } from '../runtime/health.ts'
import { counter, type Metric } from '../runtime/metrics/metric.ts'
import { describeError } from '../runtime/errors.ts'
import type { StoreHealth } from '../state/opened-state.ts'

/** What readiness says of it; nothing of memory, which is always there. */
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
  const { kind, statistics } = store
  const operations = () => [...(statistics?.operations ?? [])]
  return [
    {
      type: 'gauge',
      name: 'countersign_state_up',
      help: '1, or 0 while the store behind `state` cannot be read or written, or could not be a moment ago.',
      labels: ['kind'],
      read: () => [{ labels: { kind }, value: store.failure() === undefined ? 1 : 0 }],
    },
    {
      type: 'histogram',
      name: 'countersign_state_operation_duration_seconds',
      help: 'What a state file or a state server was asked, by how it ended: done or failed. Memory is not measured.',
      labels: ['operation', 'result'],
      read: () =>
        operations().flatMap(([operation, { done, failed }]) => [
          { labels: { operation, result: 'done' }, value: done },
          { labels: { operation, result: 'failed' }, value: failed },
        ]),
    },
    counter(
      'countersign_state_unopened_total',
      'Records that were there and did not open: changed by somebody, or sealed with a key that is gone from the keyring.',
      () => statistics?.unopened ?? 0,
    ),
    {
      type: 'counter',
      name: 'countersign_state_rollbacks_total',
      help: 'How often the store was found to have gone back to an earlier state, by what was done: restored (revocations written again) or revoked-all.',
      labels: ['result'],
      read: () =>
        Object.entries(statistics?.rollbacks ?? {}).map(([result, value]) => ({
          labels: { result },
          value,
        })),
    },
    counter(
      'countersign_state_dropped_total',
      'Records that unauthenticated clients caused and that were dropped before their end, for want of room.',
      () => store.dropped(),
    ),
  ]
}
