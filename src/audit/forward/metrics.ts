// The metrics of what waits for sinks and what they got.

import { counter, gauge, type Metric, type Sample } from '../../runtime/metrics/metric.ts'
import type { SinkBacklog } from '../spool.ts'
import type { ForwardCounts } from './forwarder.ts'
import type { SinkCounts } from './forwarders.ts'

/** What is looked at. */
export interface SinkMetricsParts {
  counts(): SinkCounts
  backlogs(): ReadonlyMap<string, SinkBacklog>
  /** `audit.spool.maxBytes`; `undefined` without sinks. */
  readonly maxBytes: number | undefined
}

const LABELS = { sink: 'the name in `audit.sinks`' }

/** The metrics. */
export const sinkMetrics = (parts: SinkMetricsParts): readonly Metric[] => [
  ...backlogMetrics(parts),
  ...countMetrics(() => parts.counts()),
]

const backlogMetrics = ({
  backlogs,
  maxBytes,
}: Omit<SinkMetricsParts, 'counts'>): readonly Metric[] => {
  const each = (value: (backlog: SinkBacklog) => number) => () =>
    [...backlogs()].map(([sink, backlog]) => ({ labels: { sink }, value: value(backlog) }))
  return [
    gauge(
      'countersign_audit_sink_waiting_records',
      'Records of the audit log that a sink has not acknowledged.',
      each(({ records }) => records),
      LABELS,
    ),
    gauge(
      'countersign_audit_sink_waiting_bytes',
      'Their bytes in the audit file and its rotated files.',
      each(({ bytes }) => bytes),
      LABELS,
    ),
    gauge(
      'countersign_audit_sink_waiting_seconds',
      'How long the oldest of them has waited, since the start at most.',
      each(({ seconds }) => seconds),
      LABELS,
    ),
    gauge(
      'countersign_audit_spool_max_bytes',
      'The bound on waiting bytes (`audit.spool.maxBytes`).',
      () => (maxBytes === undefined ? [] : [{ labels: {}, value: maxBytes }]),
    ),
  ]
}

/** The counters of forwarders: of authz, and of `countersign audit forward`. */
export const countMetrics = (counts: () => SinkCounts): readonly Metric[] => [
  counter(
    'countersign_audit_sink_records_total',
    'Records by sink and result: sent (acknowledged), deleted (before they were sent), or refused (the sink takes the record before, and not this one).',
    () => Object.entries(counts()).flatMap(([sink, count]) => resultsOf(sink, count)),
    { ...LABELS, result: ['sent', 'deleted', 'refused'] },
  ),
  counter(
    'countersign_audit_sink_failures_total',
    'Batches that a sink did not acknowledge. They are sent again.',
    () =>
      Object.entries(counts()).map(([sink, { failures }]) => ({
        labels: { sink },
        value: failures,
      })),
    LABELS,
  ),
]

const resultsOf = (sink: string, counts: ForwardCounts): readonly Sample<number>[] =>
  (['sent', 'deleted', 'refused'] as const).map((result) => ({
    labels: { sink, result },
    value: counts[result],
  }))
