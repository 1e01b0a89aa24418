// The metrics and health checks that authz and the signer have in common: their version, their configuration, their
// server and their audit log.

import type { ReloadStatus } from '../config/reload-status.ts'
import type { GrpcStatistics } from '../runtime/grpc/statistics.ts'
import type { HealthCheck } from '../runtime/health.ts'
import { counter, gauge, type Metric } from '../runtime/metrics/metric.ts'
import { VERSION } from '../runtime/version.ts'
import type { AuditStatistics } from './statistics.ts'

/** What is looked at. */
export interface CommonParts {
  readonly reloads: ReloadStatus
  readonly audit: { statistics(): AuditStatistics }
  readonly grpc: GrpcStatistics
}

/** The health checks of both processes. */
export const commonChecks = ({
  reloads,
  audit,
}: Omit<CommonParts, 'grpc'>): readonly HealthCheck[] => [
  { name: 'config', condition: reloads.condition },
  {
    name: 'audit',
    condition: () =>
      audit.statistics().failing
        ? { state: 'warning', reason: 'events could not be written (see the log)' }
        : { state: 'ok' },
  },
]

/** Their metrics. */
export const commonMetrics = ({ reloads, audit, grpc }: CommonParts): readonly Metric[] => [
  gauge(
    'countersign_build_info',
    '1. Its labels are the version of Countersign and that of Node.js.',
    () => [{ labels: { version: VERSION, node: process.versions.node }, value: 1 }],
    { version: 'the version of Countersign', node: 'the version of Node.js' },
  ),
  grpc.metric,
  gauge(
    'countersign_config_generation',
    'The generation of the active configuration, counted from 1 since the start.',
    () => reloads.generation,
  ),
  gauge(
    'countersign_config_last_reload_successful',
    '1, or 0 when the last change was refused and the configuration before it is still in force.',
    () => (reloads.rejected ? 0 : 1),
  ),
  gauge(
    'countersign_config_last_reload_success_timestamp_seconds',
    'When the active configuration was loaded.',
    () => reloads.loadedAt / 1_000,
  ),
  counter(
    'countersign_config_reload_failures_total',
    'Reloads of the configuration that were rejected.',
    () => reloads.rejections,
  ),
  counter(
    'countersign_audit_events_total',
    'Audit events, by result: written, lost, or summarised (refusals of unauthenticated clients beyond their budget).',
    () => {
      const { written, lost, summarised } = audit.statistics()
      return [
        { labels: { result: 'written' }, value: written },
        { labels: { result: 'lost' }, value: lost },
        ...(summarised === undefined
          ? []
          : [{ labels: { result: 'summarised' }, value: summarised }]),
      ]
    },
    { result: ['written', 'lost', 'summarised'] },
  ),
  gauge(
    'countersign_audit_events_pending',
    'Audit events that are not yet written.',
    () => audit.statistics().waiting,
  ),
]
