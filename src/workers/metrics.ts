// The metrics of the supervisor itself.

import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'

/** What they are read from. */
export interface CountedWorkers {
  readonly count: number
  readonly replacements: number
  running(): readonly unknown[]
}

/** The metrics. */
export const supervisorMetrics = (workers: CountedWorkers): readonly Metric[] => [
  gauge('countersign_workers', 'Workers that are configured.', () => workers.count),
  gauge('countersign_workers_running', 'Workers that serve.', () => workers.running().length),
  counter(
    'countersign_worker_replacements_total',
    'Workers that were started in place of one that ended.',
    () => workers.replacements,
  ),
]
